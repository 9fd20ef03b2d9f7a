/** What can be done with back-tests. Who sees one may read it; its job is followed and cancelled as any other. */
import type { TransactionSql } from "postgres";
import { becomeCaller, type Caller, serviceCaller, transactAs } from "../../../shared/callers.ts";
import { AppError, type FieldError } from "../../../shared/errors.ts";
import { createId } from "../../../shared/ids.ts";
import { runBackTest } from "../../../shared/interactions/back-test-kind.ts";
import { type BackTest, backTestDaysMax, type NewBackTest } from "../../../shared/interactions/back-tests.ts";
import { RuleFields } from "../../../shared/interactions/rules.ts";
import { addJob } from "../../../shared/jobs/queue.ts";
import type { Deps } from "../../deps.ts";
import {
  type BackTestCursor,
  findBackTest,
  findNewestTime,
  forgetOldBackTests,
  insertBackTest,
  listBackTests,
} from "./back-test-store.ts";
import { getRule, refuseFaults } from "./rules.ts";

type Database = Pick<Deps, "sql">;

export function showBackTests(
  { sql }: Database,
  caller: Caller,
  { ownerId, ...page }: { ownerId: string | null; before: BackTestCursor | undefined; limit: number },
): Promise<BackTest[]> {
  return transactAs(sql, caller, (transaction) => listBackTests(transaction, ownerId, page));
}

export function showBackTest({ sql }: Database, caller: Caller, id: string): Promise<BackTest> {
  return transactAs(sql, caller, (transaction) => getBackTest(transaction, id));
}

/** Whose log is looked at: that of the rule, or of a rule that is not saved, as asked. */
export function startBackTest(
  { sql, now }: Pick<Deps, "sql" | "now">,
  caller: Caller,
  { id, ownerId: asked, ...news }: NewBackTest & { id: string; ownerId: string | null },
): Promise<BackTest> {
  return transactAs(sql, caller, async (transaction) => {
    const { rule, ownerId } = await chooseRule(transaction, news, asked);
    refuseFaults(rule, "body.rule");
    await becomeCaller(transaction, serviceCaller);
    const newest = await findNewestTime(transaction, ownerId);
    const period = choosePeriod(news, newest === undefined ? now() : new Date(newest));
    const jobId = createId();
    const isNew = await insertBackTest(transaction, { id, ownerId, rule, jobId, ...period });
    if (isNew) {
      await addJob(transaction, runBackTest, {
        id: jobId,
        payload: { backTestId: id },
        ownerId,
        subjectId: id,
      });
      await forgetOldBackTests(transaction, ownerId);
    }
    return getBackTest(transaction, id);
  });
}

async function chooseRule(
  transaction: TransactionSql,
  { rule, ruleId }: NewBackTest,
  asked: string | null,
): Promise<{ rule: RuleFields; ownerId: string | null }> {
  if (rule !== undefined) return { rule, ownerId: asked };
  const known = await getRule(transaction, ruleId ?? "");
  return { rule: RuleFields.parse(known), ownerId: known.ownerId };
}

const msPerHour = 3_600_000;
const msPerDay = 24 * msPerHour;
const usualDays = 28;

/** In full hours, so that weeks and windows begin where statistics do. */
export function choosePeriod(
  { from, to }: Pick<NewBackTest, "from" | "to">,
  newest: Date,
): { from: string; to: string } {
  // What happens at the last moment is within.
  const toMs = Math.ceil((to === undefined ? newest.getTime() + 1 : Date.parse(to)) / msPerHour) * msPerHour;
  const fromMs =
    from === undefined ? toMs - usualDays * msPerDay : Math.floor(Date.parse(from) / msPerHour) * msPerHour;
  const faults: FieldError[] = [];
  if (fromMs >= toMs) {
    const end = to === undefined ? "the newest interaction" : "`to`";
    faults.push({ field: "body.from", message: `must be before ${end}` });
  }
  if (toMs - fromMs > backTestDaysMax * msPerDay) {
    faults.push({ field: "body.from", message: `must be at most ${backTestDaysMax} days before \`to\`` });
  }
  if (faults.length > 0) {
    throw new AppError("invalid_request", "The request is not valid; see `errors`.", { fields: faults });
  }
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}

async function getBackTest(transaction: TransactionSql, id: string): Promise<BackTest> {
  const found = await findBackTest(transaction, id);
  if (!found) throw new AppError("not_found", "There is no such back-test.");
  return found;
}
