/** Endings that are written together: each is done, lost or refused by itself. */
import type { Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createEndings } from "../../../shared/jobs/endings.ts";
import { type ClaimedJob, rescueJobs } from "../../../shared/jobs/queue.ts";
import { type JobsDatabase, openJobsDatabase, type PaintKind, paint, paintKind } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

/** A client that counts the transactions it began, and may fail the first of them after or before their commit. */
function watch(sql: Sql, faults: { breaksBefore?: number; breaksAfter?: number } = {}) {
  const seen = { transactions: 0, statements: 0 };
  const broken = () => Object.assign(new Error("the connection is gone"), { code: "CONNECTION_CLOSED" });
  const client = new Proxy(sql, {
    apply(target, self, args) {
      seen.statements += 1;
      return Reflect.apply(target, self, args);
    },
    get(target, name) {
      if (name !== "begin") return Reflect.get(target, name);
      return async (work: Parameters<typeof target.begin>[0]) => {
        const number = ++seen.transactions;
        if (number <= (faults.breaksBefore ?? 0)) throw broken();
        const answer = await target.begin(work as never);
        if (number <= (faults.breaksAfter ?? 0)) throw broken();
        return answer;
      };
    },
  });
  return { client, seen };
}

async function claimMany(count: number, kind: PaintKind = paint): Promise<ClaimedJob[]> {
  await jobs.addMany(count, {}, kind);
  const claimed = await jobs.claim(count, { kinds: [kind] });
  expect(claimed).toHaveLength(count);
  return claimed;
}

async function statesOf(claimed: readonly ClaimedJob[]): Promise<string[]> {
  return Promise.all(claimed.map(async (job) => (await jobs.find(job.id)).state));
}

const { land: _nothing, ...plain } = paintKind({ name: "test.look-at-wall" });

describe("endings", () => {
  test("of many at once are written in few transactions, each landed", async () => {
    const { client, seen } = watch(jobs.sidecar);
    const endings = createEndings(client);
    const claimed = await claimMany(100);
    const ended = await Promise.all(
      claimed.map((job, index) => endings.complete(paint, job, { colour: `colour ${index}` })),
    );
    expect(new Set(ended)).toEqual(new Set(["done"]));
    expect(new Set(await statesOf(claimed))).toEqual(new Set(["done"]));
    for (const [index, job] of claimed.entries()) {
      expect(await jobs.landings(job.id)).toEqual([`colour ${index}`]);
      expect((await jobs.find(job.id)).result).toEqual({ colour: `colour ${index}` });
    }
    expect(seen.transactions).toBeGreaterThan(1);
    expect(seen.transactions).toBeLessThan(20);
  });

  test("that have nothing to land need no transaction of their own", async () => {
    const { client, seen } = watch(jobs.sidecar);
    const endings = createEndings(client);
    const claimed = await claimMany(100, plain);
    await Promise.all(claimed.map((job) => endings.complete(plain, job, { colour: "red" })));
    expect(new Set(await statesOf(claimed))).toEqual(new Set(["done"]));
    expect(seen.transactions).toBe(0);
    expect(seen.statements).toBeLessThan(10);
  });

  test("that come later are written, too", async () => {
    const endings = createEndings(jobs.sidecar);
    const [first, second] = await claimMany(2);
    expect(await endings.complete(paint, first as ClaimedJob, { colour: "red" })).toBe("done");
    expect(await endings.complete(paint, second as ClaimedJob, { colour: "red" })).toBe("done");
  });

  test("of one whose landing is refused takes none of the others along", async () => {
    const endings = createEndings(jobs.sidecar);
    const claimed = await claimMany(12);
    const ended = await Promise.allSettled(
      claimed.map((job, index) =>
        endings.complete(paint, job, { colour: index % 5 === 2 ? "refused" : "red" }),
      ),
    );
    const expected = claimed.map((_job, index) => (index % 5 === 2 ? "rejected" : "fulfilled"));
    expect(ended.map(({ status }) => status)).toEqual(expected);
    expect(await statesOf(claimed)).toEqual(expected.map((one) => (one === "rejected" ? "running" : "done")));
    for (const [index, job] of claimed.entries()) {
      expect(await jobs.landings(job.id)).toEqual(index % 5 === 2 ? [] : ["red"]);
    }
  });

  test("of one whose summary cannot be made takes none of the others along", async () => {
    const endings = createEndings(jobs.sidecar);
    const broken = paintKind({
      summarize: ({ colour }) => {
        if (colour === "none") throw new Error("there is no colour");
        return { colour };
      },
    });
    const claimed = await claimMany(3);
    const ended = await Promise.allSettled(
      ["red", "none", "blue"].map((colour, index) =>
        endings.complete(broken, claimed[index] as ClaimedJob, { colour }),
      ),
    );
    expect(ended.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  test("of lost claims among them say so, and land nothing", async () => {
    const endings = createEndings(jobs.sidecar);
    const claimed = await claimMany(6);
    const lost = claimed.filter((_job, index) => index % 2 === 0);
    await jobs.sql`
      update parlance.jobs set lease_expires_at = now() - interval '1 second'
      where id = any (${lost.map((job) => job.id)}::uuid[])
    `;
    await rescueJobs(jobs.sidecar, new Map([[paint.name, paint]]));
    const ended = await Promise.all(claimed.map((job) => endings.complete(paint, job, { colour: "red" })));
    expect(ended).toEqual(["lost", "done", "lost", "done", "lost", "done"]);
    for (const job of lost) expect(await jobs.landings(job.id)).toEqual([]);
    expect(await statesOf(lost)).toEqual(["queued", "queued", "queued"]);
  });

  test("of an old claim and a newer one of the same job: only the newer lands", async () => {
    const endings = createEndings(jobs.sidecar);
    const old = await jobs.claimNew({}, paint, 0);
    await rescueJobs(jobs.sidecar, new Map([[paint.name, paint]]));
    await jobs.makeDue(old.id);
    const [newer] = await jobs.claim();
    const ended = await Promise.all([
      endings.complete(paint, old, { colour: "stale" }),
      endings.complete(paint, newer as ClaimedJob, { colour: "fresh" }),
    ]);
    expect(ended).toEqual(["lost", "done"]);
    expect(await jobs.landings(old.id)).toEqual(["fresh"]);
    expect((await jobs.find(old.id)).result).toEqual({ colour: "fresh" });
  });

  test("that met a connection that broke before their commit are written again", async () => {
    const { client, seen } = watch(jobs.sidecar, { breaksBefore: 2 });
    const endings = createEndings(client);
    const claimed = await claimMany(5);
    const ended = await Promise.all(claimed.map((job) => endings.complete(paint, job, { colour: "red" })));
    expect(new Set(ended)).toEqual(new Set(["done"]));
    for (const job of claimed) expect(await jobs.landings(job.id)).toEqual(["red"]);
    expect(seen.transactions).toBeGreaterThan(2);
  });

  test("whose commit was not answered landed once", async () => {
    const { client } = watch(jobs.sidecar, { breaksAfter: 1 });
    const endings = createEndings(client);
    const claimed = await claimMany(3);
    await Promise.all(claimed.map((job) => endings.complete(paint, job, { colour: "red" })));
    expect(new Set(await statesOf(claimed))).toEqual(new Set(["done"]));
    for (const job of claimed) expect(await jobs.landings(job.id)).toEqual(["red"]);
  });

  test("that cannot be written while the database is away are told so, each", async () => {
    const { client } = watch(jobs.sidecar, { breaksBefore: 1000 });
    const endings = createEndings(client);
    const claimed = await claimMany(2);
    const ended = await Promise.allSettled(
      claimed.map((job) => endings.complete(paint, job, { colour: "red" })),
    );
    expect(ended.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await statesOf(claimed)).toEqual(["running", "running"]);
  }, 60_000);
});

describe("the house's events", () => {
  test("ring for bulk work that ends beside a question, in one statement", async () => {
    const question = paintKind({ name: "test.ask-twice", lane: "interactive" });
    for (const order of ["question first", "work first"]) {
      await jobs.admin`truncate realtime.messages`;
      const [asked, worked] = [await jobs.claimNew({}, question), await jobs.claimNew()];
      const both = order === "question first" ? [asked, worked] : [worked, asked];
      await jobs.sidecar`
        select parlance.complete_jobs(${jobs.sidecar.json(both.map(({ id, claim }) => ({ id, claim, result: {} })))})
      `;
      const told = await jobs.admin<{ topic: string }[]>`select topic from realtime.messages`;
      expect([order, told.map((message) => message.topic)]).toEqual([order, ["house"]]);
    }
  });
});
