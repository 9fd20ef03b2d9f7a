/** Who waits for whom: the order of claims among owners. */
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { addJobs, claimJobs, failJob } from "../../../shared/jobs/queue.ts";
import { ask, createSignal, type JobsDatabase, openJobsDatabase, paint, paintKind } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

/** Claims and answers whose jobs they were. */
async function ownersOf(claims: number): Promise<(string | null)[]> {
  return (await jobs.claim(claims)).map((job) => job.ownerId);
}

const countOf = (owners: readonly (string | null)[], owner: string) =>
  owners.filter((one) => one === owner).length;

async function addOwners(...weights: number[]): Promise<string[]> {
  return Promise.all(
    weights.map(async (weight) => {
      const owner = await jobs.addUser();
      if (weight !== 1) await jobs.setShare(owner, { weight });
      return owner;
    }),
  );
}

describe("one owner's crowd", () => {
  test("of 10,000 bulk jobs does not delay another's first", async () => {
    const [crowd = "", other = ""] = await addOwners(1, 1);
    for (let batch = 0; batch < 4; batch++) await jobs.addMany(2_500, { ownerId: crowd });
    expect(countOf(await ownersOf(20), crowd)).toBe(20);
    await jobs.add({ ownerId: other });
    expect(await ownersOf(2)).toContain(other);
    await jobs.add({ ownerId: other });
    expect(await ownersOf(2)).toContain(other);
  }, 120_000);

  test.each([
    ["calls", paintKind({ name: "test.call-painter", slots: "calls" })],
    ["the edge", paintKind({ name: "test.sweep-wall", runner: "edge" })],
  ])(
    "does not delay another's first because %s did work of the owner meanwhile",
    async (_whose, elsewhere) => {
      const [crowd = "", other = ""] = await addOwners(1, 1);
      await jobs.addMany(500, { ownerId: crowd });
      for (let round = 0; round < 3; round++) {
        await jobs.add({ ownerId: crowd }, elsewhere);
        expect(await jobs.claim(5, { kinds: [elsewhere] })).toHaveLength(1);
        await jobs.add({ ownerId: other });
        expect(await ownersOf(3)).toContain(other);
      }
    },
  );

  test("of the house does not delay a user's first, nor the other way round", async () => {
    const [user = ""] = await addOwners(1);
    await jobs.addMany(500);
    await jobs.add({ ownerId: user });
    expect(await ownersOf(2)).toContain(user);
    await jobs.addMany(500, { ownerId: user });
    expect(await ownersOf(20)).toContain(null);
  });

  test("that was delayed and falls due at once does not delay another's first", async () => {
    const [crowd = "", other = ""] = await addOwners(1, 1);
    const ids = await jobs.addMany(200, { ownerId: crowd, delaySeconds: 60 });
    await jobs.sql`update parlance.jobs set run_after = now() where id = any (${ids}::uuid[])`;
    await jobs.add({ ownerId: other });
    expect(await ownersOf(5)).toContain(other);
    await jobs.add({ ownerId: other });
    expect(await ownersOf(5)).toContain(other);
  });

  test("that failed and is tried again does not delay another's first", async () => {
    const [crowd = "", other = ""] = await addOwners(1, 1);
    await jobs.addMany(50, { ownerId: crowd });
    for (const job of await jobs.claim(50)) {
      await failJob(jobs.sidecar, job, { code: "upstream_failed", message: "no", retryable: true });
    }
    await jobs.sql`update parlance.jobs set run_after = now()`;
    await jobs.add({ ownerId: other });
    expect(await ownersOf(5)).toContain(other);
  });

  test("in one lane is no matter of the other", async () => {
    const [crowd = ""] = await addOwners(1);
    await jobs.addMany(300, { ownerId: crowd });
    await jobs.claim(200);
    const question = await jobs.add({ ownerId: crowd }, ask);
    const [claimed] = await claimJobs(jobs.sidecar, {
      workerId: crowd,
      kinds: [paint, ask],
      lane: "interactive",
      jobsMax: 5,
      leaseSeconds: 30,
    });
    expect(claimed?.id).toBe(question);
  });
});

describe("turns", () => {
  test("are given by weight: 1 and 3 get one and three of four", async () => {
    const [one = "", three = ""] = await addOwners(1, 3);
    await jobs.addMany(200, { ownerId: one });
    await jobs.addMany(200, { ownerId: three });
    let claimed: (string | null)[] = [];
    while (claimed.length < 200) {
      claimed = [...claimed, ...(await ownersOf(10))];
      expect(Math.abs(countOf(claimed, three) - (claimed.length * 3) / 4)).toBeLessThanOrEqual(2);
    }
    expect(countOf(claimed, one)).toBe(claimed.length - countOf(claimed, three));
  });

  test("are not saved up: who was idle has the same share as everyone from then on", async () => {
    const [busy = "", idle = ""] = await addOwners(1, 1);
    await jobs.addMany(400, { ownerId: busy });
    await ownersOf(300);
    await jobs.addMany(100, { ownerId: idle });
    const claimed = await ownersOf(60);
    expect(Math.abs(countOf(claimed, idle) - 30)).toBeLessThanOrEqual(1);
  });

  test("that an owner had are not owed: who was served alone waits for nobody afterwards", async () => {
    const [first = "", second = ""] = await addOwners(1, 1);
    await jobs.addMany(300, { ownerId: first });
    await ownersOf(300);
    await jobs.addMany(60, { ownerId: second });
    await jobs.addMany(60, { ownerId: first });
    const claimed = await ownersOf(60);
    expect(Math.abs(countOf(claimed, first) - 30)).toBeLessThanOrEqual(1);
  });

  test("follow a weight that was changed, for what is added then", async () => {
    const [one = "", other = ""] = await addOwners(1, 1);
    await jobs.setShare(other, { weight: 4 });
    await jobs.addMany(100, { ownerId: one });
    await jobs.addMany(100, { ownerId: other });
    expect(Math.abs(countOf(await ownersOf(50), other) - 40)).toBeLessThanOrEqual(2);
  });

  test("of one statement are in its order", async () => {
    const payloads = Array.from({ length: 60 }, (_, index) => ({
      payload: { colour: `${index}` },
      ownerId: null,
    }));
    await addJobs(jobs.sql, paint, payloads);
    const claimed = (await jobs.claim(60)).map((job) => (job.payload as { colour: string }).colour);
    expect(claimed).toEqual(payloads.map((job) => job.payload.colour));
  });

  test("of what is handed back come first", async () => {
    const [one = "", other = ""] = await addOwners(1, 1);
    await jobs.addMany(20, { ownerId: one });
    await jobs.addMany(20, { ownerId: other });
    const [held] = await jobs.claim(1);
    await jobs.claim(9);
    await jobs.sidecar`select parlance.release_jobs(array[${held?.id ?? ""}]::uuid[], array[${held?.claim ?? 0}]::bigint[])`;
    expect((await jobs.claim(1)).map((job) => job.id)).toEqual([held?.id]);
  });
});

// Another transaction is open meanwhile: PGlite has one connection.
test.runIf(process.env.TEST_DATABASE_URL)("a job that is committed late is found", async () => {
  const [gate, added] = [createSignal(), createSignal<string>()];
  const late = jobs.sql.begin(async (transaction) => {
    const [id = ""] = await addJobs(transaction, paint, [{ payload: { colour: "late" }, ownerId: null }]);
    added.resolve(id);
    await gate.promise;
  });
  const id = await added.promise;
  const other = jobs.database.connect({ max: 1 });
  await addJobs(other, paint, Array(50).fill({ payload: { colour: "red" }, ownerId: null }));
  await other.end();
  const claimed = await jobs.claim(50);
  expect(claimed).toHaveLength(50);
  gate.resolve();
  await late;
  expect((await jobs.claim(10, { afterTurn: claimed.at(-1)?.turn ?? 0 })).map((job) => job.id)).toEqual([]);
  expect((await jobs.claim(10)).map((job) => job.id)).toEqual([id]);
});

test("in any stretch in which two owners wait, each gets its share but for one turn", async () => {
  const plan = fc.record({
    weights: fc.array(fc.constantFrom(0.5, 1, 2, 3, 5), { minLength: 2, maxLength: 4 }),
    /** Who adds how many, and how many are claimed then. */
    steps: fc.array(
      fc.record({
        owner: fc.nat(3),
        adds: fc.integer({ min: 0, max: 25 }),
        claims: fc.integer({ min: 0, max: 20 }),
      }),
      { minLength: 3, maxLength: 12 },
    ),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ weights, steps }) => {
      await jobs.clear();
      const owners = await addOwners(...weights);
      const waiting = weights.map(() => 0);
      /** Of each pair: what each got since both wait. */
      const served = weights.map(() => weights.map(() => 0));
      for (const step of steps) {
        const adder = step.owner % owners.length;
        if (step.adds > 0) await jobs.addMany(step.adds, { ownerId: owners[adder] ?? "" });
        if (waiting[adder] === 0) forgetStretches(served, adder);
        waiting[adder] = (waiting[adder] ?? 0) + step.adds;
        for (const owner of await ownersOf(step.claims)) {
          const winner = owners.indexOf(owner ?? "");
          weights.forEach((_weight, rival) => {
            const [row, column] = [served[winner], served[rival]];
            if (!row || !column || rival === winner || !waiting[rival]) return;
            row[rival] = (row[rival] ?? 0) + 1;
            const [mine, theirs] = [weights[winner] ?? 1, weights[rival] ?? 1];
            const ahead = (row[rival] ?? 0) / mine - (column[winner] ?? 0) / theirs;
            // Start-time fair queueing: no further ahead than one job of each. Turns are whole numbers: a hundredth.
            expect(ahead).toBeLessThanOrEqual((1 / mine + 1 / theirs) * 1.01);
          });
          waiting[winner] = (waiting[winner] ?? 0) - 1;
          if (waiting[winner] === 0) forgetStretches(served, winner);
        }
      }
    }),
    { numRuns: 25 },
  );
}, 120_000);

function forgetStretches(served: number[][], owner: number): void {
  served.forEach((row, index) => {
    if (index === owner) row.fill(0);
    else row[owner] = 0;
  });
}
