import { Webhook as Reference } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createDeliverWebhookTask } from "../../../gpu-sidecar/tasks/deliver-webhook.ts";
import { createId } from "../../../shared/ids.ts";
import { sweepImages } from "../../../shared/images/kinds.ts";
import { Job } from "../../../shared/jobs/contract.ts";
import { executeJob } from "../../../shared/jobs/executor.ts";
import { addJob, claimJobs, completeJobs, failJob, reportProgress } from "../../../shared/jobs/queue.ts";
import { WebhookDelivery, WebhookMessage } from "../../../shared/webhooks/contract.ts";
import { deliverEvent } from "../../../shared/webhooks/kind.ts";
import {
  answer,
  authorities,
  createResolver,
  ok,
  openReceiver,
  type Receiver,
} from "../../gpu-sidecar/webhooks/receiver.ts";
import { openTestApp, type TestApp, type TestUser, type Who } from "../../helpers/app.ts";

let house: TestApp;
let receiver: Receiver;
beforeAll(async () => {
  house = await openTestApp({ environment: { RATE_LIMIT_WRITE: "100000" } });
});
afterAll(() => house.close());
beforeEach(async () => {
  receiver = await openReceiver();
});
afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
  for (const table of ["webhook_deliveries", "webhooks", "jobs"])
    await house.sql.unsafe(`delete from parlance.${table}`);
});

async function addWebhook(who: Who = house.alice): Promise<{ id: string; secret: string }> {
  const body = JSON.stringify({ url: receiver.url });
  const headers = { "content-type": "application/json" };
  const answered = await house.call(who, "POST", "/webhooks", { body, headers });
  expect(answered.status, answered.text).toBe(201);
  return answered.body;
}

async function claim(kind: typeof sweepImages | typeof deliverEvent) {
  const options = { workerId: createId(), kinds: [kind], lane: kind.lane, jobsMax: 1, leaseSeconds: 60 };
  const [job] = await claimJobs(house.sql, options);
  if (!job) throw new Error("no job was due");
  return job;
}

/** Ends a job of a user; any kind would do. */
async function endJob(
  owner: TestUser | null = house.alice,
  ends: "done" | "failed" = "done",
): Promise<string> {
  const id = await addJob(house.sql, sweepImages, { payload: {}, ownerId: owner?.id ?? null });
  const job = await claim(sweepImages);
  await reportProgress(house.sql, job, { done: 2, total: 3, message: "counting" });
  if (ends === "done")
    await completeJobs(house.sql, [{ ...job, result: { objectsRemoved: 2, snake_case: 1.5 } }]);
  else
    await failJob(house.sql, job, { code: "upstream_failed", message: "It went wrong.", retryable: false });
  return id;
}

/** One delivery, as the sidecar does it. */
async function deliver(): Promise<string> {
  const sidecar = house.database.connect({ role: "parlance_sidecar", max: 1 });
  onTestFinished(() => sidecar.end());
  const task = createDeliverWebhookTask({
    sql: sidecar,
    targets: "public",
    resolve: createResolver(["127.0.0.1"]).resolve,
    isPublic: () => true,
    authorities,
  });
  return (await executeJob(sidecar, task, await claim(deliverEvent)).ended).ending;
}

async function list(webhookId: string, query = "", who: Who = house.alice) {
  const answered = await house.call(who, "GET", `/webhooks/${webhookId}/deliveries${query}`);
  expect(answered.status, answered.text).toBe(200);
  const items = answered.body.items.map((item: unknown) =>
    WebhookDelivery.strict().parse(item),
  ) as WebhookDelivery[];
  return { items, nextCursor: answered.body.nextCursor as string | null };
}

test.each(["done", "failed"] as const)(
  "what is told of a job that is %s is what the API shows of it",
  async (ends) => {
    const { secret } = await addWebhook();
    const jobId = await endJob(house.alice, ends);
    const shown = (await house.call(house.alice, "GET", `/jobs/${jobId}`)).body;
    expect(await deliver()).toBe("done");
    const [request] = receiver.received;
    const message = WebhookMessage.parse(
      new Reference(secret).verify(request?.body ?? "", { ...request?.headers }),
    );
    expect(message.data).toEqual(Job.parse(shown));
    expect(message).toMatchObject({ type: `job.${ends}`, timestamp: shown.finishedAt });
  },
);

test("the ledger says what became of each, newest first", async () => {
  const { id } = await addWebhook();
  const jobs = [await endJob(), await endJob(house.alice, "failed")];
  receiver.reply(answer(500), ok);
  expect(await deliver()).toBe("queued");
  expect(await deliver()).toBe("done");
  const { items, nextCursor } = await list(id);
  expect(nextCursor).toBeNull();
  expect(items.map(({ id: deliveryId }) => deliveryId)).toEqual(
    items
      .map(({ id: deliveryId }) => deliveryId)
      .toSorted()
      .toReversed(),
  );
  const byJob = new Map(items.map((item) => [item.jobId, item]));
  expect(byJob.get(jobs[0] ?? "")).toMatchObject({
    webhookId: id,
    event: "job.done",
    sequence: 4,
    state: "pending",
    attempts: 1,
    statusCode: 500,
    error: "It was answered with 500.",
    nextAttemptAt: expect.any(String),
    finishedAt: null,
  });
  expect(byJob.get(jobs[1] ?? "")).toMatchObject({
    event: "job.failed",
    state: "delivered",
    attempts: 1,
    statusCode: 200,
    error: null,
    nextAttemptAt: null,
    finishedAt: expect.any(String),
  });
});

test("the ledger is narrowed by state, and walked in pages", async () => {
  const { id } = await addWebhook();
  for (let count = 0; count < 5; count++) await endJob();
  expect(await deliver()).toBe("done");
  expect((await list(id, "?state=delivered")).items).toHaveLength(1);
  expect((await list(id, "?state=failed")).items).toHaveLength(0);
  const all = (await list(id)).items.map((item) => item.id);
  const walked: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: Awaited<ReturnType<typeof list>> = await list(id, `?limit=2${cursor && `&cursor=${cursor}`}`);
    walked.push(...page.items.map((item) => item.id));
    cursor = page.nextCursor;
    await endJob();
  }
  expect(walked).toEqual(all);
});

test.each([
  ["state=lost", "invalid_request"],
  ["limit=0", "invalid_request"],
  ["limit=101", "invalid_request"],
  ["cursor=x", "invalid_cursor"],
])("?%s is refused with %s", async (query, code) => {
  const { id } = await addWebhook();
  const answered = await house.call(house.alice, "GET", `/webhooks/${id}/deliveries?${query}`);
  expect([answered.status, answered.body.code]).toEqual([400, code]);
});

describe("a test", () => {
  test("takes the way that events take", async () => {
    const { id, secret } = await addWebhook();
    const answered = await house.call(house.alice, "POST", `/webhooks/${id}/test`);
    expect(answered.status, answered.text).toBe(202);
    const sent = WebhookDelivery.strict().parse(answered.body);
    expect(sent).toMatchObject({
      event: "webhook.test",
      jobId: null,
      sequence: null,
      state: "pending",
      attempts: 0,
    });
    expect(await deliver()).toBe("done");
    const [request] = receiver.received;
    expect(new Reference(secret).verify(request?.body ?? "", { ...request?.headers })).toEqual({
      id: sent.id,
      type: "webhook.test",
      timestamp: expect.any(String),
      data: { webhookId: id },
    });
    expect((await list(id)).items).toMatchObject([{ id: sent.id, state: "delivered" }]);
  });

  test("is not for a webhook that is disabled", async () => {
    const { id } = await addWebhook();
    await house.sql`update parlance.webhooks set is_enabled = false, disabled_at = now()`;
    const answered = await house.call(house.alice, "POST", `/webhooks/${id}/test`);
    expect([answered.status, answered.body.code]).toEqual([409, "conflict"]);
  });

  test("of the house's own is for the secret key", async () => {
    const { id } = await addWebhook("secret");
    expect((await house.call("secret", "POST", `/webhooks/${id}/test`)).status).toBe(202);
    expect((await list(id, "", "secret")).items).toHaveLength(1);
    expect((await list(id, "", house.admin)).items).toHaveLength(1);
  });
});

describe("a webhook that", () => {
  const change = async (id: string, body: object) => {
    const headers = { "content-type": "application/json" };
    const wish = { body: JSON.stringify(body), headers };
    const answered = await house.call(house.alice, "PATCH", `/webhooks/${id}`, wish);
    expect(answered.status, answered.text).toBe(200);
    return answered.body;
  };

  test("is enabled again is not sent what waited when it was disabled, but all that comes then", async () => {
    const { id } = await addWebhook();
    await endJob();
    await change(id, { isEnabled: false });
    await change(id, { isEnabled: true });
    const missed = { state: "cancelled", attempts: 0, finishedAt: expect.any(String) };
    expect((await list(id)).items).toMatchObject([missed]);
    expect(await deliver()).toBe("done");
    expect(receiver.connections).toBe(0);
    await endJob();
    expect(await deliver()).toBe("done");
    expect((await list(id)).items).toMatchObject([{ state: "delivered" }, missed]);
  });

  test("is enabled again may be sent by hand what it missed", async () => {
    const { id } = await addWebhook();
    await endJob();
    await change(id, { isEnabled: false });
    await change(id, { isEnabled: true });
    const [missed] = (await list(id)).items;
    const path = `/webhooks/${id}/deliveries/${missed?.id}/redelivery`;
    expect((await house.call(house.alice, "POST", path)).status).toBe(202);
    expect(await deliver()).toBe("done");
    expect((await list(id)).items).toMatchObject([{ id: missed?.id, state: "delivered", attempts: 1 }]);
  });

  test("is enabled already is sent what waits", async () => {
    const [{ id }, other] = [await addWebhook(), await addWebhook()];
    await endJob();
    await change(other.id, { isEnabled: false });
    await change(id, { isEnabled: true });
    expect((await list(id)).items).toMatchObject([{ state: "pending" }]);
  });

  test.each([
    [410, false],
    [500, false],
    [200, true],
  ])("moves while it is called is not judged by the former address's %i", async (status, isFailing) => {
    const { id } = await addWebhook();
    await endJob();
    receiver.reply(async (socket) => {
      await change(id, { url: `${receiver.url}&moved` });
      if (isFailing) await house.sql`update parlance.webhooks set failing_since = now()`;
      socket.end(answer(status));
    });
    await deliver();
    const { body } = await house.call(house.alice, "GET", `/webhooks/${id}`);
    expect([body.isEnabled, body.failingSince !== null]).toEqual([true, isFailing]);
    expect((await list(id)).items).toMatchObject([{ statusCode: status, attempts: 1 }]);
  });

  test("changes something else while it is called is judged by what it answers", async () => {
    const { id } = await addWebhook();
    await endJob();
    receiver.reply(async (socket) => {
      await change(id, { url: receiver.url, events: ["job.done"] });
      socket.end(answer(410));
    });
    await deliver();
    const { body } = await house.call(house.alice, "GET", `/webhooks/${id}`);
    expect(body.isEnabled).toBe(false);
  });
});

describe("a redelivery", () => {
  const redeliver = (webhookId: string, id: string, who: Who = house.alice) =>
    house.call(who, "POST", `/webhooks/${webhookId}/deliveries/${id}/redelivery`);

  test("sends the same message once more", async () => {
    const { id, secret } = await addWebhook();
    await endJob();
    expect(await deliver()).toBe("done");
    const [before] = (await list(id)).items;
    const answered = await redeliver(id, before?.id ?? "");
    expect(answered.status, answered.text).toBe(202);
    expect(answered.body).toMatchObject({ id: before?.id, state: "pending", attempts: 1, finishedAt: null });
    expect(await deliver()).toBe("done");
    const messages = receiver.received.map(({ body, headers }) =>
      new Reference(secret).verify(body, { ...headers }),
    );
    expect(messages).toHaveLength(2);
    expect(messages[1]).toEqual(messages[0]);
    expect((await list(id)).items).toMatchObject([{ id: before?.id, state: "delivered", attempts: 2 }]);
  });

  test("forgets the time that the receiver asked for at the last try", async () => {
    const { id } = await addWebhook();
    await endJob();
    receiver.reply(answer(503, "retry-after: 3600\r\n"));
    await house.sql`update parlance.jobs set attempts_max = 1 where kind = ${deliverEvent.name}`;
    expect(await deliver()).toBe("failed");
    const listTimes = () => house.sql`select retry_at from parlance.webhook_deliveries`;
    expect(await listTimes()).toEqual([{ retryAt: expect.any(String) }]);
    const [before] = (await list(id)).items;
    expect((await redeliver(id, before?.id ?? "")).status).toBe(202);
    expect(await listTimes()).toEqual([{ retryAt: null }]);
  });

  test("is refused while the delivery is still tried, also to the second of two who ask at once", async () => {
    const { id } = await addWebhook();
    await endJob();
    const [delivery] = (await list(id)).items;
    const early = await redeliver(id, delivery?.id ?? "");
    expect([early.status, early.body.code]).toEqual([409, "conflict"]);
    await deliver();
    const both = await Promise.all([redeliver(id, delivery?.id ?? ""), redeliver(id, delivery?.id ?? "")]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([202, 409]);
    expect(await house.sql`select from parlance.jobs where state = 'queued'`).toHaveLength(1);
  });

  test("is of a delivery of that webhook, and of the caller's", async () => {
    const [first, second] = [await addWebhook(), await addWebhook()];
    await endJob();
    await deliver();
    await deliver();
    const [delivery] = (await list(first.id)).items;
    for (const [webhookId, id, who] of [
      [second.id, delivery?.id ?? "", house.alice],
      [first.id, createId(), house.alice],
      [first.id, delivery?.id ?? "", house.bob],
    ] as const) {
      const answered = await redeliver(webhookId, id, who);
      expect([answered.status, answered.body.code]).toEqual([404, "not_found"]);
    }
  });
});

test("the sweep of what is old takes rows of the ledger along", async () => {
  const { id } = await addWebhook();
  await endJob();
  const old = createId(Date.now() - 31 * 86_400_000);
  await house.sql`update parlance.webhook_deliveries set id = ${old}`;
  await endJob();
  const { removeOldDeliveries } = await import("../../../edge/jobs/store.ts");
  expect(await removeOldDeliveries(house.sql, 100)).toBe(1);
  const { items } = await list(id);
  expect(items).toHaveLength(1);
  expect(items[0]?.id).not.toBe(old);
});
