import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type JobsDatabase, openJobsDatabase } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());

const hour = 3600;

test("the wait between two tries grows, is spread, and never passes an hour", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 100 }), async (attempts) => {
      const rows = await jobs.sql<{ now: number; next: number }[]>`
        select parlance.backoff_seconds(${attempts}) as now, parlance.backoff_seconds(${attempts + 1}) as next
        from generate_series(1, 20)
      `;
      const now = rows.map((row) => row.now);
      const next = rows.map((row) => row.next);
      expect(Math.min(...now)).toBeGreaterThan(1);
      expect(Math.max(...now, ...next)).toBeLessThanOrEqual(hour);
      // Also the shortest next wait is longer than the longest one now, as long as both are below the hour.
      if (attempts < 11) expect(Math.min(...next)).toBeGreaterThan(Math.max(...now));
      if (attempts < 11) expect(new Set(now).size).toBeGreaterThan(1);
    }),
    { numRuns: 60 },
  );
});
