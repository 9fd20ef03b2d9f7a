/**
 * The watch: what nobody's request does. Every minute, and as many at once as there are: each step takes what no other
 * holds, and finds what was just done no more to do. One that dies is finished by the next.
 *
 *   fold what waits, of each owner ─▶ judge rates and what is missing ─▶ tend alerts: end, tell late, tell again
 */
import { z } from "zod";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { type WatchOutcome, watchInteractions } from "../../../shared/interactions/kinds.ts";
import { defineTask, type Task, type TaskContext } from "../../../shared/jobs/kinds.ts";
import { describeError } from "../../../shared/log.ts";
import type { Deps } from "../../deps.ts";
import { foldBatches } from "../statistics/fold.ts";
import { glance, listOwnersToFold, tendAlerts } from "./watch-store.ts";
import { judgeNextRule } from "./window-rules.ts";

export interface WatchLimits {
  /** Rows that one transaction folds. Default 5,000. */
  readonly foldRowsMax?: number;
  /** Transactions that fold for one owner; the rest waits for the next minute. Default 40. */
  readonly foldsMax?: number;
  /** Rules in one run. Default 1,000. */
  readonly rulesMax?: number;
  /** Alerts in one transaction. Default 100. */
  readonly alertsMax?: number;
}

type Watching = Pick<Deps, "sql" | "log">;

const Cursor = z.object({
  step: z.enum(["fold", "judge", "tend"]),
  /** The last alert that was looked at. */
  after: z.uuid().nullable(),
  rules: z.int().min(0),
  outcome: z.object({
    rowsFolded: z.int(),
    rulesJudged: z.int(),
    alertsResolved: z.int(),
    alertsTold: z.int(),
    troubles: z.int(),
  }),
});
type Cursor = z.infer<typeof Cursor>;

export function createWatchTask(deps: Watching, limits: WatchLimits = {}): Task {
  return defineTask(watchInteractions, (_payload, context) => watch(deps, limits, context));
}

const beginning = (): Cursor => ({
  step: "fold",
  after: null,
  rules: 0,
  outcome: { rowsFolded: 0, rulesJudged: 0, alertsResolved: 0, alertsTold: 0, troubles: 0 },
});

async function watch(deps: Watching, limits: WatchLimits, context: TaskContext): Promise<WatchOutcome> {
  const cursor = Cursor.safeParse(context.cursor).data ?? beginning();
  const { isAnyPending, isAnyRuleDue } = await transactAs(deps.sql, serviceCaller, glance);
  if (cursor.step === "fold") {
    if (isAnyPending) await foldOwners(deps, limits, { context, cursor });
    cursor.step = "judge";
  }
  if (cursor.step === "judge") {
    if (isAnyRuleDue) await judgeRules(deps, limits, { context, cursor });
    cursor.step = "tend";
  }
  // Asked again: a rule may just have opened the first one.
  const { isAnyUnresolved } = await transactAs(deps.sql, serviceCaller, glance);
  if (isAnyUnresolved) await tend(deps, limits, { context, cursor });
  return cursor.outcome;
}

/** How far the run is; `cursor` is changed as it goes on. */
interface Run {
  readonly context: TaskContext;
  readonly cursor: Cursor;
}

function tellTrouble({ log }: Watching, { cursor }: Run, about: Record<string, unknown>): void {
  cursor.outcome.troubles += 1;
  log.warn("interactions.trouble", about);
}

async function foldOwners(
  deps: Watching,
  { foldRowsMax: rowsMax = 5_000, foldsMax = 40 }: WatchLimits,
  run: Run,
): Promise<void> {
  const { context, cursor } = run;
  for (const ownerId of await transactAs(deps.sql, serviceCaller, listOwnersToFold)) {
    try {
      for (let folds = 0; folds < foldsMax && !context.signal.aborted; folds++) {
        const { rows, batches } = await foldBatches(deps.sql, ownerId, { rowsMax });
        // Nothing waits any more, or another folds.
        if (batches === 0) break;
        cursor.outcome.rowsFolded += rows;
        await context.checkpoint(cursor);
      }
    } catch (error) {
      if (context.signal.aborted) throw error;
      tellTrouble(deps, run, { doing: "fold", ownerId, error: describeError(error) });
    }
  }
}

async function judgeRules(deps: Watching, { rulesMax = 1_000 }: WatchLimits, run: Run): Promise<void> {
  const { context, cursor } = run;
  while (cursor.rules < rulesMax && !context.signal.aborted) {
    const judged = await judgeNextRule(deps);
    if (!judged) break;
    cursor.rules += 1;
    const { ruleId, trouble, undecided, resolved } = judged;
    if (trouble !== undefined)
      tellTrouble(deps, run, { doing: "judge", ruleId, error: describeError(trouble) });
    else cursor.outcome.rulesJudged += 1;
    if (undecided > 0) tellTrouble(deps, run, { doing: "judge", ruleId, undecided });
    cursor.outcome.alertsResolved += resolved;
    await context.checkpoint(cursor);
  }
}

async function tend(deps: Watching, { alertsMax: rowsMax = 100 }: WatchLimits, run: Run): Promise<void> {
  const { context, cursor } = run;
  while (!context.signal.aborted) {
    const tended = await transactAs(deps.sql, serviceCaller, (transaction) =>
      tendAlerts(transaction, { after: cursor.after, rowsMax }),
    );
    for (const { id, done, error } of tended) {
      if (error !== null) tellTrouble(deps, run, { doing: "tend", alertId: id, error });
      else if (done === "resolved") cursor.outcome.alertsResolved += 1;
      else cursor.outcome.alertsTold += 1;
    }
    cursor.after = tended.at(-1)?.id ?? cursor.after;
    if (tended.length < rowsMax) break;
    await context.checkpoint(cursor);
  }
}
