/**
 * The ways in which `bun run chaos` hurts the queue, each for a few seconds with as many jobs as fit. `CHAOS=1` runs
 * it on a Postgres of its own, which `POSTGRES17` starts and crashes. Nothing here is timed: it counts.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openQueueServer, type QueueServer } from "./database.ts";
import { type Report, runRound } from "./round.ts";
import { scenarios } from "./scenarios.ts";

const script = process.env.POSTGRES17 ?? "";
const seed = Number(process.env.CHAOS_SEED ?? 1);
/** Leases and limits are short as well: what is lost is back the sooner. */
const short = { jobs: 1_500, hurtMs: 6_000, patienceMs: 150_000, leaseSeconds: 2, silenceSeconds: 2 };

describe.runIf(process.env.CHAOS && script)("the queue", () => {
  let queue: QueueServer;
  const reports: Report[] = [];

  beforeAll(async () => {
    queue = await openQueueServer(script, 5);
  });

  afterAll(async () => {
    console.table(reports.map(({ problems: _, hurts, ...figures }) => ({ ...figures, hurts })));
    await queue?.close();
  });

  test.each(scenarios)(
    "$name: each job ends once, lands once, and tells all of it",
    async (scenario) => {
      const report = await runRound(queue, scenario, { ...short, seed });
      reports.push(report);
      expect(report.problems, `bun run chaos "${scenario.name}" --seed ${seed}`).toEqual([]);
      expect(report.jobs).toBeGreaterThanOrEqual(short.jobs);
      // It did hurt.
      for (const what of scenario.feels) expect(report[what], `${what}: ${report.hurts}`).toBeGreaterThan(0);
    },
    400_000,
  );
});
