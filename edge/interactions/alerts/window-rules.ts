/**
 * Judges the rules of rates and of what is missing. Each is taken, judged, and its alerts are raised and ended in one
 * transaction that holds the rule: two at once judge different ones, and one that was just judged is not due.
 */
import type { TransactionSql } from "postgres";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import type { Rule } from "../../../shared/interactions/rules.ts";
import { isMissingRule, isRateRule } from "../../../shared/interactions/window-judging.ts";
import type { Deps } from "../../deps.ts";
import { judgeMissingRule } from "./missing-rules.ts";
import { judgeRateRule } from "./rate-rules.ts";
import { endJudging, postponeJudging, takeDueRule } from "./watch-store.ts";

export interface RuleJudged {
  readonly ruleId: string;
  /** What went wrong; undefined where it was judged. */
  readonly trouble?: unknown;
  readonly resolved: number;
  /** Groups that had more rows than were looked at: they neither fired nor were found quiet. */
  readonly undecided: number;
}

/** Judges the rule that is due the longest; undefined where none is. */
export async function judgeNextRule({ sql }: Pick<Deps, "sql">): Promise<RuleJudged | undefined> {
  let rule: Rule | undefined;
  try {
    return await transactAs(sql, serviceCaller, async (transaction) => {
      const taken = await takeDueRule(transaction);
      if (!taken) return undefined;
      rule = taken.rule;
      const judged = await judgeRule(transaction, taken.rule, taken.now);
      await endJudging(transaction, taken.rule.id, taken.now);
      return { ruleId: taken.rule.id, resolved: 0, undecided: 0, ...judged };
    });
  } catch (trouble) {
    if (!rule) throw trouble;
    await postponeJudging(sql, rule.id);
    return { ruleId: rule.id, trouble, resolved: 0, undecided: 0 };
  }
}

function judgeRule(transaction: TransactionSql, rule: Rule, now: string): Promise<Partial<RuleJudged>> {
  if (isRateRule(rule)) return judgeRateRule(transaction, rule, now);
  if (isMissingRule(rule)) return judgeMissingRule(transaction, rule, now);
  return Promise.resolve({});
}
