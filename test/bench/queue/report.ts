/** Runs into tables: a row a contender, a column a kind of run. Pure. */
import { median, percentile, round } from "../sidecar/measure.ts";
import type { EnqueueResult } from "./child.ts";
import type { Enqueues, Pickups } from "./pickup.ts";
import { type Outcome, rateOf } from "./throughput.ts";

type Row = Record<string, string | number>;

export const columnOf = ({ workMs, handlers }: Pick<Outcome, "workMs" | "handlers">) =>
  `${workMs === 0 ? "no-op" : `${workMs} ms`}, ${handlers}`;

/** The median of the rounds, and how far they lie apart. */
export function describeRates(rates: readonly number[]): string {
  if (rates.length === 0) return "not run";
  const [least, most] = [Math.min(...rates), Math.max(...rates)];
  const spread = rates.length === 1 ? "" : ` (${thousands(least)}–${thousands(most)})`;
  return `${thousands(median(rates))}${spread}`;
}

const thousands = (value: number) => Math.round(value).toLocaleString("en-US");

/** One row a contender, with `describe` in the column of each kind of run. */
function pivot(outcomes: readonly Outcome[], describe: (outcome: Outcome) => string): Row[] {
  const rows = new Map<string, Row>();
  for (const outcome of outcomes) {
    const row = rows.get(outcome.entry.name) ?? { contender: outcome.entry.name };
    row[columnOf(outcome)] = outcome.results.length === 0 ? "not run" : describe(outcome);
    rows.set(outcome.entry.name, row);
  }
  return [...rows.values()];
}

export const tabulateRates = (outcomes: readonly Outcome[]) =>
  pivot(outcomes, ({ results }) => describeRates(results.map(rateOf)));

/** Seconds of processors for 1,000 jobs. */
export const tabulateCosts = (outcomes: readonly Outcome[]) =>
  pivot(outcomes, ({ results }) => {
    const each = (of: "clientMs" | "postgresMs") =>
      round(median(results.map(({ cost, jobs }) => cost[of] / jobs)), 3);
    return `${each("clientMs")} + ${each("postgresMs")}`;
  });

/** With what each one ran, how long its work took, and what others took of the machine meanwhile. */
export const tabulateShapes = (outcomes: readonly Outcome[]) =>
  pivot(outcomes, ({ choice, jobs, results }) => {
    const shape = Object.entries(choice?.shape ?? {}).map(([name, value]) => `${name} ${value}`);
    const foreign = round(median(results.map(({ cost }) => cost.foreignCores)), 1);
    return [choice?.runtime, ...shape, `${jobs} jobs`, `others ${foreign} cores`].join(", ");
  });

export interface Verdict {
  readonly runs: number;
  readonly jobs: number;
  readonly mishandled: number;
  readonly unacknowledged: number;
  readonly problems: readonly string[];
}

/** Whether each job was handled once and is known to have ended. */
export function verify(outcomes: readonly Outcome[]): Record<string, Verdict> {
  const verdicts: Record<string, Verdict> = {};
  for (const { entry, jobs, results, problems } of outcomes) {
    const before = verdicts[entry.name];
    const sum = (of: "mishandled" | "unacknowledged") => results.reduce((all, one) => all + one[of], 0);
    verdicts[entry.name] = {
      runs: (before?.runs ?? 0) + results.length,
      jobs: (before?.jobs ?? 0) + jobs * results.length,
      mishandled: (before?.mishandled ?? 0) + sum("mishandled"),
      unacknowledged: (before?.unacknowledged ?? 0) + sum("unacknowledged"),
      problems: [...(before?.problems ?? []), ...problems],
    };
  }
  return verdicts;
}

export function tabulateVerdicts(outcomes: readonly Outcome[]): Row[] {
  return Object.entries(verify(outcomes)).map(([contender, verdict]) => ({
    contender,
    ...verdict,
    problems: describeProblems(verdict.problems),
  }));
}

const describeProblems = (problems: readonly string[]) =>
  problems.map((problem) => problem.slice(0, 200)).join("; ");

/** Of several runtimes the one with the least p50. */
export function tabulatePickups(lanes: readonly Pickups[]): Row[] {
  const score = ({ delaysMs }: Pickups) => -percentile(delaysMs, 0.5);
  return bestOf(lanes, score).map(({ name, runtime, delaysMs, problems }) => ({
    contender: name,
    runtime,
    jobs: delaysMs.length,
    p50Ms: round(percentile(delaysMs, 0.5), 1),
    p99Ms: round(percentile(delaysMs, 0.99), 1),
    maxMs: round(percentile(delaysMs, 1), 1),
    problems: describeProblems(problems),
  }));
}

export function tabulateEnqueues(lanes: readonly Enqueues[]): Row[] {
  const medianOf = (results: readonly EnqueueResult[], of: keyof EnqueueResult) =>
    median(results.map((result) => result[of]));
  return bestOf(lanes, ({ results }) => medianOf(results, "concurrentPerSecond")).map(
    ({ name, runtime, results, problems }) => ({
      contender: name,
      runtime,
      "one by one": describeRates(results.map((result) => result.sequentialPerSecond)),
      "16 in flight": describeRates(results.map((result) => result.concurrentPerSecond)),
      "in bulk": describeRates(results.map((result) => result.bulkPerSecond)),
      problems: describeProblems(problems),
    }),
  );
}

function bestOf<Lane extends { readonly name: string }>(
  lanes: readonly Lane[],
  score: (lane: Lane) => number,
): Lane[] {
  const best = new Map<string, Lane>();
  for (const lane of lanes) {
    const before = best.get(lane.name);
    // A lane that has nothing to show scores NaN, which is not less than anything.
    if (!before || Number.isNaN(score(before)) || score(lane) > score(before)) best.set(lane.name, lane);
  }
  return [...best.values()];
}
