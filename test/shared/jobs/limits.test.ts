/** How many may wait and how many may run: of a kind, of one owner of it, and of one owner of all kinds. */
import type { Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import { addJobs, claimJobs } from "../../../shared/jobs/queue.ts";
import { complete, type JobsDatabase, openJobsDatabase, type PaintKind, paint, paintKind } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

async function countJobs(): Promise<number> {
  const [row] = await jobs.sql<{ count: number }[]>`select count(*) from parlance.jobs`;
  return row?.count ?? -1;
}

/** Expects that adding is refused with a time to ask again, and that nothing was added. */
async function expectRefusal(adding: () => Promise<unknown>): Promise<void> {
  const before = await countJobs();
  const error = await adding().then(
    () => "nothing was refused",
    (thrown) => thrown,
  );
  expect(error).toMatchObject({ code: "quota_exceeded", retryAfterSeconds: expect.any(Number) });
  expect(error.retryAfterSeconds).toBeGreaterThanOrEqual(1);
  expect(error.retryAfterSeconds).toBeLessThanOrEqual(600);
  expect(await countJobs()).toBe(before);
}

const door = paintKind({ name: "test.paint-door" });
const call = paintKind({ name: "test.call-painter", slots: "calls" });

describe("what may wait", () => {
  test("of a kind is refused beyond its limit, whoever adds", async () => {
    const kind = paintKind({ queuedMax: 5 });
    const [one, other] = [await jobs.addUser(), await jobs.addUser()];
    await jobs.addMany(3, { ownerId: one }, kind);
    await jobs.addMany(2, { ownerId: other }, kind);
    await expectRefusal(() => jobs.add({ ownerId: other }, kind));
    await expectRefusal(() => jobs.add({}, kind));
    await jobs.add({}, door);
  });

  test("of one owner of a kind is refused beyond its limit, and nobody else's", async () => {
    const kind = paintKind({ queuedPerOwnerMax: 2 });
    const [one, other] = [await jobs.addUser(), await jobs.addUser()];
    await jobs.addMany(2, { ownerId: one }, kind);
    await expectRefusal(() => jobs.add({ ownerId: one }, kind));
    await jobs.addMany(2, { ownerId: other }, kind);
    await jobs.addMany(5, {}, kind);
    await jobs.add({ ownerId: one }, door);
  });

  test("of an owner of all kinds is refused beyond their share", async () => {
    const [one, other] = [await jobs.addUser(), await jobs.addUser()];
    await jobs.setShare(one, { queuedMax: 3 });
    await jobs.addMany(2, { ownerId: one });
    await jobs.add({ ownerId: one }, door);
    await expectRefusal(() => jobs.add({ ownerId: one }));
    await expectRefusal(() => jobs.add({ ownerId: one }, door));
    await jobs.addMany(5, { ownerId: other });
  });

  test("of calls for an owner does not count to their share, neither waiting nor running", async () => {
    const owner = await jobs.addUser();
    await jobs.setShare(owner, { queuedMax: 2, runningMax: 1 });
    await jobs.addMany(5, { ownerId: owner }, call);
    await jobs.addMany(2, { ownerId: owner });
    await jobs.add({ ownerId: owner }, call);
    await expectRefusal(() => jobs.add({ ownerId: owner }));
    expect(await jobs.claim(9, { kinds: [call] })).toHaveLength(6);
    expect(await jobs.claim(9, { kinds: [paint] })).toHaveLength(1);
    await jobs.add({ ownerId: owner }, call);
    expect(await jobs.claim(9, { kinds: [call] })).toHaveLength(1);
  });

  test("is counted whole: of a batch that does not fit nothing is added", async () => {
    const kind = paintKind({ queuedMax: 5 });
    await jobs.addMany(3, {}, kind);
    await expectRefusal(() => jobs.addMany(3, {}, kind));
    await jobs.addMany(2, {}, kind);
  });

  test("is counted over all owners of a batch", async () => {
    const kind = paintKind({ queuedMax: 5 });
    const owners = [await jobs.addUser(), await jobs.addUser()];
    const batch = owners.flatMap((ownerId) => Array(4).fill({ payload: { colour: "red" }, ownerId }));
    await expectRefusal(() => addJobs(jobs.sql, kind, batch));
  });

  test("is free again once a job runs", async () => {
    const kind = paintKind({ queuedMax: 2 });
    await jobs.addMany(2, {}, kind);
    await expectRefusal(() => jobs.add({}, kind));
    await jobs.claim(1);
    await jobs.add({}, kind);
  });

  test("in a transaction that was refused rolls back what was written with it", async () => {
    const kind = paintKind({ queuedMax: 1 });
    await jobs.add({}, kind);
    await expectRefusal(() =>
      jobs.sql.begin(async (transaction) => {
        await addJobs(transaction, door, [{ payload: { colour: "red" }, ownerId: null }]);
        await addJobs(transaction, kind, [{ payload: { colour: "red" }, ownerId: null }]);
      }),
    );
  });

  test("does not refuse what adds nothing: an id or a unique key that is there", async () => {
    const kind = paintKind({ queuedMax: 1 });
    const id = createId();
    expect(await jobs.add({ id, uniqueKey: "wall" }, kind)).toBe(id);
    expect(await jobs.add({ id }, kind)).toBe(id);
    expect(await jobs.add({ uniqueKey: "wall" }, kind)).toBe(id);
    expect(await jobs.add({ uniqueKey: "wall", onOpen: "replace" }, kind)).toBe(id);
    await expectRefusal(() => jobs.add({ uniqueKey: "another wall" }, kind));
    await expectRefusal(() => jobs.addMany(2, { uniqueKey: "another wall" }, kind));
  });

  test("counts what is added beside a job that runs", async () => {
    const kind = paintKind({ queuedMax: 1 });
    const running = await jobs.claimNew({ uniqueKey: "wall" }, kind);
    await jobs.add({}, kind);
    expect(await jobs.add({ uniqueKey: "wall" }, kind)).toBe(running.id);
    await expectRefusal(() => jobs.add({ uniqueKey: "wall", onOpen: "replace" }, kind));
  });

  test("says when to ask again by how fast jobs end", async () => {
    const kind = paintKind({ queuedMax: 1 });
    await jobs.addMany(20);
    for (const job of await jobs.claim(20)) await complete(jobs.sidecar, job);
    await jobs.add({}, kind);
    const error = await jobs.add({}, kind).catch((thrown) => thrown);
    expect(error.retryAfterSeconds).toBe(1);
    expect(error.message).toMatch(/^1 of at most 1 jobs of the kind test\.paint-wall wait already\.$/);
  });
});

/** How many run, by owner. */
async function countRunning(): Promise<Map<string | null, number>> {
  const rows = await jobs.sql<{ ownerId: string | null; count: number }[]>`
    select owner_id, count(*) from parlance.jobs where state = 'running' group by owner_id
  `;
  return new Map(rows.map((row) => [row.ownerId, row.count]));
}
const sumOf = (counts: Map<string | null, number>) =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);

describe("what may run", () => {
  test("of a kind is claimed up to its limit, and on as jobs end", async () => {
    const kind = paintKind({ runningMax: 3 });
    await jobs.addMany(10, {}, kind);
    const first = await jobs.claim(10, { kinds: [kind] });
    expect(first).toHaveLength(3);
    expect(await jobs.claim(10, { kinds: [kind] })).toEqual([]);
    for (const job of first.slice(0, 2)) await complete(jobs.sidecar, job);
    expect(await jobs.claim(10, { kinds: [kind] })).toHaveLength(2);
  });

  test("of one owner of a kind holds up nobody else", async () => {
    const kind = paintKind({ runningPerOwnerMax: 2 });
    const [one, other] = [await jobs.addUser(), await jobs.addUser()];
    await jobs.addMany(10, { ownerId: one }, kind);
    await jobs.addMany(3, { ownerId: other }, kind);
    for (let rounds = 0; rounds < 6; rounds++) await jobs.claim(3, { kinds: [kind] });
    expect(await countRunning()).toEqual(
      new Map([
        [one, 2],
        [other, 2],
      ]),
    );
  });

  test("of an owner of all kinds is their share", async () => {
    const [one, other] = [await jobs.addUser(), await jobs.addUser()];
    await jobs.setShare(one, { runningMax: 2 });
    await jobs.addMany(5, { ownerId: one });
    await jobs.addMany(5, { ownerId: one }, door);
    await jobs.addMany(3, { ownerId: other });
    for (let rounds = 0; rounds < 6; rounds++) await jobs.claim(4, { kinds: [paint, door] });
    expect(await countRunning()).toEqual(
      new Map([
        [one, 2],
        [other, 3],
      ]),
    );
  });

  test("of one kind is no limit of another in the same claim", async () => {
    const kind = paintKind({ runningMax: 1 });
    await jobs.addMany(5, {}, kind);
    await jobs.addMany(5, {}, door);
    const claimed = await jobs.claim(10, { kinds: [kind, door] });
    expect(claimed.filter((job) => job.kind === kind.name)).toHaveLength(1);
    expect(claimed.filter((job) => job.kind === door.name)).toHaveLength(5);
  });
});

// PGlite has one connection: there claims wait for each other anyway.
describe.runIf(process.env.TEST_DATABASE_URL)("with eight claimers at once", () => {
  const claimers = 8;
  const perOwner = 3;

  /** Each claims and completes until nothing is left; a ninth counts what runs all the while. */
  async function claimAll(
    kind: PaintKind,
    check: (counts: Map<string | null, number>) => void,
  ): Promise<void> {
    let left = claimers;
    const work = async (sql: Sql) => {
      const options = {
        workerId: createId(),
        kinds: [kind],
        lane: "bulk",
        leaseSeconds: 30,
        jobsMax: 4,
      } as const;
      const isLeft = async () =>
        (await sql`select from parlance.jobs where state = 'queued' limit 1`).length > 0;
      while (await isLeft()) {
        for (const job of await claimJobs(sql, options)) await complete(sql, job);
      }
      left -= 1;
    };
    const clients = Array.from({ length: claimers }, () => jobs.database.connect({ max: 1 }));
    const working = Promise.all(clients.map(work));
    while (left > 0) check(await countRunning());
    await working;
    await Promise.all(clients.map((sql) => sql.end()));
    const [open] = await jobs.sql`select count(*) from parlance.jobs where state <> 'done'`;
    expect(open?.count).toBe(0);
  }

  async function addForOwners(kind: PaintKind): Promise<string[]> {
    const owners = await Promise.all(Array.from({ length: 3 }, () => jobs.addUser()));
    for (const ownerId of owners) await jobs.addMany(60, { ownerId }, kind);
    return owners;
  }

  test("a kind's limit holds", async () => {
    const kind = paintKind({ runningMax: 5 });
    await addForOwners(kind);
    let most = 0;
    await claimAll(kind, (counts) => {
      most = Math.max(most, sumOf(counts));
      expect(sumOf(counts)).toBeLessThanOrEqual(5);
    });
    expect(most).toBeGreaterThan(1);
  });

  test("a limit for each owner holds", async () => {
    const kind = paintKind({ runningPerOwnerMax: perOwner });
    await addForOwners(kind);
    await claimAll(kind, (counts) => {
      for (const count of counts.values()) expect(count).toBeLessThanOrEqual(perOwner);
    });
  });

  test("an owner's share holds", async () => {
    const [limited = ""] = await addForOwners(paint);
    await jobs.setShare(limited, { runningMax: perOwner });
    await claimAll(paint, (counts) => expect(counts.get(limited) ?? 0).toBeLessThanOrEqual(perOwner));
  });
});
