/** SQL that ends a back-test, in the transaction that ends its job. */
import type { TransactionSql } from "postgres";
import type { JobError } from "../jobs/contract.ts";
import type { EndingJob } from "../jobs/kinds.ts";
import type { BackTestResult } from "./back-tests.ts";

export async function landBackTest(
  transaction: TransactionSql,
  { id }: EndingJob,
  result: BackTestResult,
): Promise<void> {
  await transaction`
    update parlance.rule_back_tests
    set result = ${transaction.json(result as never)},
      state = null,
      error_code = null,
      error_message = null,
      finished_at = clock_timestamp()
    where job_id = ${id}
  `;
}

/** What was found is kept: when the job is tried again it goes on. */
export async function landBackTestFailure(
  transaction: TransactionSql,
  { id }: EndingJob,
  { code, message }: JobError,
): Promise<void> {
  await transaction`
    update parlance.rule_back_tests
    set error_code = ${code},
      error_message = ${message},
      finished_at = clock_timestamp()
    where job_id = ${id} and finished_at is null
  `;
}

export async function landBackTestRetry(transaction: TransactionSql, { id }: EndingJob): Promise<void> {
  await transaction`
    update parlance.rule_back_tests
    set error_code = null,
      error_message = null,
      finished_at = null
    where job_id = ${id} and result is null
  `;
}
