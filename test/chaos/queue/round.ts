/**
 * One scenario from its seed:
 *
 *   work arrives, runners work, all is hurt ──▶ healed ──▶ all accepted ──▶ all ended ──▶ each runner works ──▶ judged
 */
import { seededRandom } from "../../helpers/pictures.ts";
import { checkFacts, groupByJob, type History, type Problem } from "./check.ts";
import type { QueueServer } from "./database.ts";
import { type Expected, type Facts, readFacts } from "./facts.ts";
import { planCalls } from "./plan.ts";
import { readRecord } from "./record.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";

export interface RoundOptions {
  readonly seed: number;
  readonly jobs: number;
  readonly hurtMs: number;
  /** From the end of the hurting until all must have ended. */
  readonly patienceMs: number;
  readonly leaseSeconds: number;
  /** After which a runner cuts a silent connection; by default as in a sidecar. */
  readonly silenceSeconds?: number;
}

export interface Report {
  readonly scenario: string;
  readonly seed: number;
  readonly jobs: number;
  readonly done: number;
  readonly failed: number;
  readonly cancelled: number;
  /** What was done to them, and how often. */
  readonly hurts: string;
  /** Leases that ran out and were taken back. */
  readonly reclaims: number;
  /** Claims that a runner found to be another's. */
  readonly lost: number;
  /** Calls of the enqueuer without a clear answer. */
  readonly unclear: number;
  /** Errors that runners met, 53300 (no connection is free) among them. */
  readonly troubles: number;
  readonly refusals: number;
  readonly seconds: number;
  /** What is not as it must be, with the events of the jobs; empty when all is well. */
  readonly problems: readonly string[];
}

const runnersMax = 4;

export async function runRound(
  queue: QueueServer,
  scenario: Scenario,
  options: RoundOptions,
): Promise<Report> {
  const startedAtMs = performance.now();
  const stage = await Stage.open(queue, {
    ...options,
    runnersMax,
    random: seededRandom(options.seed * 7919),
    environmentOf: scenario.environmentOf ?? (() => ({})),
  });
  try {
    await scenario.prepare?.(stage);
    await stage.startCrew();
    stage.startEnqueuer();
    await scenario.hurt(stage, performance.now() + options.hurtMs);
    const { problems: refused, unclear } = await stage.awaitEnqueuer(options.patienceMs);
    const open = await stage.awaitEnds(options.patienceMs);
    const idle = await stage.probeCrew(15_000);
    const ends = await stage.stopCrew(20_000);
    const facts = await readFacts(stage.database.sql);
    const expected = await readExpected(stage);
    const judged = describeProblems(facts, checkFacts(facts, expected));
    const problems = [...refused, ...open, ...idle, ...ends, ...judged];
    return { ...count(stage, facts), unclear, problems, ...summarize(scenario, options, startedAtMs) };
  } finally {
    await stage.close();
  }
}

function summarize(scenario: Scenario, { seed }: RoundOptions, startedAtMs: number) {
  return { scenario: scenario.name, seed, seconds: Math.round((performance.now() - startedAtMs) / 1000) };
}

async function readExpected(stage: Stage): Promise<Expected> {
  const { calls } = planCalls(stage.options.seed, stage.options.jobs);
  const orders = calls.flatMap(({ way, orders }) =>
    orders.map(({ number, kind, subjectId }) => [number, { kind, subjectId, way }] as const),
  );
  const { leaseSeconds } = stage.options;
  return { accepted: await readRecord(stage.recordPath), orders: new Map(orders), leaseSeconds };
}

function count(stage: Stage, facts: Facts) {
  const inState = (state: string) => facts.jobs.filter((job) => job.state === state).length;
  const said = (matches: Parameters<(typeof stage.crew)[0]["count"]>[0]) =>
    stage.crew.reduce((sum, member) => sum + member.count(matches), 0);
  return {
    jobs: facts.jobs.length,
    done: inState("done"),
    failed: inState("failed"),
    cancelled: inState("cancelled"),
    hurts: [...stage.hurts].map(([what, times]) => `${times} ${what}`).join(", "),
    reclaims: facts.changes.filter((change) => change.isLost).length,
    lost: said(({ event }) => event === "lost"),
    troubles: said(({ event }) => event === "trouble"),
    refusals: said(({ event, code }) => event === "trouble" && code === "53300"),
  };
}

const toldMax = 10;

/** The first of them, each with all that is known of its job. */
function describeProblems(facts: Facts, problems: readonly Problem[]): string[] {
  const histories = groupByJob(facts);
  const told = problems.slice(0, toldMax).map(({ what, jobId }) => {
    const history = jobId === undefined ? undefined : histories.get(jobId);
    return history ? `${jobId} ${what}\n    ${describeHistory(history)}` : what;
  });
  return problems.length > toldMax ? [...told, `and ${problems.length - toldMax} more`] : told;
}

function describeHistory({ job, events, changes, landings, steps }: History): string {
  return JSON.stringify({
    ...job,
    events: events.map((event) => `${event.sequence} ${event.event}`),
    changes: changes.map(({ jobId: _, ...change }) => change),
    landings: landings.map((landing) => `${landing.what} ${landing.code ?? ""}`.trim()),
    steps: steps.map(({ step }) => step),
  });
}
