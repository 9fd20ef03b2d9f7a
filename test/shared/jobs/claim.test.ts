import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import { addJobs, claimJobs, heartbeatJobs, rescueJobs } from "../../../shared/jobs/queue.ts";
import { complete, type JobsDatabase, openJobsDatabase, paint, paintKind } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

const kinds = new Map([[paint.name, paint]]);

describe("a claim", () => {
  test("takes an owner's jobs in the order in which they were added", async () => {
    const [first, second, third] = [await jobs.add(), await jobs.add(), await jobs.add()];
    expect((await jobs.claim(2)).map((job) => job.id)).toEqual([first, second]);
    expect((await jobs.claim(2)).map((job) => job.id)).toEqual([third]);
  });

  test("takes only the kinds and lanes that it asks for", async () => {
    await jobs.add();
    const options = { workerId: createId(), jobsMax: 10, leaseSeconds: 30 };
    const other = paintKind({ name: "test.other-work" });
    expect(await claimJobs(jobs.sidecar, { ...options, kinds: [other], lane: "bulk" })).toEqual([]);
    expect(await claimJobs(jobs.sidecar, { ...options, kinds: [paint], lane: "interactive" })).toEqual([]);
    expect(await claimJobs(jobs.sidecar, { ...options, kinds: [paint], lane: "bulk" })).toHaveLength(1);
  });

  test("hands over the payload and the number of the try", async () => {
    const id = await jobs.add({ payload: { colour: "navy" } });
    expect(await jobs.claim()).toEqual([
      expect.objectContaining({ id, payload: { colour: "navy" }, attempts: 1, attemptsMax: 3, lane: "bulk" }),
    ]);
    expect((await jobs.find(id)).startedAt).not.toBeNull();
  });

  test("takes no more than it asks for", async () => {
    for (let index = 0; index < 5; index++) await jobs.add();
    expect(await jobs.claim(3)).toHaveLength(3);
    expect(await jobs.claim(3)).toHaveLength(2);
    expect(await jobs.claim(3)).toEqual([]);
  });

  test("never gives one job to two workers", async () => {
    const total = 500;
    await addJobs(jobs.sql, paint, Array(total).fill({ payload: { colour: "red" }, ownerId: null }));
    const workers = Array.from({ length: 8 }, async (_, index) => {
      const sql = jobs.database.connect({ role: "parlance_sidecar", max: 1 });
      const workerId = createId();
      const claimed: string[] = [];
      for (let round = 0; ; round++) {
        const batch = await claimJobs(sql, {
          workerId,
          kinds: [paint],
          lane: "bulk",
          jobsMax: 1 + ((index + round) % 7),
          leaseSeconds: 30,
        });
        if (batch.length === 0) break;
        claimed.push(...batch.map((job) => job.id));
      }
      await sql.end();
      return { workerId, claimed };
    });
    const ended = await Promise.all(workers);
    const all = ended.flatMap((worker) => worker.claimed);
    expect(all).toHaveLength(total);
    expect(new Set(all).size).toBe(total);
    const rows = await jobs.sql<{ claimedBy: string; count: number; claims: number }[]>`
      select claimed_by, count(*), count(distinct claim) as claims from parlance.jobs group by claimed_by
    `;
    expect(rows.reduce((sum, row) => sum + row.claims, 0)).toBe(total);
    for (const { workerId, claimed } of ended) {
      expect(rows.find((row) => row.claimedBy === workerId)?.count ?? 0).toBe(claimed.length);
    }
  });
});

describe("a lease", () => {
  // PGlite has one session: there nobody can hold a row meanwhile.
  test.runIf(process.env.TEST_DATABASE_URL)(
    "is prolonged though an ending holds another's row, and that one counts as held",
    async () => {
      await jobs.addMany(3);
      const claimed = await jobs.claim(3, { leaseSeconds: 30 });
      const locked = claimed[1]?.id ?? "";
      const other = jobs.database.connect({ max: 1 });
      try {
        await other.begin(async (transaction) => {
          await transaction`select from parlance.jobs where id = ${locked} for update`;
          const answers = await heartbeatJobs(jobs.sidecar, claimed, 600);
          expect(new Set(answers.map(({ claim }) => claim))).toEqual(
            new Set(claimed.map(({ claim }) => claim)),
          );
        });
      } finally {
        await other.end();
      }
      const prolonged = await jobs.sql<{ id: string }[]>`
        select id from parlance.jobs where lease_expires_at > now() + interval '5 minutes'
      `;
      expect(prolonged.map(({ id }) => id).sort()).toEqual(
        claimed.flatMap(({ id }) => (id === locked ? [] : id)).sort(),
      );
    },
  );

  test("is prolonged by a heartbeat, which says what is to be cancelled and leaves out what is lost", async () => {
    const kept = await jobs.claimNew({}, paint, 0);
    const unwanted = await jobs.claimNew({}, paint, 0);
    const ended = await jobs.claimNew({}, paint, 0);
    await complete(jobs.sidecar, ended);
    await jobs.sql`select parlance.cancel_job(${unwanted.id})`;
    const answers = await heartbeatJobs(jobs.sidecar, [kept, unwanted, ended], 60);
    expect(new Map(answers.map((answer) => [answer.id, answer.cancelRequested]))).toEqual(
      new Map([
        [kept.id, false],
        [unwanted.id, true],
      ]),
    );
    expect(await rescueJobs(jobs.sidecar, kinds)).toBe(0);
  });

  test("that runs out counts the try, until the last one fails for good", async () => {
    const id = await jobs.add();
    for (const state of ["queued", "queued", "failed"]) {
      await jobs.claim(1, { leaseSeconds: 0 });
      expect(await rescueJobs(jobs.sidecar, kinds)).toBe(1);
      expect((await jobs.find(id)).state).toBe(state);
      if (state === "queued") await jobs.makeDue(id);
    }
    expect(await jobs.find(id)).toMatchObject({ attempts: 3, errorCode: "lease_expired" });
    expect(await jobs.landings(id)).toEqual(["lease_expired"]);
  });

  test("that ran out waits before the next try", async () => {
    const job = await jobs.claimNew({}, paint, 0);
    await rescueJobs(jobs.sidecar, kinds);
    expect((await jobs.find(job.id)).waitSeconds).toBeGreaterThan(1);
    expect(await jobs.claim()).toEqual([]);
  });

  test("whose landing is refused keeps its job as it was and holds up no other", async () => {
    const refusing = paintKind({
      name: "test.refuse-all",
      attemptsMax: 1,
      landFailure: async (transaction, job) => {
        await transaction`insert into public.landings values (${job.id}, 'refused')`;
      },
    });
    const refused = await jobs.claimNew({}, refusing, 0);
    const other = await jobs.claimNew({}, paintKind({ attemptsMax: 1 }), 0);
    const rescuing = rescueJobs(jobs.sidecar, new Map([...kinds, [refusing.name, refusing]]));
    await expect(rescuing).rejects.toThrow(refused.id);
    expect(await jobs.find(refused.id)).toMatchObject({ state: "running", claim: refused.claim });
    expect(await jobs.find(other.id)).toMatchObject({ state: "failed" });
    expect(await jobs.landings(other.id)).toEqual(["lease_expired"]);
  });
});
