import type { Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { addDueRuns, type HouseSchedule } from "../../../edge/jobs/schedules.ts";
import type { AnyJobKind, JobKind } from "../../../shared/jobs/kinds.ts";
import type { MissedPolicy } from "../../../shared/jobs/schedules.ts";
import { createLog } from "../../../shared/log.ts";
import type { LocalDatabase } from "../../../supabase/local/database.ts";
import { openTestDatabase } from "../../helpers/database.ts";

let database: LocalDatabase;
let sql: Sql;
const logLines: Record<string, unknown>[] = [];
const log = createLog((line) => logLines.push(JSON.parse(line)));

beforeAll(async () => {
  database = await openTestDatabase();
  sql = database.connect({ max: 4 });
});
afterAll(async () => {
  await sql.end();
  await database.close();
});
beforeEach(async () => {
  await sql`delete from parlance.jobs`;
  await sql`delete from parlance.job_schedules`;
  logLines.length = 0;
});

const kind: JobKind<{ room: string }, null> = {
  name: "test.sweep-floor",
  runner: "edge",
  lane: "bulk",
  payload: z.object({ room: z.string() }),
  attemptsMax: 2,
  timeoutMs: 10_000,
  summarize: () => ({}),
  land: async () => {},
  landFailure: async () => {},
};
const kinds: ReadonlyMap<string, AnyJobKind> = new Map([[kind.name, kind]]);

interface Row {
  name: string;
  kind: string;
  payload: Record<string, unknown>;
  cron: string;
  timeZone: string;
  missed: MissedPolicy;
  isPaused: boolean;
  nextAt: string;
}

async function addSchedule(row: Partial<Row> = {}): Promise<void> {
  const whole: Row = {
    name: "floor",
    kind: kind.name,
    payload: { room: "hall" },
    cron: "0 * * * *",
    timeZone: "UTC",
    missed: "once",
    isPaused: false,
    nextAt: "2026-11-21T10:00:00Z",
    ...row,
  };
  await sql`
    insert into parlance.job_schedules
      (name, kind, payload, cron, time_zone, missed, is_paused, next_at, due_at)
    values
      (${whole.name}, ${whole.kind}, ${sql.json(whole.payload as never)}, ${whole.cron}, ${whole.timeZone},
       ${whole.missed}, ${whole.isPaused}, ${whole.nextAt}, ${whole.nextAt})
  `;
}

/** One tick at a moment, of a process of its own when it has a client of its own. */
function tickAt(time: string, options: { house?: HouseSchedule[]; client?: Sql } = {}): Promise<number> {
  const deps = { sql: options.client ?? sql, log, now: () => new Date(time) };
  return addDueRuns(deps, options.house ?? [], kinds);
}

/** The times of a schedule's runs that became jobs, in order, without seconds: `floor 2026-11-21T10:00`. */
async function listRuns(): Promise<string[]> {
  const rows = await sql<{ uniqueKey: string }[]>`select unique_key from parlance.jobs order by unique_key`;
  return rows.map(({ uniqueKey }) => uniqueKey.replace(/:00\.000Z$/, ""));
}

async function findRow(name = "floor") {
  const [row] = await sql`
    select next_at, due_at, last_at, last_job_id, last_error
    from parlance.job_schedules
    where name = ${name}
  `;
  return row;
}

const minute = (time: string | null | undefined) => time?.slice(0, 16);

test("a due schedule adds its job and moves on; one that is not due adds nothing", async () => {
  await addSchedule();
  expect(await tickAt("2026-11-21T09:59:59.999Z")).toBe(0);
  expect(await tickAt("2026-11-21T10:00:00Z")).toBe(1);
  expect(await tickAt("2026-11-21T10:00:05Z")).toBe(0);
  const [job] = await sql`select id, kind, payload, owner_id, state from parlance.jobs`;
  expect(job).toMatchObject({ kind: kind.name, payload: { room: "hall" }, ownerId: null, state: "queued" });
  const row = await findRow();
  expect([minute(row?.nextAt), minute(row?.lastAt), row?.lastJobId]).toEqual([
    "2026-11-21T11:00",
    "2026-11-21T10:00",
    job?.id,
  ]);
});

describe.each([2, 10])("%i processes that tick at once", (count) => {
  test("add each run once", async () => {
    const clients = Array.from({ length: count }, () => database.connect({ max: 1 }));
    try {
      const names = ["a", "b", "c", "d", "e"];
      for (const name of names) await addSchedule({ name, cron: "* * * * *" });
      const expected: string[] = [];
      const runs: string[] = [];
      for (let minute = 0; minute < 10; minute++) {
        const time = `2026-11-21T10:0${minute}`;
        const counts = await Promise.all(clients.map((client) => tickAt(`${time}:01Z`, { client })));
        expect(counts.reduce((sum, added) => sum + added)).toBe(names.length);
        for (const name of names) expected.push(`${name} ${time}`);
        runs.push(...(await listRuns()));
        // A job that is gone holds no key: nothing but the schedule's row is between two runs.
        await sql`delete from parlance.jobs`;
      }
      expect(runs.sort()).toEqual(expected.sort());
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  });

  test("make the house's schedules once", async () => {
    const clients = Array.from({ length: count }, () => database.connect({ max: 1 }));
    try {
      const house = [{ kind: { ...kind, payload: z.object({}) }, cron: "5 * * * *" }];
      const houseKinds = new Map<string, AnyJobKind>([[kind.name, house[0]?.kind as AnyJobKind]]);
      const deps = { log, now: () => new Date("2026-11-21T10:00:00Z") };
      const counts = await Promise.all(
        clients.map((client) => addDueRuns({ ...deps, sql: client }, house, houseKinds)),
      );
      expect(counts.reduce((sum, added) => sum + added)).toBe(1);
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  });
});

test("while one process holds a schedule, another skips it and takes the rest", async () => {
  if (database.kind === "pglite") return;
  await addSchedule({ name: "held" });
  await addSchedule({ name: "free" });
  await sql.begin(async (transaction) => {
    await transaction`select from parlance.job_schedules where name = 'held' for update`;
    expect(await tickAt("2026-11-21T10:00:00Z")).toBe(1);
  });
  expect(await listRuns()).toEqual(["free 2026-11-21T10:00"]);
  expect(await tickAt("2026-11-21T10:00:00Z")).toBe(1);
});

describe("after a time without ticks", () => {
  const due = "2026-11-21T10:00";
  test.each<[MissedPolicy, string, string[]]>([
    ["skip", "10:04:59", ["10:00"]],
    ["skip", "10:05:01", []],
    ["skip", "13:02:00", ["13:00"]],
    ["skip", "13:30:00", []],
    ["once", "10:04:59", ["10:00"]],
    ["once", "10:59:59", ["10:00"]],
    ["once", "13:30:00", ["13:00"]],
    ["all", "10:30:00", ["10:00"]],
    ["all", "13:30:00", ["10:00", "11:00", "12:00", "13:00"]],
  ])("%s at %s adds the runs of %j", async (missed, time, runs) => {
    await addSchedule({ missed, nextAt: `${due}:00Z` });
    expect(await tickAt(`2026-11-21T${time}Z`)).toBe(runs.length);
    expect(await listRuns()).toEqual(runs.map((run) => `floor 2026-11-21T${run}`));
    const next = `2026-11-21T${String(Number(time.slice(0, 2)) + 1).padStart(2, "0")}:00`;
    const row = await findRow();
    expect([minute(row?.nextAt), minute(row?.dueAt)]).toEqual([next, next]);
    expect(minute(row?.lastAt)).toBe(runs.length > 0 ? `2026-11-21T${runs.at(-1)}` : undefined);
    expect(await tickAt(`2026-11-21T${time}Z`)).toBe(0);
  });

  test("all adds the newest 100 at most", async () => {
    await addSchedule({ missed: "all", cron: "* * * * *", nextAt: "2026-11-14T10:00:00Z" });
    expect(await tickAt("2026-11-21T10:00:30Z")).toBe(100);
    const runs = await listRuns();
    expect([runs.at(0), runs.at(-1)]).toEqual(["floor 2026-11-21T08:21", "floor 2026-11-21T10:00"]);
  });

  test("all over a change of clocks adds what would have run", async () => {
    const timetable = { cron: "30 2 * * *", timeZone: "Europe/Berlin", missed: "all" } as const;
    await addSchedule({ ...timetable, nextAt: "2026-10-24T00:30:00Z" });
    expect(await tickAt("2026-10-26T12:00:00Z")).toBe(3);
    expect(await listRuns()).toEqual([
      "floor 2026-10-24T00:30",
      "floor 2026-10-25T00:30",
      "floor 2026-10-26T01:30",
    ]);
  });
});

test("a paused schedule adds nothing, however late it is", async () => {
  await addSchedule({ isPaused: true, missed: "all" });
  expect(await tickAt("2026-12-24T10:00:00Z")).toBe(0);
});

test("a schedule that is deleted while it is due adds nothing more", async () => {
  await addSchedule();
  await sql`delete from parlance.job_schedules where name = 'floor'`;
  expect(await tickAt("2026-11-21T10:00:00Z")).toBe(0);
  expect(await listRuns()).toEqual([]);
});

test("who deletes while others tick finds the run added whole or not at all, and none after", async () => {
  const clients = Array.from({ length: 4 }, () => database.connect({ max: 1 }));
  try {
    for (let round = 0; round < 10; round++) {
      await addSchedule({ name: `floor-${round}` });
      const ticks = clients.map((client) => tickAt("2026-11-21T10:00:00Z", { client }));
      const gone = sql`delete from parlance.job_schedules where name = ${`floor-${round}`}`;
      const [{ count }, ...counts] = await Promise.all([gone, ...ticks]);
      expect(count).toBe(1);
      const added = counts.reduce((sum, one) => sum + one, 0);
      const runs = (await listRuns()).filter((run) => run.startsWith(`floor-${round} `));
      expect(runs).toHaveLength(added);
      expect(added).toBeLessThanOrEqual(1);
    }
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
});

test("what fails between the jobs and the move leaves nothing added and everything due", async () => {
  await addSchedule({ missed: "all" });
  await sql`alter table parlance.job_schedules add constraint next_is_never check (next_at < '2026-11-21 11:00+00')`;
  try {
    expect(await tickAt("2026-11-21T13:00:00Z")).toBe(0);
    expect(await listRuns()).toEqual([]);
    expect(minute((await findRow())?.nextAt)).toBe("2026-11-21T10:00");
  } finally {
    await sql`alter table parlance.job_schedules drop constraint next_is_never`;
  }
  expect(await tickAt("2026-11-21T13:01:00Z")).toBe(4);
});

describe("a schedule that cannot be carried out", () => {
  test.each([
    [
      "of an unknown kind",
      { kind: "test.paint-ceiling" },
      "There is no kind of job test.paint-ceiling here.",
    ],
    [
      "whose payload does not fit any more",
      { payload: { room: 7 } },
      "The payload does not fit test.sweep-floor.",
    ],
    [
      "whose expression was written by hand",
      { cron: "now and then" },
      expect.stringContaining("five fields"),
    ],
    ["in a zone that is none", { timeZone: "Mars" }, expect.stringContaining("time zone")],
  ])("%s is told of, keeps its run, and holds up no other", async (_what, change, message) => {
    await addSchedule({ name: "a-bad", ...change });
    await addSchedule({ name: "good" });
    expect(await tickAt("2026-11-21T10:00:00Z")).toBe(1);
    expect(await listRuns()).toEqual(["good 2026-11-21T10:00"]);
    expect(await findRow("a-bad")).toMatchObject({ lastError: message, lastAt: null });
    expect(logLines).toMatchObject([{ level: "warn", event: "schedule.refused", name: "a-bad" }]);
    expect(await tickAt("2026-11-21T10:00:30Z")).toBe(0);
    expect(logLines).toHaveLength(1);
    await tickAt("2026-11-21T10:01:00Z");
    expect(logLines).toHaveLength(2);
    await sql`
      update parlance.job_schedules
      set kind = ${kind.name}, payload = '{"room": "hall"}', cron = '0 * * * *', time_zone = 'UTC'
      where name = 'a-bad'
    `;
    expect(await tickAt("2026-11-21T10:02:00Z")).toBe(1);
    expect(await listRuns()).toEqual(["a-bad 2026-11-21T10:00", "good 2026-11-21T10:00"]);
    expect(await findRow("a-bad")).toMatchObject({ lastError: null });
  });
});

test("where the queue takes no more, the runs stay due until it does", async () => {
  const deps = (time: string) => ({ sql, log, now: () => new Date(time) });
  const narrow = new Map<string, AnyJobKind>([[kind.name, { ...kind, queuedMax: 1 }]]);
  await addSchedule();
  expect(await addDueRuns(deps("2026-11-21T10:00:00Z"), [], narrow)).toBe(1);
  expect(await addDueRuns(deps("2026-11-21T11:00:00Z"), [], narrow)).toBe(0);
  expect(await findRow()).toMatchObject({ lastError: expect.stringContaining("wait already") });
  await sql`delete from parlance.jobs`;
  expect(await addDueRuns(deps("2026-11-21T11:01:00Z"), [], narrow)).toBe(1);
  expect(await listRuns()).toEqual(["floor 2026-11-21T11:00"]);
  expect(await findRow()).toMatchObject({ lastError: null });
});

describe("a schedule of the house", () => {
  const house = [{ kind: { ...kind, payload: z.object({}) }, cron: "7 * * * *" }];

  test("is made when it is missing and runs at once", async () => {
    const deps = { sql, log, now: () => new Date("2026-11-21T10:30:12Z") };
    expect(await addDueRuns(deps, house, new Map([[kind.name, house[0]?.kind as AnyJobKind]]))).toBe(1);
    expect(minute((await findRow(kind.name))?.nextAt)).toBe("2026-11-21T11:07");
  });

  test("stays as the operator made it", async () => {
    await addSchedule({ name: kind.name, payload: {}, cron: "0 3 * * *", isPaused: true });
    expect(await tickAt("2026-11-21T12:00:00Z", { house })).toBe(0);
    const [row] = await sql`select cron, is_paused from parlance.job_schedules`;
    expect(row).toEqual({ cron: "0 3 * * *", isPaused: true });
  });
});

test("a tick takes a bounded number, the longest due first; the next one takes the rest", async () => {
  await sql`
    insert into parlance.job_schedules (name, kind, payload, cron, next_at, due_at)
    select 'floor-' || number, ${kind.name}, '{"room": "hall"}', '0 * * * *', at, at
    from generate_series(1, 120) as number
    cross join lateral (select timestamptz '2026-11-21 10:00+00' - make_interval(secs => 121 - number)) as times (at)
  `;
  expect(await tickAt("2026-11-21T10:00:00Z")).toBe(100);
  const [left] = await sql`select name from parlance.job_schedules order by due_at limit 1`;
  expect(left).toEqual({ name: "floor-101" });
  expect(await tickAt("2026-11-21T10:00:00Z")).toBe(20);
});
