/**
 * The queue's own SQL functions, driven by workers, clients and a clock that do what a seed says, and judged by its laws
 * after every move. A run that fails names its seed, leaves out the moves that the failure does not need, and prints the rest.
 *
 *   SIMULATION_SEED=17 bun run test test/shared/jobs/simulation.test.ts      that seed
 *   SIMULATION_SEEDS=3000 bun run test test/shared/jobs/simulation.test.ts   so many, from 1 or from SIMULATION_SEED
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mutants, plant, unfenced } from "./simulation/mutants.ts";
import { explain, type Outcome, openSimulation, runSeed, shrink } from "./simulation/simulation.ts";
import type { Simulation } from "./simulation/stage.ts";

const firstSeed = Number(process.env.SIMULATION_SEED ?? 1);
const seeds = Number(process.env.SIMULATION_SEEDS ?? (process.env.SIMULATION_SEED ? 1 : 60));
const timeoutMs = 60_000 + seeds * 5_000;

let simulation: Simulation;
beforeAll(async () => {
  simulation = await openSimulation();
});
afterAll(() => simulation[Symbol.asyncDispose]());

test("every function of the queue that asks for the time reads the virtual clock", () => {
  const functions = [
    "add_jobs",
    "claim_jobs",
    "heartbeat_jobs",
    "report_progress",
    "complete_jobs",
    "end_tries",
  ];
  expect(simulation.functions).toEqual(
    expect.arrayContaining([
      ...functions,
      "cancel_job",
      "retry_job",
      "expire_jobs",
      "prune_jobs",
      "refuse_too_many",
    ]),
  );
});

test(`no law is broken in ${seeds} lives of the queue (from seed ${firstSeed})`, {
  timeout: timeoutMs,
}, async () => {
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const outcome = await runSeed(simulation, seed);
    if (outcome.brokenAt !== undefined) expect.fail(explain(await shrink(simulation, outcome)));
  }
});

test("a seed tells the same story every time", async () => {
  const stories = [await runSeed(simulation, firstSeed), await runSeed(simulation, firstSeed)];
  expect(stories[1]?.log).toEqual(stories[0]?.log);
});

/** Several connections, and moves that begin together: only a server runs them at the same time. */
test.runIf(process.env.TEST_DATABASE_URL)(
  `no law is broken when all move at once (from seed ${firstSeed})`,
  { timeout: timeoutMs },
  async () => {
    await using crowd = await openSimulation(5);
    for (let seed = firstSeed; seed < firstSeed + Math.ceil(seeds / 4); seed++) {
      const outcome = await runSeed(crowd, seed, { moves: 120, atOnce: 5 });
      if (outcome.brokenAt !== undefined) expect.fail(explain(outcome));
    }
  },
);

describe("a queue that is broken on purpose breaks a law", () => {
  const seedsMax = 150;

  // All of them take a minute on PGlite.
  test.each(process.env.TEST_DATABASE_URL ? mutants : unfenced)(
    "$name",
    { timeout: 120_000 },
    async (mutant) => {
      const mend = await plant(simulation.admin, mutant);
      try {
        expect(await findBroken(seedsMax)).toBeDefined();
      } finally {
        await mend();
      }
    },
  );

  async function findBroken(most: number): Promise<Outcome | undefined> {
    for (let seed = 1; seed <= most; seed++) {
      const outcome = await runSeed(simulation, seed);
      if (outcome.brokenAt !== undefined) return outcome;
    }
    return undefined;
  }
});
