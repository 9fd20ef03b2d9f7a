import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chooseOwner } from "../../edge/jobs/scopes.ts";
import { anonymousCaller, type Caller, serviceCaller } from "../../shared/callers.ts";
import { createId } from "../../shared/ids.ts";
import { addJobs, claimJobs } from "../../shared/jobs/queue.ts";
import { deliverEvent } from "../../shared/webhooks/kind.ts";
import { openTestApp, type TestApp, type Who } from "../helpers/app.ts";

/** The queue and its webhooks, asked by strangers, by users for what is not theirs, and by a sidecar's role. */
let house: TestApp;
let sidecar: Sql;
beforeAll(async () => {
  house = await openTestApp({ environment: { RATE_LIMIT_WRITE: "100000", RATE_LIMIT_READ: "100000" } });
  sidecar = house.database.connect({ role: "parlance_sidecar", max: 1 });
});
afterAll(async () => {
  await sidecar?.end({ timeout: 1 });
  await house?.close();
});

const send = (who: Who, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  house.call(who, method, path, {
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
  });

describe("a list", () => {
  const as = (claims: object): Caller =>
    ({ role: "authenticated", claims: { sub: "u", ...claims } }) as Caller;

  test.each([
    ["a user", as({}), "u"],
    [
      "who only says so",
      as({ app_metadata: "admin", user_metadata: { role: "admin" }, role: "service_role" }),
      "u",
    ],
    ["an admin", as({ app_metadata: { role: "admin" } }), undefined],
    ["the secret key", serviceCaller, undefined],
  ])("looks through everyone's jobs for those who may see them: %s", (_who, caller, owner) => {
    expect(chooseOwner(caller, "all")).toBe(owner);
  });

  test("is for nobody who is not signed in", () => {
    expect(() => chooseOwner(anonymousCaller, "all")).toThrow();
  });

  test.each([
    { finishedAt: "0000-01-01T00:00:00Z" },
    { finishedAt: "0000-02-29T00:00:00Z" },
    { finishedAt: `2026-01-01T00:00:00.${"1".repeat(300)}Z` },
    { finishedAt: "infinity" },
    { finishedAt: "2026-01-01T00:00:00Z", id: "' or true --" },
  ])("of dead letters begins nowhere that no page ended: %j", async (wish) => {
    const cursor = Buffer.from(JSON.stringify({ id: createId(), ...wish })).toString("base64url");
    const answer = await house.call(house.alice, "GET", `/jobs/dead-letters?cursor=${cursor}`);
    expect([answer.status, answer.body.code], answer.text).toEqual([400, "invalid_cursor"]);
  });

  test("of changes takes no revision that it did not give", async () => {
    const { revision } = (await house.call(house.alice, "GET", "/jobs/changes")).body;
    const [tag] = revision.split(".");
    const open = (count: number) => Array.from({ length: count }, () => "1").join("-");
    for (const forged of [
      `${tag}.2`,
      `${tag}.ffffffffffffffff`,
      `${tag}.2000-${open(5001)}`,
      `${tag}.3.3.0.${createId()}`,
      "00000000.3",
      `${tag}.3%00`,
      `${tag}.3-0`,
    ]) {
      for (const scope of ["own", "all"]) {
        const answer = await house.call(house.alice, "GET", `/jobs/changes?after=${forged}&scope=${scope}`);
        expect([answer.status, answer.body.code], forged).toEqual([400, "invalid_cursor"]);
      }
    }
    for (const walk of [
      `5-1.4.7fffffffffffffff.${createId()}`,
      "3.5-1-1.3.ffffffff-ffff-ffff-ffff-ffffffffffff",
    ]) {
      const answer = await house.call(house.alice, "GET", `/jobs/changes?after=${tag}.${walk}&scope=all`);
      expect([answer.status, answer.body.items]).toEqual([200, []]);
    }
  });
});

test.each([{ model: "\ud800" }, { model: "\u0000" }, { uniqueKey: "\udc00" }])(
  "text that Postgres does not keep is refused, not our fault: %j",
  async (wish) => {
    const job = { kind: "jobs.prune-history", payload: {}, ownerId: null, ...wish };
    const answer = await send("secret", "POST", "/jobs", job);
    expect([answer.status, answer.body.code], answer.text).toEqual([400, "invalid_request"]);
  },
);

describe("another user's", () => {
  const others = () => [house.bob, "publishable", "nobody"] as const;

  test("webhook and job are not there, nor may a key of theirs be used for them", async () => {
    const wish = { url: "https://hooks.example.com/" };
    const key = { "idempotency-key": "same" };
    const { body: webhook } = await send(house.alice, "POST", "/webhooks", wish, key);
    const { body: stolen } = await send(house.bob, "POST", "/webhooks", wish, key);
    expect(stolen.id).not.toBe(webhook.id);
    expect(stolen.secret).not.toBe(webhook.secret);
    const { body: delivery } = await send(house.alice, "POST", `/webhooks/${webhook.id}/test`);
    const [job] = (await house.call(house.alice, "GET", "/jobs")).body.items;
    const before = await house.sql`select * from parlance.webhook_secrets order by webhook_id`;
    const asked = [
      ["GET", `/webhooks/${webhook.id}`],
      ["PATCH", `/webhooks/${webhook.id}`, { isEnabled: false }],
      ["POST", `/webhooks/${webhook.id}/secret`],
      ["POST", `/webhooks/${webhook.id}/test`],
      ["GET", `/webhooks/${webhook.id}/deliveries`],
      ["POST", `/webhooks/${webhook.id}/deliveries/${delivery.id}/redelivery`],
      ["POST", `/webhooks/${stolen.id}/deliveries/${delivery.id}/redelivery`],
      ["DELETE", `/webhooks/${webhook.id}`],
      ["GET", `/jobs/${job.id}`],
      ["GET", `/jobs/${job.id}/events`],
      ["POST", `/jobs/${job.id}/cancellation`],
      ["POST", `/jobs/${job.id}/retry`],
    ] as const;
    for (const [method, path, body] of asked) {
      for (const who of others()) {
        const answer = await send(who, method, path, body);
        expect(answer.status, `${method} ${path}`).toBe(who === house.bob ? 404 : 401);
        expect(answer.text).not.toContain(webhook.secret);
      }
    }
    expect(await house.sql`select * from parlance.webhook_secrets order by webhook_id`).toEqual(before);
    expect((await house.call(house.alice, "GET", `/jobs/${job.id}`)).body.state).toBe("queued");
    expect(JSON.stringify(house.logLines)).not.toContain("whsec_");
  });

  test("and the house's operations are for admins", async () => {
    for (const [method, path, body] of [
      ["POST", "/jobs", { kind: "jobs.prune-history", payload: {}, ownerId: null }],
      ["POST", "/jobs/ticks"],
      ["POST", "/jobs/dead-letters/redrives", { limit: 1 }],
      ["GET", "/jobs/schedules"],
      ["PUT", "/jobs/schedules/mine", { kind: "jobs.prune-history", cron: "* * * * *" }],
      ["GET", "/jobs/shares"],
      ["PUT", `/jobs/shares/${house.bob.id}`, { weight: 100 }],
    ] as const) {
      for (const who of others()) {
        const answer = await send(who, method, path, body);
        expect(answer.status, `${method} ${path}`).toBe(who === house.bob ? 403 : 401);
      }
    }
  });
});

describe("a sidecar's role", () => {
  const refusalOf = (query: string) =>
    sidecar.unsafe(query).then(
      () => "it was done",
      (error) => String(error.code),
    );

  test.each([
    ...[
      "jobs",
      "job_events",
      "job_views",
      "job_shares",
      "job_schedules",
      "job_counting",
      "job_totals",
      "job_time_totals",
      "dead_letters",
      "webhooks",
      "webhook_secrets",
      "webhook_deliveries",
    ].map((table) => `select 1 from parlance.${table}`),
    "select nextval('parlance.job_claims')",
    "select setval('parlance.bulk_turns', 9000000000000000000)",
    "select parlance.cancel_job(gen_random_uuid())",
    "select parlance.retry_job(gen_random_uuid())",
    "select parlance.end_tries('{}', null, null, true)",
    "select parlance.prune_jobs(now(), now(), 1)",
    "select parlance.count_ended_jobs(1)",
    "select parlance.add_job_lives('{}')",
    "select parlance.job_outlook(gen_random_uuid(), '{}')",
    "select parlance.job_revision_tag()",
    "select parlance.reopen_delivery(gen_random_uuid())",
    "select parlance.renew_webhook_secret(gen_random_uuid(), 'whsec_')",
    "select parlance.prune_webhook_deliveries(now(), 1)",
    "select parlance.start_ticks('http://localhost', 'sb_secret_x')",
    "select parlance.stop_ticks()",
    "select realtime.send('{}', 'job.done', 'user:x', true)",
    "set role service_role",
    "create table parlance.mine ()",
  ])("may not: %s", async (query) => {
    expect(await refusalOf(query)).toBe("42501");
  });

  test("ends no delivery whose job is not over, and begins none without the claim", async () => {
    const { body: webhook } = await send(house.alice, "POST", "/webhooks", {
      url: "https://hooks.example.com/",
    });
    const { body: delivery } = await send(house.alice, "POST", `/webhooks/${webhook.id}/test`);
    const [{ carrierId } = { carrierId: "" }] = await house.sql<{ carrierId: string }[]>`
      select carrier_id from parlance.webhook_deliveries where id = ${delivery.id}
    `;
    for (const state of ["delivered", "failed", "cancelled"]) {
      await sidecar`select parlance.settle_delivery(${carrierId}, ${state}::text::parlance.webhook_delivery_state)`;
    }
    for (const claim of [null, -1, 0, 1, 2, 3, 1000]) {
      expect(await sidecar`select * from parlance.begin_delivery(${carrierId}, ${claim}::bigint)`).toEqual(
        [],
      );
      await sidecar`select parlance.record_delivery_failure(${carrierId}, ${claim}::bigint, 410, 'Gone.', 1)`;
    }
    const path = `/webhooks/${webhook.id}`;
    const { items } = (await house.call(house.alice, "GET", `${path}/deliveries`)).body;
    expect(items).toEqual([delivery]);
    expect((await house.call(house.alice, "GET", path)).body.isEnabled).toBe(true);
  });
});

test("whoever has many receivers that never answer leaves room for the calls of others", async () => {
  const add = (ownerId: string, count: number) =>
    addJobs(
      house.sql,
      deliverEvent,
      Array.from({ length: count }, () => ({ payload: { deliveryId: createId() }, ownerId })),
    );
  const options = { kinds: [deliverEvent], lane: "bulk", leaseSeconds: 30 } as const;
  const claim = async (jobsMax: number) =>
    (await claimJobs(sidecar, { ...options, workerId: createId(), jobsMax })).map(({ ownerId }) => ownerId);
  await add(house.alice.id, 100);
  for (let round = 0; round < 5; round++) await claim(8);
  await add(house.bob.id, 1);
  expect(await claim(1)).toEqual([house.bob.id]);
});

test("receivers that never answer do not fill the queue: beyond 20,000 that wait, deliveries fail", async () => {
  await house.sql`delete from parlance.jobs`;
  await house.sql`delete from parlance.webhook_deliveries`;
  await house.sql`delete from parlance.webhooks`;
  for (const who of [house.alice, house.bob]) {
    const made = await send(who, "POST", "/webhooks", { url: "https://hooks.example.com/" });
    expect(made.status, made.text).toBe(201);
  }
  await house.sql`
    insert into parlance.jobs (id, kind, lane, owner_id, payload, attempts_max, turn)
    select gen_random_uuid(), ${deliverEvent.name}, 'bulk', ${house.alice.id}, '{}', 10, number
    from generate_series(1, 20000) as number
  `;
  const jobs = [house.alice, house.bob].map((who) => ({
    id: createId(),
    kind: "test.do-nothing",
    lane: "bulk",
    payload: {},
    attempts_max: 1,
    owner_id: who.id,
  }));
  await sidecar`select parlance.add_jobs(${sidecar.json(jobs)})`;
  const claimed = await sidecar<{ id: string; claim: number }[]>`
    select id, claim from parlance.claim_jobs(${createId()}, '{test.do-nothing}', 'bulk', 2, 30)
  `;
  const endings = claimed.map(({ id, claim }) => ({ id, claim: Number(claim), result: null }));
  expect(await sidecar`select * from parlance.complete_jobs(${sidecar.json(endings)})`).toHaveLength(2);
  const ledger =
    await house.sql`select owner_id, state, error_message from parlance.webhook_deliveries order by state`;
  expect([...ledger]).toEqual([
    { ownerId: house.bob.id, state: "pending", errorMessage: null },
    { ownerId: house.alice.id, state: "failed", errorMessage: "As many of your jobs are waiting as may." },
  ]);
});
