import type { TransactionSql } from "postgres";
import type { FindFences, JudgedRow } from "../../../shared/interactions/judging.ts";
import type { Rule } from "../../../shared/interactions/rules.ts";

export async function findRuleFences(
  _transaction: TransactionSql,
  _rules: readonly Rule[],
  _rows: readonly JudgedRow[],
): Promise<FindFences> {
  return () => undefined;
}
