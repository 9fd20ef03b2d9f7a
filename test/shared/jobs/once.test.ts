/** Adding what is there already: the same id, or a unique key whose job is open. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import { addJob, addJobs, type NewJob, reportProgress, saveJobCursor } from "../../../shared/jobs/queue.ts";
import { until } from "../../helpers/until.ts";
import { complete, type JobsDatabase, openJobsDatabase, type PaintPayload, paint, release } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

const wall = (colour: string, job: Partial<NewJob<PaintPayload>> = {}): NewJob<PaintPayload> => ({
  payload: { colour },
  ownerId: null,
  uniqueKey: "wall",
  ...job,
});
const add = (colour: string, job: Partial<NewJob<PaintPayload>> = {}) =>
  addJob(jobs.sql, paint, wall(colour, job));

async function countJobs(): Promise<number> {
  const [row] = await jobs.sql<{ count: number }[]>`select count(*) from parlance.jobs`;
  return row?.count ?? -1;
}

/** Ten add at once, each over a connection of its own; answers the ids. */
function addTenAtOnce(job: Partial<NewJob<PaintPayload>>): Promise<string[]> {
  return Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const sql = jobs.database.connect({ max: 1 });
      try {
        return await addJob(sql, paint, wall(`colour ${index}`, job));
      } finally {
        await sql.end();
      }
    }),
  );
}

describe("the same id", () => {
  test("added twice changes nothing, whatever comes with it", async () => {
    const id = createId();
    expect(await add("red", { id })).toBe(id);
    const before = await jobs.find(id);
    expect(await add("blue", { id, uniqueKey: "another" })).toBe(id);
    expect(await jobs.find(id)).toEqual({ ...before, waitSeconds: expect.any(Number) });
    expect(await jobs.events(id)).toHaveLength(1);
  });

  test.each(["replace", "debounce"] as const)(
    "added again late, %s touches no other job of its key",
    async (onOpen) => {
      const first = await jobs.claimNew({ uniqueKey: "wall", onOpen });
      await complete(jobs.sidecar, first);
      const running = await jobs.claimNew({ uniqueKey: "wall", onOpen });
      const again = { id: first.id, onOpen };
      expect(await add("blue", again)).toBe(first.id);
      expect(await add("blue", { onOpen: "skip" })).toBe(running.id);
      await complete(jobs.sidecar, running);
      const waiting = await add("green");
      expect(await add("blue", again)).toBe(first.id);
      expect((await jobs.find(waiting)).payload).toEqual({ colour: "green" });
      expect(await countJobs()).toBe(3);
    },
  );

  test("added again once it has ended does not run again", async () => {
    const job = await jobs.claimNew();
    await complete(jobs.sidecar, job);
    expect(await jobs.add({ id: job.id })).toBe(job.id);
    expect(await jobs.claim()).toEqual([]);
    expect((await jobs.find(job.id)).state).toBe("done");
  });

  test("in one statement, or at once, is added once", async () => {
    const id = createId();
    expect(await addJobs(jobs.sql, paint, [wall("red", { id }), wall("blue", { id })])).toEqual([id, id]);
    const other = createId();
    expect(new Set(await addTenAtOnce({ id: other, uniqueKey: "other" }))).toEqual(new Set([other]));
    expect(await countJobs()).toBe(2);
  });
});

describe("while a job of the key waits", () => {
  test("skip leaves it as it is", async () => {
    const id = await add("red");
    expect(await add("blue")).toBe(id);
    expect(await add("blue", { onOpen: "skip" })).toBe(id);
    expect(await jobs.find(id)).toMatchObject({ payload: { colour: "red" }, state: "queued" });
    expect(await countJobs()).toBe(1);
  });

  test("replace gives it the payload and leaves its place", async () => {
    const id = await add("red", { delaySeconds: 60 });
    const { waitSeconds } = await jobs.find(id);
    expect(await add("blue", { onOpen: "replace" })).toBe(id);
    const after = await jobs.find(id);
    expect(after).toMatchObject({ payload: { colour: "blue" }, turn: null });
    expect(after.waitSeconds).toBeLessThanOrEqual(waitSeconds);
    expect(after.waitSeconds).toBeGreaterThan(30);
  });

  test("replace keeps the turn of one that is due", async () => {
    const id = await add("red");
    const { turn } = await jobs.find(id);
    await jobs.addMany(3);
    expect(await add("blue", { onOpen: "replace" })).toBe(id);
    expect((await jobs.find(id)).turn).toBe(turn);
    expect((await jobs.claim())[0]).toMatchObject({ id, payload: { colour: "blue" } });
  });

  test("debounce gives it the payload and begins its wait anew", async () => {
    const id = await add("red", { delaySeconds: 60, onOpen: "debounce" });
    await jobs.sql`update parlance.jobs set run_after = now() + interval '1 second'`;
    expect(await add("blue", { delaySeconds: 60, onOpen: "debounce" })).toBe(id);
    const after = await jobs.find(id);
    expect(after.payload).toEqual({ colour: "blue" });
    expect(after.waitSeconds).toBeGreaterThan(30);
    expect(await jobs.claim()).toEqual([]);
  });

  test("debounce makes wait what was due", async () => {
    const id = await add("red");
    expect(await add("blue", { delaySeconds: 60, onOpen: "debounce" })).toBe(id);
    expect(await jobs.claim()).toEqual([]);
    await jobs.makeDue(id);
    expect((await jobs.claim())[0]).toMatchObject({ id, payload: { colour: "blue" } });
  });

  test.each(["skip", "replace", "debounce"] as const)(
    "%s by ten at once leaves one of it",
    async (onOpen) => {
      const id = await add("red");
      const delay = onOpen === "debounce" ? { delaySeconds: 60 } : {};
      expect(new Set(await addTenAtOnce({ onOpen, ...delay }))).toEqual(new Set([id]));
      expect(await countJobs()).toBe(1);
      const { payload } = await jobs.find(id);
      expect(payload.colour).toMatch(onOpen === "skip" ? /^red$/ : /^colour \d$/);
      expect((await jobs.events(id)).map((event) => event.event)).toEqual(["job.queued"]);
    },
  );
});

describe("a job that is replaced", () => {
  test.each(["replace", "debounce"] as const)(
    "by %s begins its payload anew, not at the old one's cursor",
    async (onOpen) => {
      const job = await jobs.claimNew({ uniqueKey: "wall" });
      await jobs.sidecar.begin((transaction) =>
        saveJobCursor(transaction, job, { cursor: { row: 7 }, number: 1 }),
      );
      await reportProgress(jobs.sidecar, job, { done: 7, total: 9, partial: { rows: 7 } });
      await release(jobs.sidecar, job);
      expect(await add("blue", { onOpen })).toBe(job.id);
      expect(await jobs.find(job.id)).toMatchObject({
        payload: { colour: "blue" },
        cursor: null,
        partial: null,
      });
    },
  );

  // PGlite has one session: there nothing happens between.
  test.runIf(process.env.TEST_DATABASE_URL)(
    "takes the payload though it is handed back at that moment",
    async () => {
      const job = await jobs.claimNew({ uniqueKey: "wall" });
      const other = jobs.database.connect({ max: 1 });
      try {
        let adding: Promise<string> | undefined;
        await other.begin(async (transaction) => {
          await release(transaction, job);
          adding = add("blue", { onOpen: "replace" });
          await until("the add waits for the row", async () => {
            const [waiting] = await jobs.admin`
            select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()
          `;
            return waiting !== undefined;
          });
        });
        expect(await adding).toBe(job.id);
        expect((await jobs.find(job.id)).payload).toEqual({ colour: "blue" });
        expect(await countJobs()).toBe(1);
      } finally {
        await other.end();
      }
    },
  );
});

describe("while a job of the key runs", () => {
  test("skip answers the running one", async () => {
    const job = await jobs.claimNew({ uniqueKey: "wall" });
    expect(await add("blue")).toBe(job.id);
    expect(await countJobs()).toBe(1);
  });

  test.each(["replace", "debounce"] as const)(
    "%s adds one beside it, and then that one is replaced",
    async (onOpen) => {
      const job = await jobs.claimNew({ uniqueKey: "wall" });
      const next = await add("blue", { onOpen });
      expect(next).not.toBe(job.id);
      expect(await add("green", { onOpen })).toBe(next);
      expect(await countJobs()).toBe(2);
      expect(await jobs.find(job.id)).toMatchObject({ state: "running", payload: { colour: "red" } });
      expect((await jobs.find(next)).payload).toEqual({ colour: "green" });
      expect(await complete(jobs.sidecar, job)).toBe(true);
      expect((await jobs.claim())[0]).toMatchObject({ id: next, payload: { colour: "green" } });
    },
  );

  test("one that was replaced and is handed back runs beside the other", async () => {
    const job = await jobs.claimNew({ uniqueKey: "wall" });
    const next = await add("blue", { onOpen: "replace" });
    await release(jobs.sidecar, job);
    expect((await jobs.claim(5)).map((one) => one.id).sort()).toEqual([job.id, next].sort());
  });

  test.each(["skip", "replace", "debounce"] as const)(
    "%s by ten at once leaves one waiting at most",
    async (onOpen) => {
      const job = await jobs.claimNew({ uniqueKey: "wall" });
      const ids = new Set(await addTenAtOnce({ onOpen }));
      expect(ids.size).toBe(1);
      expect(ids.has(job.id)).toBe(onOpen === "skip");
      expect(await countJobs()).toBe(onOpen === "skip" ? 1 : 2);
    },
  );
});

test("a key of one kind, or of a job that ended, is no other's", async () => {
  const job = await jobs.claimNew({ uniqueKey: "wall" });
  await complete(jobs.sidecar, job);
  for (const onOpen of ["skip", "replace", "debounce"] as const) {
    const id = await add("blue", { onOpen });
    expect(id).not.toBe(job.id);
    for (const claimed of await jobs.claim(5)) await complete(jobs.sidecar, claimed);
    expect((await jobs.find(id)).state).toBe("done");
  }
  expect((await jobs.find(job.id)).payload).toEqual({ colour: "red" });
});

test("adds of many keys in one statement answer an id for each, in order", async () => {
  const open = await add("red", { uniqueKey: "b" });
  const ids = await addJobs(
    jobs.sql,
    paint,
    ["a", "b", "c", "a"].map((uniqueKey) => wall("blue", { uniqueKey })),
  );
  expect(ids[1]).toBe(open);
  expect(ids[3]).toBe(ids[0]);
  expect(new Set(ids).size).toBe(3);
  expect(await countJobs()).toBe(3);
});

test.each(["skip", "replace", "debounce"] as const)(
  "of one key twice in one statement, %s takes one",
  async (onOpen) => {
    const take = (colours: string[]) =>
      addJobs(
        jobs.sql,
        paint,
        colours.map((colour) => wall(colour, { onOpen })),
      );
    const [id, same] = await take(["red", "blue"]);
    expect(same).toBe(id);
    expect((await jobs.find(id as string)).payload).toEqual({ colour: onOpen === "skip" ? "red" : "blue" });
    expect(await take(["green", "grey"])).toEqual([id, id]);
    expect((await jobs.find(id as string)).payload).toEqual({ colour: onOpen === "skip" ? "red" : "grey" });
    expect(await countJobs()).toBe(1);
  },
);

test.each(["skip", "replace", "debounce"] as const)(
  "%s of the same keys in opposite order by two at once: neither waits for the other for ever",
  async (onOpen) => {
    const keys = Array.from({ length: 60 }, (_, index) => `key ${index}`);
    const orders = [keys, keys.toReversed()];
    const connections = orders.map(() => jobs.database.connect({ max: 1 }));
    try {
      for (let round = 0; round < 20; round++) {
        const [forwards, backwards] = await Promise.all(
          orders.map((order, index) =>
            addJobs(
              connections[index] as (typeof connections)[number],
              paint,
              order.map((key) => wall("red", { uniqueKey: `${round} ${key}`, onOpen })),
            ),
          ),
        );
        expect(backwards?.toReversed()).toEqual(forwards);
      }
      expect(await countJobs()).toBe(20 * keys.length);
    } finally {
      await Promise.all(connections.map((sql) => sql.end()));
    }
  },
);
