import { expect, test } from "vitest";
import type { RunResult } from "./child.ts";
import { runLimited } from "./contender.ts";
import { costBetween, parseProcessTimes } from "./cpu.ts";
import { entries } from "./entries.ts";
import { isChosen, readQueueOptions } from "./options.ts";
import {
  describeRates,
  tabulateCosts,
  tabulateEnqueues,
  tabulatePickups,
  tabulateRates,
  verify,
} from "./report.ts";
import type { Outcome } from "./throughput.ts";

const [bare, graphile] = entries;

function toResult(seconds: number, overrides: Partial<RunResult> = {}): RunResult {
  return {
    jobs: 900,
    cost: { seconds, clientMs: 90, postgresMs: 180, foreignCores: 0 },
    workMeanMs: 0,
    mishandled: 0,
    unacknowledged: 0,
    ...overrides,
  };
}

function toOutcome(overrides: Partial<Outcome> = {}): Outcome {
  if (!bare) throw new Error("There are no entries.");
  const results = [toResult(1), toResult(3), toResult(2)];
  const choice = { runtime: "bun", shape: { loops: 1 }, perSecond: 450 } as const;
  return { entry: bare, handlers: 16, workMs: 0, choice, jobs: 1_000, results, problems: [], ...overrides };
}

test("a rate is the median of its rounds, with the least and the most", () => {
  expect(describeRates([450, 300, 900])).toBe("450 (300–900)");
  expect(describeRates([12_345.6])).toBe("12,346");
  expect(describeRates([])).toBe("not run");
});

test("a table has a row a contender and a column a kind of run", () => {
  if (!graphile) throw new Error("There is one entry.");
  const outcomes = [
    toOutcome(),
    toOutcome({ workMs: 1, handlers: 1 }),
    toOutcome({ entry: graphile, results: [], problems: ["it ended"] }),
  ];
  expect(tabulateRates(outcomes)).toEqual([
    { contender: bare?.name, "no-op, 16": "450 (300–900)", "1 ms, 1": "450 (300–900)" },
    { contender: graphile.name, "no-op, 16": "not run" },
  ]);
});

test("costs are of the jobs that were counted", () => {
  expect(tabulateCosts([toOutcome()])).toEqual([{ contender: bare?.name, "no-op, 16": "0.1 + 0.2" }]);
});

test("what was handled twice or not ended in any round is in the verdict", () => {
  const results = [toResult(1), toResult(1, { mishandled: 2 }), toResult(1, { unacknowledged: 3 })];
  const outcomes = [toOutcome({ results }), toOutcome({ workMs: 1, problems: ["late"] })];
  expect(verify(outcomes)).toEqual({
    [bare?.name ?? ""]: { runs: 6, jobs: 6_000, mishandled: 2, unacknowledged: 3, problems: ["late"] },
  });
});

test("of two runtimes the better one is shown", () => {
  const lane = { name: "one", problems: [] };
  const pickups = tabulatePickups([
    { ...lane, runtime: "bun", delaysMs: [5, 5, 9] },
    { ...lane, runtime: "node", delaysMs: [1, 2, 30] },
  ]);
  expect(pickups).toMatchObject([{ runtime: "node", jobs: 3, p50Ms: 2, p99Ms: 30 }]);
  const rates = (perSecond: number) => ({
    sequentialPerSecond: 1,
    concurrentPerSecond: perSecond,
    bulkPerSecond: 1,
  });
  const enqueues = tabulateEnqueues([
    { ...lane, runtime: "bun", results: [rates(20)] },
    { ...lane, runtime: "node", results: [rates(10)] },
  ]);
  expect(enqueues).toMatchObject([{ runtime: "bun", "16 in flight": "20" }]);
});

test("a lane that failed every time does not stand before one that did not", () => {
  const lane = { name: "one", problems: [] };
  const pickups = tabulatePickups([
    { ...lane, runtime: "bun", delaysMs: [], problems: ["it ended"] },
    { ...lane, runtime: "node", delaysMs: [3] },
  ]);
  expect(pickups).toMatchObject([{ runtime: "node", p50Ms: 3 }]);
});

test("a process is read from /proc, whatever its name is", () => {
  const rest = `S 42 1 1 0 -1 4194304 100 200 0 0 7 5 30 20 ${"0 ".repeat(30)}`;
  expect(parseProcessTimes(`77 (postgres: a) b) ${rest}`)).toEqual({
    pid: 77,
    parent: 42,
    name: "postgres: a) b",
    ownMs: 120,
    endedChildrenMs: 500,
  });
  expect(parseProcessTimes("")).toBeUndefined();
});

test("others took what neither the client nor the server did", () => {
  const before = { atMs: 0, clientMs: 0, postgresMs: 0, allMs: 0 };
  const after = { atMs: 1_000, clientMs: 500, postgresMs: 700, allMs: 1_900 };
  expect(costBetween(before, after)).toEqual({
    seconds: 1,
    clientMs: 500,
    postgresMs: 700,
    foreignCores: 0.7,
  });
});

test("no more run at once than may, and each runs once, in order", async () => {
  const ran: number[] = [];
  let [running, most] = [0, 0];
  await runLimited([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    ran.push(item);
    most = Math.max(most, ++running);
    await Promise.resolve();
    running -= 1;
  });
  expect(ran).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(most).toBe(3);
});

test.each([
  ["nothing", {}, { handlers: [1, 16, 64], rounds: 3, only: [], runtimes: ["bun", "node"] }],
  [
    "everything",
    {
      "--jobs": "5000",
      "--handlers": "2,4",
      "--rounds": "5",
      "--only": "ours,graphile",
      "--runtime": "node",
    },
    { jobs: 5_000, handlers: [2, 4], rounds: 5, only: ["ours", "graphile"], runtimes: ["node"] },
  ],
] as const)("options are read where %s is said", (_what, given: Record<string, string>, expected) => {
  expect(readQueueOptions((option) => given[option], false)).toEqual(expected);
});

test.each([
  ["--jobs", "many"],
  ["--handlers", "1,0"],
  ["--rounds", "1.5"],
  ["--runtime", "deno"],
])("%s %s is refused", (option, value) => {
  expect(() => readQueueOptions((asked) => (asked === option ? value : undefined), false)).toThrow(option);
});

test("contenders are chosen by how their names begin", () => {
  expect(isChosen("ours, unbatched", { only: ["ours", "graphile"] })).toBe(true);
  expect(isChosen("pg-boss, fetch", { only: ["ours", "graphile"] })).toBe(false);
  expect(isChosen("pg-boss, fetch", { only: [] })).toBe(true);
});

test("a contender never handles more at once than was asked", () => {
  for (const { shapes } of entries) {
    for (const handlers of [1, 16, 64]) {
      for (const { loops = 1, localConcurrency = 1 } of shapes(handlers)) {
        expect(Math.max(loops, localConcurrency)).toBeLessThanOrEqual(handlers);
      }
    }
  }
});
