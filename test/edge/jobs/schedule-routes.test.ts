import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { runTick } from "../../../edge/tasks.ts";
import { anonymousCaller, type Caller, serviceCaller, transactAs } from "../../../shared/callers.ts";
import { databaseErrorCode } from "../../../shared/database.ts";
import { createId } from "../../../shared/ids.ts";
import { JobSchedule, JobScheduleDetail, ScheduleRun } from "../../../shared/jobs/schedules.ts";
import { openTestApp, type TestApp, type Who } from "../../helpers/app.ts";

let usual: TestApp;
let house: TestApp;
/** What the API takes for the time. */
let now = "";

beforeAll(async () => {
  usual = await openTestApp();
  house = usual.withSettings({}, { now: () => new Date(now) });
});
afterAll(() => usual.close());
beforeEach(async () => {
  now = "2026-11-21T10:30:00Z";
  await house.sql`delete from parlance.jobs`;
  await house.sql`delete from parlance.job_schedules`;
});

const sweep = { kind: "house.expire-keys", cron: "0 3 * * *" };

function put(name: string, body: unknown, who: Who = house.admin) {
  const init = { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  return house.call(who, "PUT", `/jobs/schedules/${name}`, init);
}

async function show(name: string): Promise<JobScheduleDetail> {
  const answer = await house.call(house.admin, "GET", `/jobs/schedules/${name}`);
  expect(answer.status, answer.text).toBe(200);
  return JobScheduleDetail.parse(answer.body);
}

async function listJobs() {
  return await house.sql`select id, kind, payload, owner_id, state from parlance.jobs order by id`;
}

const tick = () => runTick(house.deps, { jobsMax: 0 });

test("a schedule is created, shown with its next five times, and replaced", async () => {
  const created = await put("night-sweep", { ...sweep, timeZone: "Europe/Berlin" });
  expect(created.status, created.text).toBe(201);
  const schedule = JobScheduleDetail.parse(created.body);
  expect(schedule).toMatchObject({
    name: "night-sweep",
    kind: "house.expire-keys",
    payload: {},
    ownerId: null,
    cron: "0 3 * * *",
    timeZone: "Europe/Berlin",
    missed: "once",
    isPaused: false,
    nextAt: "2026-11-22T02:00:00.000000Z",
    lastAt: null,
    lastJobId: null,
    lastError: null,
  });
  expect(schedule.nextRuns).toEqual(
    ["22", "23", "24", "25", "26"].map((day) => `2026-11-${day}T02:00:00.000Z`),
  );
  expect(await show("night-sweep")).toEqual(schedule);
  const replaced = await put("night-sweep", { ...sweep, cron: "*/15 * * * *", missed: "all" }, "secret");
  expect(replaced.status, replaced.text).toBe(200);
  expect(replaced.body).toMatchObject({
    timeZone: "UTC",
    missed: "all",
    nextAt: "2026-11-21T10:45:00.000000Z",
    createdAt: schedule.createdAt,
  });
});

test("a created schedule runs at its time, as the job of its owner", async () => {
  await put("alices", { ...sweep, cron: "0 11 * * *", ownerId: house.alice.id });
  await house.sql`delete from parlance.job_schedules where name <> 'alices'`;
  now = "2026-11-21T11:00:03Z";
  const answer = await house.call("secret", "POST", "/jobs/ticks?jobsMax=0");
  expect(answer.status, answer.text).toBe(200);
  const jobs = (await listJobs()).filter(({ ownerId }) => ownerId !== null);
  expect(jobs).toMatchObject([{ kind: sweep.kind, ownerId: house.alice.id, state: "queued" }]);
  expect(await show("alices")).toMatchObject({
    lastAt: "2026-11-21T11:00:00.000000Z",
    lastJobId: jobs[0]?.id,
    nextAt: "2026-11-22T11:00:00.000000Z",
  });
});

describe("what is due", () => {
  const hourly = { ...sweep, cron: "0 * * * *" };

  test("stays due when the same timetable is put again, as each deployment does", async () => {
    await put("sweep", hourly);
    now = "2026-11-21T11:00:01Z";
    expect((await put("sweep", { ...hourly, missed: "all" })).body.nextAt).toBe(
      "2026-11-21T11:00:00.000000Z",
    );
  });

  test("is given up with the timetable, and while it is paused", async () => {
    await put("sweep", hourly);
    now = "2026-11-21T11:00:01Z";
    expect((await put("sweep", { ...hourly, cron: "30 * * * *" })).body.nextAt).toBe(
      "2026-11-21T11:30:00.000000Z",
    );
    const paused = await put("sweep", { ...hourly, isPaused: true });
    expect(paused.body).toMatchObject({ nextAt: null, nextRuns: [] });
    now = "2026-11-22T11:30:00Z";
    await tick();
    expect((await put("sweep", hourly)).body.nextAt).toBe("2026-11-22T12:00:00.000000Z");
  });

  test("is not added again by a process whose clock is behind", async () => {
    await put("sweep", hourly);
    now = "2026-11-21T11:00:01Z";
    await tick();
    now = "2026-11-21T10:59:58Z";
    await put("sweep", { ...hourly, cron: "0 1-23 * * *" });
    expect((await show("sweep")).nextAt).toBe("2026-11-21T12:00:00.000000Z");
  });
});

test("pages walk all schedules in the order of their names", async () => {
  for (const name of ["d", "b.x", "a", "c-1", "e"]) await put(name, sweep);
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page = await house.call("secret", "GET", `/jobs/schedules?limit=2${cursor && `&cursor=${cursor}`}`);
    expect(page.status, page.text).toBe(200);
    seen.push(...page.body.items.map((item: unknown) => JobSchedule.parse(item).name));
    cursor = page.body.nextCursor;
  }
  expect(seen).toEqual(["a", "b.x", "c-1", "d", "e"]);
});

test.each([
  ["limit=0", "invalid_request"],
  ["limit=101", "invalid_request"],
  ["cursor=x", "invalid_cursor"],
  [`cursor=${btoa(JSON.stringify({ name: "' or 1=1 --" })).replace(/=/g, "")}`, "invalid_cursor"],
])("a list by ?%s is refused with %s", async (query, code) => {
  const answer = await house.call(house.admin, "GET", `/jobs/schedules?${query}`);
  expect([answer.status, answer.body.code]).toEqual([400, code]);
});

describe("what is refused", () => {
  test.each([
    ["an unknown kind", { ...sweep, kind: "house.burn-down" }, "body.kind", "images.sweep-objects"],
    ["seconds", { ...sweep, cron: "*/5 * * * * *" }, "body.cron", "five fields"],
    ["what never comes", { ...sweep, cron: "0 0 31 2 *" }, "body.cron", "never comes"],
    ["an unknown zone", { ...sweep, timeZone: "Mars/Olympus" }, "body.timeZone", "Europe/Berlin"],
    ["an unknown policy", { ...sweep, missed: "twice" }, "body.missed", "once"],
    ["no expression", { kind: sweep.kind }, "body.cron", ""],
    ["a field that is none", { ...sweep, command: "rm -rf /" }, "body", "command"],
    ["an owner that is none", { ...sweep, ownerId: createId() }, "body.ownerId", "a user's id"],
    ["a payload that is no object", { ...sweep, payload: [1] }, "body.payload", ""],
    [
      "a payload that does not fit",
      { ...sweep, kind: "images.ingest-image", payload: { imageId: 7 } },
      "body.payload.imageId",
      "",
    ],
    [
      "a payload without what it needs",
      { ...sweep, kind: "images.ingest-image" },
      "body.payload.imageId",
      "",
    ],
  ])("%s", async (_what, body, field, words) => {
    const answer = await put("sweep", body);
    expect([answer.status, answer.body.code, answer.headers.get("content-type")]).toEqual([
      400,
      "invalid_request",
      "application/problem+json",
    ]);
    expect(answer.body.errors).toEqual([{ field, message: expect.stringContaining(words) }]);
    expect((await house.call(house.admin, "GET", "/jobs/schedules/sweep")).status).toBe(404);
  });

  test.each(["Sweep", "1st", "a..b", "-a", "a_b", "a".repeat(65), "a%20b", "a%00b", "%E2%80%A8"])(
    "the name %s",
    async (name) => {
      const answer = await put(name, sweep);
      expect([answer.status, answer.body.code]).toEqual([400, "invalid_request"]);
      expect(answer.body.errors[0].field).toBe("param.name");
    },
  );

  test("an expression as long as a book", async () => {
    const answer = await put("sweep", { ...sweep, cron: `${"0,".repeat(5000)}0 * * * *` });
    expect([answer.status, answer.body.code]).toEqual([400, "invalid_request"]);
  });
});

test("a schedule is removed once, and its jobs stay", async () => {
  await put("sweep", { ...sweep, cron: "0 * * * *" });
  now = "2026-11-21T11:00:01Z";
  await tick();
  const before = await listJobs();
  expect((await house.call(house.admin, "DELETE", "/jobs/schedules/sweep")).status).toBe(204);
  const again = await house.call(house.admin, "DELETE", "/jobs/schedules/sweep");
  expect([again.status, again.body.code]).toEqual([404, "not_found"]);
  expect(before.length).toBeGreaterThan(0);
  expect(await listJobs()).toEqual(before);
});

describe("a run at once", () => {
  const run = (name: string, who: Who = house.admin, headers = {}) =>
    house.call(who, "POST", `/jobs/schedules/${name}/runs`, { headers });

  test("is added beside those of the expression, also while it is paused", async () => {
    await put("sweep", { ...sweep, isPaused: true, ownerId: house.bob.id });
    const answer = await run("sweep");
    expect(answer.status, answer.text).toBe(202);
    const { job } = ScheduleRun.parse(answer.body);
    expect(await listJobs()).toMatchObject([{ id: job.id, kind: sweep.kind, ownerId: house.bob.id }]);
    expect(await show("sweep")).toMatchObject({ lastAt: null, isPaused: true });
    expect((await run("sweep")).body.job.id).not.toBe(job.id);
  });

  test("asked for twice with one Idempotency-Key is one run", async () => {
    await put("sweep", sweep);
    const headers = { "idempotency-key": createId() };
    const [first, second] = [await run("sweep", "secret", headers), await run("sweep", "secret", headers)];
    expect([first.status, second.status, second.body]).toEqual([202, 202, first.body]);
    expect(await listJobs()).toHaveLength(1);
  });

  test("of what is not there, or no more known, is refused", async () => {
    const missing = await run("sweep");
    expect([missing.status, missing.body.code]).toEqual([404, "not_found"]);
    await put("sweep", sweep);
    await house.sql`update parlance.job_schedules set kind = 'house.burn-down'`;
    const unknown = await run("sweep");
    expect([unknown.status, unknown.body.code]).toEqual([409, "conflict"]);
    expect(await listJobs()).toEqual([]);
  });
});

describe("a schedule of the house", () => {
  const name = "jobs.prune-history";

  test("is there from the first tick on; its times and its pause are the operator's, and stay", async () => {
    await tick();
    expect(await show(name)).toMatchObject({ kind: name, cron: "17 * * * *", ownerId: null });
    const changed = await put(name, {
      kind: name,
      cron: "0 4 * * 0",
      timeZone: "Europe/Berlin",
      isPaused: true,
    });
    expect(changed.status, changed.text).toBe(200);
    now = "2027-01-01T00:00:00Z";
    await tick();
    expect(await show(name)).toMatchObject({ cron: "0 4 * * 0", timeZone: "Europe/Berlin", isPaused: true });
  });

  test("keeps its kind and is not removed", async () => {
    await tick();
    for (const body of [sweep, { kind: name, cron: "0 * * * *", ownerId: house.alice.id }]) {
      const answer = await put(name, body);
      expect([answer.status, answer.body.code]).toEqual([409, "conflict"]);
    }
    const removed = await house.call("secret", "DELETE", `/jobs/schedules/${name}`);
    expect([removed.status, removed.body.code]).toEqual([409, "conflict"]);
    expect(await show(name)).toMatchObject({ kind: name, cron: "17 * * * *" });
  });
});

describe("who is no admin", () => {
  const requests = [
    ["GET", "/jobs/schedules"],
    ["GET", "/jobs/schedules/sweep"],
    ["GET", "/jobs/schedules/missing"],
    ["PUT", "/jobs/schedules/sweep"],
    ["PUT", "/jobs/schedules/mine"],
    ["DELETE", "/jobs/schedules/sweep"],
    ["POST", "/jobs/schedules/sweep/runs"],
  ] as const;

  test.each(["alice", "forger", "publishable", "nobody"] as const)(
    "as %s, is refused everything",
    async (who) => {
      await put("sweep", { ...sweep, payload: {} });
      const token = await house.signToken({
        sub: house.alice.id,
        user_metadata: { role: "admin" },
        role: "authenticated",
      });
      const callers = {
        alice: house.alice,
        forger: { id: house.alice.id, token },
        publishable: "publishable",
        nobody: "nobody",
      } as const;
      const expected = who === "alice" || who === "forger" ? [403, "forbidden"] : [401, "unauthenticated"];
      const before = await house.sql`select * from parlance.job_schedules`;
      for (const [method, path] of requests) {
        const init =
          method === "PUT"
            ? { body: JSON.stringify(sweep), headers: { "content-type": "application/json" } }
            : {};
        const answer = await house.call(callers[who], method, path, init);
        expect([answer.status, answer.body.code], `${method} ${path}`).toEqual(expected);
      }
      expect(await house.sql`select * from parlance.job_schedules`).toEqual(before);
      expect(await listJobs()).toEqual([]);
    },
  );

  const alice = (): Caller => ({ role: "authenticated", claims: { sub: house.alice.id } });
  const attempt = (caller: Caller, statement: string) =>
    transactAs(house.sql, caller, (transaction) => transaction.unsafe(statement));

  test("reads no schedule by SQL, not even one that runs in their name; an admin reads all", async () => {
    await put("alices", { ...sweep, ownerId: house.alice.id });
    expect(await attempt(alice(), "select * from parlance.job_schedules")).toEqual([]);
    const admin: Caller = { role: "authenticated", claims: { app_metadata: { role: "admin" } } };
    expect(await attempt(admin, "select name from parlance.job_schedules")).toEqual([{ name: "alices" }]);
  });

  test.each([
    "insert into parlance.job_schedules (name, kind, cron, next_at, due_at) values ('x', 'a.b', '* * * * *', now(), now())",
    "update parlance.job_schedules set payload = '{}'",
    "delete from parlance.job_schedules",
    "truncate parlance.job_schedules",
    "select parlance.start_ticks('https://evil.example', 'sb_secret_x')",
    "select parlance.stop_ticks()",
    "select parlance.tick_seconds('10 seconds')",
  ])("cannot do: %s", async (statement) => {
    await put("sweep", sweep);
    for (const caller of [alice(), anonymousCaller]) {
      const code = await attempt(caller, statement).then(
        () => "done",
        (error) => databaseErrorCode(error),
      );
      expect(code).toBe("42501");
    }
    const sidecar = house.database.connect({ role: "parlance_sidecar", max: 1 });
    const code = await sidecar.unsafe(statement).then(
      () => "done",
      (error) => databaseErrorCode(error),
    );
    await sidecar.end();
    expect(code).toBe("42501");
    expect(await attempt(serviceCaller, "select name from parlance.job_schedules")).toEqual([
      { name: "sweep" },
    ]);
  });
});
