import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import { addJobs } from "../../../shared/jobs/queue.ts";
import { deliverEvent } from "../../../shared/webhooks/kind.ts";
import { type DeliveryRow, openWebhookDatabase, paint, type WebhookDatabase } from "./rig.ts";

let house: WebhookDatabase;
let alice: string;
let bob: string;
beforeAll(async () => {
  house = await openWebhookDatabase();
  alice = await house.addUser();
  bob = await house.addUser();
});
afterAll(() => house[Symbol.asyncDispose]());
afterEach(() => house.clear());

/** Of what was made: which webhook is told of which event of which job. */
const told = async () =>
  (await house.listDeliveries())
    .map(({ webhookId, event, jobId }: DeliveryRow) => `${webhookId} ${event} ${jobId}`)
    .toSorted();

describe("a job that ends", () => {
  test("is told to its owner's webhooks: a row of the ledger and a job that carries it", async () => {
    const { id: webhookId } = await house.addWebhook({ ownerId: alice });
    const [jobId = ""] = await house.endJobs({ ownerId: alice, result: { walls: 4 } });
    const [delivery, ...others] = await house.listDeliveries();
    expect(others).toEqual([]);
    expect(delivery).toMatchObject({
      webhookId,
      ownerId: alice,
      event: "job.done",
      jobId,
      sequence: 3,
      state: "pending",
      attempts: 0,
      finishedAt: null,
    });
    expect(await house.findJob(delivery?.carrierId ?? "")).toMatchObject({
      kind: deliverEvent.name,
      lane: deliverEvent.lane,
      attemptsMax: deliverEvent.attemptsMax,
      ownerId: alice,
      subjectId: webhookId,
      state: "queued",
      payload: { deliveryId: delivery?.id },
      uniqueKey: delivery?.id,
    });
  });

  test("and fails is told as that", async () => {
    const { id } = await house.addWebhook({ ownerId: alice });
    const [jobId] = await house.endJobs({ ownerId: alice, fails: true });
    expect(await told()).toEqual([`${id} job.failed ${jobId}`]);
    const [delivery] = await house.listDeliveries();
    expect(delivery?.data).toMatchObject({
      state: "failed",
      error: { code: "upstream_failed", message: "It went wrong." },
    });
  });

  test("is told to every webhook that wants to hear of it, and to no other", async () => {
    const all = await house.addWebhook({ ownerId: alice });
    const done = await house.addWebhook({ ownerId: alice, events: ["job.done"] });
    await house.addWebhook({ ownerId: alice, events: ["job.failed"] });
    const ofKind = await house.addWebhook({ ownerId: alice, kinds: ["test.mow-lawn", paint.name] });
    await house.addWebhook({ ownerId: alice, kinds: ["test.mow-lawn"] });
    await house.addWebhook({ ownerId: bob });
    await house.addWebhook({ ownerId: null });
    const disabled = await house.addWebhook({ ownerId: alice });
    await house.sql`update parlance.webhooks set is_enabled = false, disabled_at = now() where id = ${disabled.id}`;
    const [jobId] = await house.endJobs({ ownerId: alice });
    expect(await told()).toEqual([all, done, ofKind].map(({ id }) => `${id} job.done ${jobId}`).toSorted());
  });

  test("of the house is told to the house's webhooks, unless someone waited for it", async () => {
    const houses = await house.addWebhook({ ownerId: null });
    await house.addWebhook({ ownerId: alice });
    const [jobId] = await house.endJobs({ ownerId: null });
    await house.endJobs({ ownerId: null, kind: { ...paint, name: "test.ask-colour", lane: "interactive" } });
    expect(await told()).toEqual([`${houses.id} job.done ${jobId}`]);
  });

  test("is told once more when it is retried and ends again", async () => {
    const { id } = await house.addWebhook({ ownerId: alice });
    const [jobId = ""] = await house.endJobs({ ownerId: alice, fails: true });
    await house.sql`select parlance.retry_job(${jobId})`;
    await house.sql`update parlance.jobs set deadline_at = now() - interval '1 second' where id = ${jobId}`;
    await house.sql`select parlance.expire_jobs(10)`;
    expect(await told()).toEqual([`${id} job.failed ${jobId}`, `${id} job.failed ${jobId}`]);
    expect((await house.listDeliveries()).map(({ sequence }) => sequence).toSorted()).toEqual([3, 5]);
  });

  test("because it was cancelled is not told", async () => {
    await house.addWebhook({ ownerId: alice });
    const [jobId = ""] = await addJobs(house.sql, paint, [{ payload: {}, ownerId: alice }]);
    await house.sql`select parlance.cancel_job(${jobId})`;
    expect(await told()).toEqual([]);
  });

  test("and is rolled back is not told", async () => {
    await house.addWebhook({ ownerId: alice });
    const rolling = house.sql.begin(async (transaction) => {
      const [id = ""] = await addJobs(transaction, paint, [{ payload: {}, ownerId: alice }]);
      await transaction`update parlance.jobs set deadline_at = now() - interval '1 second' where id = ${id}`;
      await transaction`select parlance.expire_jobs(10)`;
      const [row] = await transaction`select count(*) from parlance.webhook_deliveries`;
      expect(row?.count).toBe(1);
      throw new Error("not now");
    });
    await expect(rolling).rejects.toThrow("not now");
    expect(await told()).toEqual([]);
  });

  test("because a webhook was called is not told: that would never end", async () => {
    await house.addWebhook({ ownerId: alice });
    await house.endJobs({ ownerId: alice });
    const carriers = await house.claimDeliveries();
    expect(carriers).toHaveLength(1);
    const rows = carriers.map(({ id, claim }) => ({ id, claim, result: {} }));
    await house.sql`select parlance.complete_jobs(${house.sql.json(rows)})`;
    expect(await house.listDeliveries()).toHaveLength(1);
  });
});

test("the largest result there is is told whole", async () => {
  await house.addWebhook({ ownerId: alice });
  const result = { words: "\u0001".repeat((65_536 - '{"words": ""}'.length) / 6) };
  await house.endJobs({ ownerId: alice, result });
  expect((await house.listDeliveries())[0]?.data.result).toEqual(result);
});

describe("a thousand jobs that end in one statement", () => {
  test("make nothing where nobody has a webhook", async () => {
    await house.endJobs({ ownerId: alice, count: 1000 });
    expect(await told()).toEqual([]);
  });

  test("are each told once to each webhook", async () => {
    const { id } = await house.addWebhook({ ownerId: alice });
    const { id: second } = await house.addWebhook({ ownerId: alice, events: ["job.done"] });
    await house.addWebhook({ ownerId: bob });
    const ids = await house.endJobs({ ownerId: alice, count: 1000 });
    const wanted = ids.flatMap((jobId) => [`${id} job.done ${jobId}`, `${second} job.done ${jobId}`]);
    expect(await told()).toEqual(wanted.toSorted());
    const [carriers] = await house.sql`
      select count(distinct id) from parlance.jobs where kind = ${deliverEvent.name} and state = 'queued'
    `;
    expect(carriers?.count).toBe(2000);
  });
});

test("an owner with as many calls waiting as may is not kept from ending a job: the deliveries fail", async () => {
  await house.addWebhook({ ownerId: alice });
  await house.addWebhook({ ownerId: alice });
  await house.addWebhook({ ownerId: bob });
  await house.sql`
    insert into parlance.jobs (id, kind, lane, clock, owner_id, payload, attempts_max, turn)
    select gen_random_uuid(), 'webhooks.deliver-event', 'bulk', 'calls', ${alice}, '{}', 10, number
    from generate_series(1, 19999) as number
  `;
  const ids = [...(await house.endJobs({ ownerId: alice })), ...(await house.endJobs({ ownerId: bob }))];
  await house.sql`delete from parlance.jobs where clock = 'calls' and owner_id = ${alice}`;
  for (const id of ids) expect(await house.findJob(id)).toMatchObject({ state: "done" });
  const rows = await house.listDeliveries();
  const refused = "As many of your jobs are waiting as may.";
  expect(rows.map(({ ownerId, state, errorMessage }) => [ownerId, state, errorMessage])).toEqual([
    [alice, "failed", refused],
    [alice, "failed", refused],
    [bob, "pending", null],
  ]);
});

test("ids that the database makes are UUIDv7 of the moment", async () => {
  const before = createId();
  const [row] = await house.sql<{ ids: string[] }[]>`
    select array_agg(parlance.create_id()) as ids from generate_series(1, 1000)
  `;
  const ids = row?.ids ?? [];
  expect(new Set(ids).size).toBe(1000);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Math.abs(Number.parseInt(id.replace("-", "").slice(0, 12), 16) - Date.now())).toBeLessThan(60_000);
  }
  expect(before.slice(0, 6)).toBe(ids[0]?.slice(0, 6));
});

describe("rows of the ledger", () => {
  const idAt = (daysAgo: number) => createId(Date.now() - daysAgo * 86_400_000);
  const add = (id: string) => house.sql`
    insert into parlance.webhook_deliveries (id, webhook_id, event, data, occurred_at, carrier_id)
    values (${id}, ${createId()}, 'webhook.test', '{}', now(), ${createId()})
  `;

  test("go when they are old, the oldest first, so many at a time", async () => {
    const [older, old, young] = [idAt(32), idAt(31), idAt(29)];
    for (const id of [young, older, old]) await add(id);
    const prune = async () => {
      const [row] =
        await house.sql`select parlance.prune_webhook_deliveries(now() - interval '30 days', 1) as gone`;
      return [row?.gone, (await house.listDeliveries()).map(({ id }) => id)];
    };
    expect(await prune()).toEqual([1, [old, young]]);
    expect(await prune()).toEqual([1, [young]]);
    expect(await prune()).toEqual([0, [young]]);
  });
});
