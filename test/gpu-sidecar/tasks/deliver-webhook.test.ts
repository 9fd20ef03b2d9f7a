import { Webhook as Reference } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import {
  createDeliverWebhookTask,
  type DeliverWebhookOptions,
} from "../../../gpu-sidecar/tasks/deliver-webhook.ts";
import { createId } from "../../../shared/ids.ts";
import { executeJob } from "../../../shared/jobs/executor.ts";
import { cancelJob, rescueJobs, retryJob } from "../../../shared/jobs/queue.ts";
import { type Runner, startRunner } from "../../../shared/jobs/runner.ts";
import { jobKinds } from "../../../shared/kinds.ts";
import { createLog } from "../../../shared/log.ts";
import { WebhookMessage } from "../../../shared/webhooks/contract.ts";
import { until } from "../../helpers/until.ts";
import { type DeliveryRow, openWebhookDatabase, type WebhookDatabase } from "../../shared/webhooks/rig.ts";
import {
  answer,
  authorities,
  createResolver,
  hostName,
  ok,
  openReceiver,
  type Received,
  type Receiver,
} from "../webhooks/receiver.ts";

let house: WebhookDatabase;
let receiver: Receiver;
let alice: string;
beforeAll(async () => {
  house = await openWebhookDatabase();
  alice = await house.addUser();
});
afterAll(() => house[Symbol.asyncDispose]());
beforeEach(async () => {
  receiver = await openReceiver();
});
afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
  await house.clear();
});

const logLines: string[] = [];

/** This machine counts as public where a test does not say otherwise. */
function createTask(options: Partial<DeliverWebhookOptions> = {}) {
  return createDeliverWebhookTask({
    sql: house.sidecar,
    targets: "public",
    resolve: createResolver(["127.0.0.1"]).resolve,
    isPublic: (address) => address === "127.0.0.1",
    authorities,
    ...options,
  });
}

function run(options?: Partial<DeliverWebhookOptions>): Runner {
  const log = createLog((line) => logLines.push(line));
  const runner = startRunner({
    sql: house.sidecar,
    workerId: createId(),
    tasks: [createTask(options)],
    kinds: jobKinds,
    slots: { interactive: 0, bulk: 4 },
    pollMs: 20,
    listens: false,
    drainMs: 0,
    onEnded: (job, ending, error) =>
      log.info("job.ended", { jobId: job.id, ending, message: error?.message }),
    onTrouble: (doing, error) => log.error("trouble", { doing, error: String(error) }),
  });
  onTestFinished(() => runner.stop());
  return runner;
}

async function find(id: string): Promise<DeliveryRow> {
  const row = (await house.listDeliveries()).find((delivery) => delivery.id === id);
  if (!row) throw new Error(`there is no delivery ${id}`);
  return row;
}

/** Ends a job that a webhook is told of; answers the delivery that this made. */
async function tell(
  url = receiver.url,
): Promise<{ id: string; webhookId: string; secret: string; carrierId: string }> {
  const webhook = await house.addWebhook({ ownerId: alice, url });
  await house.endJobs({ ownerId: alice, result: { walls: 4 } });
  const [delivery] = (await house.listDeliveries()).filter((row) => row.webhookId === webhook.id);
  if (!delivery) throw new Error("nothing was told");
  return { id: delivery.id, webhookId: webhook.id, secret: webhook.secret, carrierId: delivery.carrierId };
}

/** Lets a delivery that waits be tried at once, and its next failure be the last if that is wanted. */
async function hurry(carrierId: string, { isLast = false } = {}): Promise<void> {
  await house.sql`
    update parlance.jobs
    set run_after = now(), attempts_max = case when ${isLast} then attempts + 1 else attempts_max end
    where id = ${carrierId} and state = 'queued'
  `;
}

/** One try by hand, without a runner. */
async function tryOnce(options?: Partial<DeliverWebhookOptions>): Promise<string> {
  const [job] = await house.claimDeliveries();
  if (!job) throw new Error("no delivery was due");
  const { ending, error } = await executeJob(house.sidecar, createTask(options), job).ended;
  return error ? `${ending}: ${error.message}` : ending;
}

const verify = (secret: string, { body, headers }: Received) =>
  new Reference(secret).verify(body, { ...headers });

test("the end of a job is told: signed, as the API shows it, and kept in the ledger", async () => {
  const { id, secret, carrierId } = await tell();
  run();
  await until("it is delivered", async () => (await find(id)).state === "delivered");
  const [request, ...others] = receiver.received;
  expect(others).toEqual([]);
  const message = WebhookMessage.strict().parse(verify(secret, request as Received));
  expect(message).toMatchObject({
    id,
    type: "job.done",
    data: { kind: "test.paint-wall", ownerId: alice, state: "done", result: { walls: 4 } },
  });
  expect(message.data).not.toHaveProperty("payload");
  expect(request).toMatchObject({
    method: "POST",
    path: "/hooks?for=parlance",
    headers: { "webhook-id": id, "content-type": "application/json", host: `${hostName}:${receiver.port}` },
  });
  expect(await find(id)).toMatchObject({
    attempts: 1,
    statusCode: 200,
    errorMessage: null,
    tookMs: expect.any(Number),
    finishedAt: expect.any(String),
  });
  expect(await house.findJob(carrierId)).toMatchObject({ state: "done", result: { state: "delivered" } });
});

test("while a secret is replaced, messages bear both signatures; afterwards one", async () => {
  const { secret, webhookId } = await tell();
  const renewed = await house.renewSecret(webhookId);
  expect(await tryOnce()).toBe("done");
  await house.sql`update parlance.webhook_secrets set expires_at = now() where expires_at is not null`;
  await house.endJobs({ ownerId: alice });
  expect(await tryOnce()).toBe("done");
  const [during, after] = receiver.received as [Received, Received];
  expect(verify(renewed, during)).toBeDefined();
  expect(verify(secret, during)).toBeDefined();
  expect(verify(renewed, after)).toBeDefined();
  expect(() => verify(secret, after)).toThrow("No matching signature found");
});

test("a receiver that is in trouble is tried again, with the same id and a fresh time", async () => {
  receiver.reply(answer(500), answer(503), ok);
  const { id, webhookId, secret, carrierId } = await tell();
  expect(await tryOnce()).toBe("queued: It was answered with 500.");
  expect(await find(id)).toMatchObject({ state: "pending", attempts: 1, statusCode: 500, finishedAt: null });
  expect((await house.findWebhook(webhookId)).failingSince).not.toBeNull();
  await hurry(carrierId);
  expect(await tryOnce()).toBe("queued: It was answered with 503.");
  await hurry(carrierId);
  expect(await tryOnce()).toBe("done");
  expect(await find(id)).toMatchObject({
    state: "delivered",
    attempts: 3,
    statusCode: 200,
    errorMessage: null,
  });
  expect(await house.findWebhook(webhookId)).toMatchObject({ failingSince: null, isEnabled: true });
  const messages = receiver.received.map((request) => verify(secret, request));
  expect(messages).toHaveLength(3);
  expect(new Set(messages.map((message) => JSON.stringify(message))).size).toBe(1);
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([id]));
});

test.each([
  ["120", 120, 125],
  ["86400", 3600, 3605],
  ["0", 1, 3],
])(
  "a receiver that asks for time (retry-after: %s) is given it, an hour at most",
  async (asked, least, most) => {
    receiver.reply(answer(503, `retry-after: ${asked}\r\n`), ok);
    const { id, carrierId } = await tell();
    const beforeMs = Date.now();
    expect(await tryOnce()).toBe("queued: It was answered with 503.");
    const { runAfter } = await house.findJob(carrierId);
    const waitSeconds = (Date.parse(String(runAfter)) - beforeMs) / 1000;
    expect(waitSeconds).toBeGreaterThanOrEqual(least);
    expect(waitSeconds).toBeLessThan(most + (Date.now() - beforeMs) / 1000);
    await hurry(carrierId);
    expect(await tryOnce()).toBe("done");
    expect(await find(id)).toMatchObject({ state: "delivered", attempts: 2 });
  },
);

test("after the last try it has failed, and says why; a retry of its job begins anew", async () => {
  receiver.reply(answer(500, "retry-after: 3600\r\n"), ok);
  const { id, carrierId } = await tell();
  await hurry(carrierId, { isLast: true });
  expect(await tryOnce()).toBe("failed: It was answered with 500.");
  expect(await find(id)).toMatchObject({
    state: "failed",
    statusCode: 500,
    errorMessage: "It was answered with 500.",
    finishedAt: expect.any(String),
  });
  const job = { id: carrierId, kind: "webhooks.deliver-event", ownerId: alice, subjectId: null };
  expect(await house.sql.begin((transaction) => retryJob(transaction, jobKinds, job))).toBe(true);
  expect(await find(id)).toMatchObject({ state: "pending", finishedAt: null, retryAt: null });
  expect(await tryOnce()).toBe("done");
  expect(await find(id)).toMatchObject({ state: "delivered", attempts: 2 });
});

describe("a webhook that", () => {
  test("answers 410 is disabled, and not tried again", async () => {
    receiver.reply(answer(410));
    const { id, webhookId } = await tell();
    expect(await tryOnce()).toBe("failed: It was answered with 410.");
    expect(await find(id)).toMatchObject({ state: "failed", statusCode: 410 });
    expect(await house.findWebhook(webhookId)).toMatchObject({
      isEnabled: false,
      disabledReason: "It answered 410 Gone.",
    });
    await house.endJobs({ ownerId: alice });
    expect(await house.listDeliveries()).toHaveLength(1);
  });

  test.each([
    [4, { isEnabled: false, disabledReason: "Every try has failed for three days." }],
    [2, { isEnabled: true, disabledReason: null }],
  ])("has only failed for %i days is as it should be", async (days, state) => {
    receiver.reply(answer(500));
    const { webhookId, carrierId } = await tell();
    await house.sql`update parlance.webhooks set failing_since = now() - make_interval(days => ${days})`;
    expect(await tryOnce()).toMatch(/^queued/);
    expect(await house.findWebhook(webhookId)).toMatchObject({ isEnabled: true });
    await hurry(carrierId, { isLast: true });
    expect(await tryOnce()).toMatch(/^failed/);
    expect(await house.findWebhook(webhookId)).toMatchObject(state);
  });

  test.each([
    ["was disabled", "update parlance.webhooks set is_enabled = false, disabled_at = now()"],
    ["was deleted", "delete from parlance.webhooks"],
  ])("%s meanwhile is not called, and the delivery ends quietly", async (_what, statement) => {
    const { id, carrierId } = await tell();
    await house.sql.unsafe(statement);
    expect(await tryOnce()).toBe("done");
    expect(receiver.connections).toBe(0);
    expect(await find(id)).toMatchObject({ state: "cancelled", attempts: 0, finishedAt: expect.any(String) });
    expect(await house.findJob(carrierId)).toMatchObject({ state: "done", result: { state: "cancelled" } });
  });
});

test("a delivery whose job is cancelled is cancelled", async () => {
  const { id, carrierId } = await tell();
  const job = { id: carrierId, kind: "webhooks.deliver-event", ownerId: alice, subjectId: null };
  await house.sql.begin((transaction) => cancelJob(transaction, jobKinds, job));
  expect(await find(id)).toMatchObject({ state: "cancelled", attempts: 0 });
});

describe("what must not be called is not", () => {
  test("a name that means a public address when it is checked and a private one when it is called", async () => {
    const inside = await openReceiver({ address: "127.0.0.2", port: receiver.port });
    onTestFinished(() => inside[Symbol.asyncDispose]());
    const resolver = createResolver(["127.0.0.1"], ["127.0.0.2"]);
    await tell();
    expect(await tryOnce({ resolve: resolver.resolve })).toBe("done");
    expect(resolver.asked).toEqual([hostName]);
    expect([receiver.connections, inside.connections]).toEqual([1, 0]);
    // The same name once more, now that it means the private one.
    await house.endJobs({ ownerId: alice });
    expect(await tryOnce({ resolve: resolver.resolve })).toBe(
      "queued: The host is not one of the public internet.",
    );
    expect([receiver.connections, inside.connections]).toEqual([1, 0]);
  });

  test.each([["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["1.1.1.1", "127.0.0.1"]])(
    "a name that means %s %s, by the rules of the internet",
    async (...addresses) => {
      const task = { resolve: createResolver(addresses).resolve, isPublic: undefined } as never;
      const { id } = await tell();
      expect(await tryOnce(task)).toBe("queued: The host is not one of the public internet.");
      expect(receiver.connections).toBe(0);
      const delivery = await find(id);
      expect(delivery).toMatchObject({ state: "pending", statusCode: null });
      expect(JSON.stringify(delivery)).not.toContain("127.0.0.1");
    },
  );

  test("a name that means nothing public for a moment, until it does", async () => {
    const resolver = createResolver(["0.0.0.0"], ["127.0.0.1"]);
    const { id, carrierId } = await tell();
    expect(await tryOnce({ resolve: resolver.resolve })).toMatch(/^queued/);
    await hurry(carrierId);
    expect(await tryOnce({ resolve: resolver.resolve })).toBe("done");
    expect(await find(id)).toMatchObject({ state: "delivered", attempts: 2 });
    expect(receiver.connections).toBe(1);
  });

  test.each([
    [(port: number) => `https://127.0.0.1:${port}/`, "The address must name a host of the public internet."],
    [(port: number) => `http://${hostName}:${port}/`, "The address must begin with https://."],
    [() => `https://${hostName}:22/`, "The address must not have the port 22."],
    [(port: number) => `https://localhost:${port}/`, "The address must name a host of the public internet."],
  ])("an address that should never have been taken: %s", async (write, message) => {
    await tell(write(receiver.port));
    expect(await tryOnce()).toBe(`failed: ${message}`);
    expect(receiver.connections).toBe(0);
  });

  test("where a redirect points to", async () => {
    const inside = await openReceiver({ isPlain: true });
    onTestFinished(() => inside[Symbol.asyncDispose]());
    receiver.reply(answer(302, `location: http://127.0.0.1:${inside.port}/latest/meta-data\r\n`));
    const { id } = await tell();
    expect(await tryOnce()).toBe("queued: It was answered with 302; redirects are not followed.");
    expect(inside.connections).toBe(0);
    expect(await find(id)).toMatchObject({ statusCode: 302, state: "pending" });
  });
});

test("to try things out, http and private addresses are called", async () => {
  const plain = await openReceiver({ isPlain: true });
  onTestFinished(() => plain[Symbol.asyncDispose]());
  await tell(`http://127.0.0.1:${plain.port}/`);
  expect(await tryOnce({ targets: "any", isPublic: () => false })).toBe("done");
  expect(plain.received).toHaveLength(1);
});

test("a receiver that never answers is given up after a while, and tried again", async () => {
  receiver.reply(() => {});
  const { id } = await tell();
  expect(await tryOnce({ callMs: 100 })).toBe("queued: There was no answer in time.");
  expect(await find(id)).toMatchObject({ state: "pending", attempts: 1, statusCode: null });
  expect((await find(id)).tookMs).toBeGreaterThanOrEqual(90);
});

test("a receiver that would rather speak another protocol has not taken the message, and is tried again", async () => {
  receiver.reply("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n");
  const { id } = await tell();
  expect(await tryOnce()).toBe("queued: It was answered with 101.");
  expect(await find(id)).toMatchObject({ state: "pending", attempts: 1, statusCode: 101 });
});

test("a resolver that never answers is given up as well", async () => {
  await tell();
  expect(await tryOnce({ callMs: 100, resolve: () => new Promise(() => {}) })).toBe(
    "queued: There was no answer in time.",
  );
});

describe("a worker that dies", () => {
  test("between the answer and the landing is followed by one that calls again, with the same id", async () => {
    const { id } = await tell();
    const [job] = await house.claimDeliveries();
    if (!job) throw new Error("no delivery was due");
    const context = { job, claim: job.claim, attempt: 1, signal: new AbortController().signal };
    // It runs and is answered; then its process is gone.
    await createTask().run(job.payload, context as never);
    expect(receiver.received).toHaveLength(1);
    expect(await find(id)).toMatchObject({ state: "pending", attempts: 1 });
    await house.sql`update parlance.jobs set lease_expires_at = now() - interval '1 second' where id = ${job.id}`;
    expect(await rescueJobs(house.sidecar, jobKinds)).toBe(1);
    await hurry(job.id);
    expect(await tryOnce()).toBe("done");
    expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual([id, id]);
    expect(await find(id)).toMatchObject({ state: "delivered", attempts: 2 });
    // It comes back and wants to land: its claim is another's.
    expect((await executeJob(house.sidecar, createTask(), job).ended).ending).toBe("lost");
    expect(receiver.received).toHaveLength(2);
  });

  test("at the last try leaves a delivery that has failed", async () => {
    const { id, carrierId } = await tell();
    await hurry(carrierId, { isLast: true });
    await house.claimDeliveries();
    await house.sql`update parlance.jobs set lease_expires_at = now() - interval '1 second' where id = ${carrierId}`;
    expect(await rescueJobs(house.sidecar, jobKinds)).toBe(1);
    expect(await find(id)).toMatchObject({
      state: "failed",
      errorMessage: "The worker that ran this stopped answering.",
    });
  });
});

describe("what a sidecar is given", () => {
  const begin = (jobId: string, claim: number) =>
    house.sidecar`select * from parlance.begin_delivery(${jobId}, ${claim})`;

  test("is the secret of a delivery that it holds, and of no other", async () => {
    const { id, carrierId, secret } = await tell();
    const [job] = await house.claimDeliveries();
    expect(await begin(carrierId, (job?.claim ?? 0) + 1)).toHaveLength(0);
    expect(await begin(id, job?.claim ?? 0)).toHaveLength(0);
    const [given] = await begin(carrierId, job?.claim ?? 0);
    expect(given).toMatchObject({ id, url: receiver.url, secrets: [secret] });
  });

  test("is nothing for a job that it made up itself", async () => {
    const { id } = await tell();
    await house.claimDeliveries();
    const jobs = [
      {
        id: createId(),
        kind: "webhooks.deliver-event",
        lane: "bulk",
        payload: { deliveryId: id },
        attempts_max: 1,
      },
    ];
    await house.sidecar`select parlance.add_jobs(${house.sidecar.json(jobs)})`;
    const [forged] = await house.claimDeliveries();
    expect(forged?.id).toBe(jobs[0]?.id);
    expect(await begin(forged?.id ?? "", forged?.claim ?? 0)).toHaveLength(0);
  });

  test("cannot end a delivery whose job has not ended", async () => {
    const { id, carrierId } = await tell();
    const settle = (state: string) => house.sidecar`
      select parlance.settle_delivery(${carrierId}, ${state}::parlance.webhook_delivery_state, 200)
    `;
    for (const state of ["delivered", "failed", "cancelled"]) await settle(state);
    expect(await find(id)).toMatchObject({ state: "pending" });
    const [job] = await house.claimDeliveries();
    await house.sidecar`select parlance.fail_job(${carrierId}, ${job?.claim ?? 0}, 'x', 'x', false)`;
    await settle("delivered");
    expect(await find(id)).toMatchObject({ state: "pending" });
    await settle("failed");
    await settle("cancelled");
    expect(await find(id)).toMatchObject({ state: "failed" });
  });

  test.each([
    "select * from parlance.webhooks",
    "select * from parlance.webhook_secrets",
    "select * from parlance.webhook_deliveries",
    "update parlance.webhooks set url = 'https://evil.example.com/'",
    "insert into parlance.webhook_deliveries (id) values (gen_random_uuid())",
    "select parlance.renew_webhook_secret(gen_random_uuid(), 'whsec_')",
    "select parlance.reopen_delivery(gen_random_uuid())",
    "select parlance.prune_webhook_deliveries(now(), 1)",
    "select parlance.compose_webhook_data(null)",
  ])("is not: %s", async (statement) => {
    await expect(house.sidecar.unsafe(statement)).rejects.toMatchObject({ code: "42501" });
  });
});

test("no secret is in a log, a job, an event or the ledger", async () => {
  receiver.reply(answer(500), ok);
  const { id, secret, carrierId } = await tell();
  run();
  await until("it was tried", async () => (await find(id)).attempts === 1);
  await until("it waits", async () => (await house.findJob(carrierId)).state === "queued");
  await hurry(carrierId);
  await until("it is delivered", async () => (await find(id)).state === "delivered");
  const rows = await Promise.all([
    house.listDeliveries(),
    house.sql`select * from parlance.jobs`,
    house.sql`select * from parlance.job_events`,
    house.sql`select payload from realtime.messages`,
  ]);
  expect(logLines.length).toBeGreaterThan(0);
  const text = JSON.stringify(rows) + logLines.join("");
  expect(text).toContain("It was answered with 500.");
  expect(text).not.toContain(secret);
  expect(text).not.toContain("whsec_");
  expect(text).not.toContain(receiver.url);
});
