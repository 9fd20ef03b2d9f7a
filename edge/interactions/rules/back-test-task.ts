/**
 * Runs a back-test: what the rule judges apart one after another, each in the order of time, page by page. What was found so far
 * is saved with each checkpoint, so that a run that ends early is gone on with and comes to the same.
 */
import type { Sql } from "postgres";
import { z } from "zod";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { AppError } from "../../../shared/errors.ts";
import { Findings, type Period } from "../../../shared/interactions/back-test-findings.ts";
import { comparesValues, countsInWindow } from "../../../shared/interactions/back-test-judging.ts";
import { runBackTest } from "../../../shared/interactions/back-test-kind.ts";
import { describeFindings } from "../../../shared/interactions/back-test-result.ts";
import type { BackTest, BackTestResult } from "../../../shared/interactions/back-tests.ts";
import { labelsOf, metricNumberOf } from "../../../shared/interactions/judging.ts";
import { hoursPerDay } from "../../../shared/interactions/outliers/history.ts";
import type { Rule } from "../../../shared/interactions/rules.ts";
import { defineTask, type Task, type TaskContext } from "../../../shared/jobs/kinds.ts";
import type { Deps } from "../../deps.ts";
import { RowTime } from "../../http/cursors.ts";
import { listGroups } from "../statistics/fence-store.ts";
import { foldAll, readClock } from "../statistics/folding.ts";
import {
  createPageJudge,
  type JudgedTogether,
  listJudgedTogether,
  type PageJudge,
  windowMsOf,
} from "./back-test-judges.ts";
import { type BackTestProgress, findBackTest, findProgress, saveProgress } from "./back-test-store.ts";
import { firstId, type RowsWanted, readRows } from "./row-reader.ts";

export interface BackTestLimits {
  /** That one page looks at, however few of them the rule watches. */
  readonly rowsAtOnce: number;
  /** Pages, rows and work between two checkpoints, whichever comes first. */
  readonly pagesPerSlice: number;
  readonly rowsPerSlice: number;
  readonly workMsPerSlice: number;
}

const usualLimits: BackTestLimits = {
  rowsAtOnce: 5_000,
  pagesPerSlice: 20,
  rowsPerSlice: 40_000,
  workMsPerSlice: 150,
};

export function createBackTestTask({ sql }: Pick<Deps, "sql">, limits: Partial<BackTestLimits> = {}): Task {
  return defineTask(runBackTest, async ({ backTestId }, context) => {
    const { test, known } = await transactAs(sql, serviceCaller, async (transaction) => ({
      test: await findBackTest(transaction, backTestId),
      known: context.cursor ? await findProgress(transaction, backTestId) : undefined,
    }));
    if (!test) throw new AppError("not_found", "The back-test is gone.");
    if (!known) await foldHistory(sql, test.ownerId, context);
    return new BackTestRun({ sql, test, context, limits: { ...usualLimits, ...limits } }, known).run();
  });
}

const FoldCursor = z.object({ until: RowTime });

/** What was logged before it began is history too. */
async function foldHistory(sql: Sql, ownerId: string | null, context: TaskContext): Promise<void> {
  const cursor = FoldCursor.safeParse(context.cursor).data ?? { until: await readClock(sql) };
  await foldAll(sql, {
    ownerId,
    until: cursor.until,
    signal: context.signal,
    pause: () => context.checkpoint(cursor),
  });
}

interface Surroundings {
  readonly sql: Sql;
  readonly test: BackTest;
  readonly context: TaskContext;
  readonly limits: BackTestLimits;
}

type Position = Pick<BackTestProgress, "group" | "after" | "spanHours">;

const microsPerHour = 3_600_000_000;
const spanHoursMax = 400 * hoursPerDay;

class BackTestRun {
  readonly #sql: Sql;
  readonly #test: BackTest;
  readonly #context: TaskContext;
  readonly #limits: BackTestLimits;
  readonly #rule: Rule;
  readonly #period: Period;
  readonly #findings: Findings;
  #known: BackTestProgress | undefined;
  #position: Position;
  #groups = 1;
  #pages = 0;
  #rows = 0;
  #workMs = 0;
  #slices = 0;

  constructor({ sql, test, context, limits }: Surroundings, known: BackTestProgress | undefined) {
    this.#sql = sql;
    this.#test = test;
    this.#context = context;
    this.#limits = limits;
    const { id, ownerId, createdAt } = test;
    this.#rule = { ...test.rule, id, ownerId, createdAt, updatedAt: createdAt };
    this.#period = { fromMs: Date.parse(test.from), toMs: Date.parse(test.to) };
    this.#findings = new Findings(test.rule, this.#period, known?.findings);
    this.#known = known;
    this.#position = known ?? { group: 0, after: null, spanHours: hoursPerDay };
  }

  async run(): Promise<BackTestResult> {
    const groups = await transactAs(this.#sql, serviceCaller, (transaction) =>
      listGroups(transaction, this.#test.ownerId),
    );
    const apart = listJudgedTogether(this.#rule, groups);
    this.#groups = apart.length;
    for (const together of apart.slice(this.#position.group)) {
      await this.#runTogether(together);
      this.#findings.endGroup();
      this.#known = undefined;
      this.#position = { ...this.#position, group: this.#position.group + 1, after: null };
      await this.#pauseWhenDue();
    }
    const byId = new Map(groups.map((group) => [group.id, group]));
    return describeFindings(this.#findings.toState(), {
      rule: this.#rule,
      period: this.#period,
      groups: apart.length,
      labelsOf: (id) => {
        const group = byId.get(id);
        if (!group) return {};
        return windowMsOf(this.#rule) > 0 ? labelsOf(this.#rule, group) : group;
      },
    });
  }

  async #runTogether(together: JudgedTogether): Promise<void> {
    const { rowsAtOnce } = this.#limits;
    const judge = await createPageJudge(
      {
        sql: this.#sql,
        rule: this.#rule,
        period: this.#period,
        findings: this.#findings,
        known: this.#known,
      },
      together,
    );
    const wanted = this.#wantRows(together);
    const endAt = this.#period.toMs * 1000;
    const beginAt = (this.#period.fromMs - windowMsOf(this.#rule)) * 1000;
    let { at, id } = this.#position.after ?? { at: beginAt, id: firstId };
    while (at < endAt) {
      this.#context.signal.throwIfAborted();
      const toAt = Math.min(endAt, at + this.#position.spanHours * microsPerHour);
      await judge.prepare(toAt);
      const range = { afterAt: at, afterId: id, toAt };
      const { rows, looked, stop } = await readRows(this.#sql, wanted, range, rowsAtOnce);
      const beganMs = performance.now();
      for (const row of rows) if (countsInWindow(this.#rule, row.value)) judge.add(row);
      this.#workMs += performance.now() - beganMs;
      ({ at, id } = stop ?? { at: toAt, id: firstId });
      this.#position = { ...this.#position, after: { at, id }, spanHours: this.#nextSpan(looked) };
      this.#rows += looked;
      await this.#pauseWhenDue(judge);
    }
    judge.end();
  }

  #wantRows({ ids, isAll }: JudgedTogether): RowsWanted {
    return {
      ownerId: this.#test.ownerId,
      groupIds: isAll ? null : ids,
      metricNumber: comparesValues(this.#rule) ? (metricNumberOf(this.#rule) ?? null) : null,
      tags: this.#rule.tags,
      withOthers: this.#rule.condition.type === "outlier",
    };
  }

  /** As many hours as are about to fill a page. */
  #nextSpan(looked: number): number {
    const { spanHours } = this.#position;
    if (looked >= this.#limits.rowsAtOnce) return Math.max(1, Math.floor(spanHours / 2));
    return looked < this.#limits.rowsAtOnce / 3 ? Math.min(spanHours * 2, spanHoursMax) : spanHours;
  }

  async #pauseWhenDue(judge?: PageJudge): Promise<void> {
    this.#pages += 1;
    this.#tell();
    const { pagesPerSlice, rowsPerSlice, workMsPerSlice } = this.#limits;
    const isDue =
      this.#pages >= pagesPerSlice || this.#rows >= rowsPerSlice || this.#workMs >= workMsPerSlice;
    if (!isDue) return;
    this.#pages = 0;
    this.#rows = 0;
    this.#workMs = 0;
    this.#slices += 1;
    const progress: BackTestProgress = {
      ...this.#position,
      ...(judge?.save() ?? { windows: null, history: null }),
      findings: this.#findings.toState(),
    };
    await this.#context.checkpoint({ slices: this.#slices }, (transaction) =>
      saveProgress(transaction, this.#test.id, progress),
    );
  }

  /** In hours of the period, of all that is judged apart. */
  #tell(): void {
    const { fromMs, toMs } = this.#period;
    const hours = (toMs - fromMs) / 3_600_000;
    const { group, after } = this.#position;
    const ofGroup = after === null ? 0 : Math.max(0, Math.floor((after.at / 1000 - fromMs) / 3_600_000));
    const done = Math.min(group * hours + ofGroup, this.#groups * hours);
    this.#context.reportProgress(done, this.#groups * hours, `${this.#findings.judged} interactions judged`);
  }
}
