/** SQL that ends imports, in the transaction that ends their jobs. */
import type { TransactionSql } from "postgres";
import type { JobError } from "../jobs/contract.ts";
import type { EndingJob } from "../jobs/kinds.ts";

export async function landImport(transaction: TransactionSql, job: EndingJob): Promise<void> {
  await transaction`
    update parlance.interaction_imports
    set state = 'done',
      finished_at = clock_timestamp()
    where id = ${job.subjectId} and state in ('queued', 'running')
  `;
}

/** What landed stays; the import says how far it came. */
export async function landImportFailure(
  transaction: TransactionSql,
  job: EndingJob,
  { code, message }: JobError,
): Promise<void> {
  await transaction`
    update parlance.interaction_imports
    set state = case when ${code} = 'cancelled' then 'cancelled' else 'failed' end::parlance.interaction_import_state,
      error_code = ${code},
      error_message = ${message},
      finished_at = clock_timestamp()
    where id = ${job.subjectId} and state in ('queued', 'running')
  `;
}

/** It goes on where it stopped. */
export async function landImportRetry(transaction: TransactionSql, job: EndingJob): Promise<void> {
  await transaction`
    update parlance.interaction_imports
    set state = 'queued',
      error_code = null,
      error_message = null,
      finished_at = null
    where id = ${job.subjectId} and state = 'failed'
  `;
}
