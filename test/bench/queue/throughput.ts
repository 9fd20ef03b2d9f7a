import type { RunResult } from "./child.ts";
import type { Shape } from "./contender.ts";
import { type Entry, entries } from "./entries.ts";
import type { Field } from "./field.ts";
import { isChosen, type QueueOptions, type Runtime } from "./options.ts";

/** What an entry goes into the rounds with. */
export interface Choice {
  readonly runtime: Runtime;
  readonly shape: Shape;
  readonly perSecond: number;
}

/** Every round of one entry with so many handlers and so much work. */
export interface Outcome {
  readonly entry: Entry;
  readonly handlers: number;
  readonly workMs: number;
  readonly choice: Choice | undefined;
  readonly jobs: number;
  readonly results: readonly RunResult[];
  readonly problems: readonly string[];
}

/** How long a run takes, and how many jobs it has at most. */
const [secondsWanted, jobsMost, jobsLeast] = [4, 40_000, 300];

export async function measureThroughput(
  field: Field,
  options: QueueOptions,
  quick: boolean,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const chosen = entries.filter((entry) => isChosen(entry.name, options));
  for (const workMs of [0, 1]) {
    for (const handlers of options.handlers) {
      // A whole run takes half an hour; tables come at its end.
      console.error(`${workMs === 0 ? "no-op" : `${workMs} ms`}, handlers: ${handlers}`);
      outcomes.push(...(await runRounds(field, chosen, { ...options, workMs, handlers, quick })));
    }
  }
  return outcomes;
}

type Setting = Omit<QueueOptions, "handlers"> & { workMs: number; handlers: number; quick: boolean };

/** All in turns, round by round, so that whatever else the machine does meets all of them. */
async function runRounds(field: Field, chosen: readonly Entry[], setting: Setting): Promise<Outcome[]> {
  const { workMs, handlers, rounds } = setting;
  const choices = new Map<string, Choice>();
  const problems = new Map<string, string[]>(chosen.map(({ name }) => [name, []]));
  for (const entry of chosen) {
    const choice = await choose(field, entry, setting, choices).catch((error) => {
      problems.get(entry.name)?.push(String(error));
    });
    if (choice) choices.set(entry.name, choice);
  }
  const results = new Map<string, RunResult[]>(chosen.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const entry of chosen) {
      const choice = choices.get(entry.name);
      if (!choice) continue;
      await runOnce(field, entry, choice, { workMs, handlers, jobs: jobsOf(choice, setting) }).then(
        (result) => results.get(entry.name)?.push(result),
        (error) => problems.get(entry.name)?.push(String(error)),
      );
    }
  }
  return chosen.map((entry) => {
    const choice = choices.get(entry.name);
    return {
      entry,
      handlers,
      workMs,
      choice,
      jobs: choice ? jobsOf(choice, setting) : 0,
      results: results.get(entry.name) ?? [],
      problems: problems.get(entry.name) ?? [],
    };
  });
}

function jobsOf({ perSecond }: Choice, { jobs, quick }: Setting): number {
  if (jobs !== undefined) return jobs;
  const wanted = Math.round(perSecond * (quick ? 1 : secondsWanted));
  return Math.min(jobsMost, Math.max(jobsLeast, wanted));
}

type Size = { workMs: number; handlers: number; jobs: number };

async function runOnce(
  field: Field,
  { library, mode }: Entry,
  { runtime, shape }: Pick<Choice, "runtime" | "shape">,
  size: Size,
): Promise<RunResult> {
  const contestant = await field.contestant(library, runtime);
  return contestant.ask("run", { mode, shape, ...size });
}

export const rateOf = ({ jobs, cost }: RunResult) => jobs / cost.seconds;

/** A short run of each shape on each runtime, after one that warms up; the fastest goes on. */
async function choose(
  field: Field,
  entry: Entry,
  setting: Setting,
  choices: ReadonlyMap<string, Choice>,
): Promise<Choice> {
  const { workMs, handlers, quick } = setting;
  const taken = entry.shapedAs === undefined ? undefined : choices.get(entry.shapedAs);
  const all = taken ? [taken.shape] : entry.shapes(handlers);
  const shapes = quick ? all.slice(0, 1) : all;
  const runtimes = entry.runtimes.filter((runtime) => field.runtimes.includes(runtime));
  const tried: Choice[] = [];
  for (const runtime of runtimes) {
    for (const shape of shapes) {
      const probe = await runOnce(field, entry, { runtime, shape }, { workMs, handlers, jobs: jobsLeast });
      const jobs = Math.min(20_000, Math.round(rateOf(probe) * (quick ? 0.3 : 0.8)));
      const isLong = jobs <= jobsLeast || (quick && shapes.length * runtimes.length === 1);
      const trial = isLong
        ? probe
        : await runOnce(field, entry, { runtime, shape }, { workMs, handlers, jobs });
      tried.push({ runtime, shape, perSecond: rateOf(trial) });
    }
  }
  const [best] = tried.sort((one, other) => other.perSecond - one.perSecond);
  if (!best) throw new Error(`${entry.name} has no runtime here`);
  return best;
}
