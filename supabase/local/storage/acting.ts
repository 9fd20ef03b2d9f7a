import type { Sql, TransactionSql } from "postgres";
import { becomeCaller, type Caller } from "../../../shared/callers.ts";

/** A transaction that outlasts this is stuck in a policy. */
const statementTimeoutMs = 30_000;

/** One transaction as the caller, who may delete through us; `operation` is what policies read as storage.operation(). */
export function actAs<T>(
  sql: Sql,
  caller: Caller,
  operation: string,
  work: (transaction: TransactionSql) => Promise<T>,
): Promise<T> {
  return sql.begin(async (transaction) => {
    await enter(transaction, caller, operation);
    return work(transaction);
  }) as Promise<T>;
}

/** The rest of the transaction is the caller's. */
export async function enter(transaction: TransactionSql, caller: Caller, operation: string): Promise<void> {
  await transaction`
    select
      set_config('storage.operation', ${`storage.${operation}`}, true),
      set_config('storage.allow_delete_query', 'true', true),
      set_config('statement_timeout', ${String(statementTimeoutMs)}, true)
  `;
  await becomeCaller(transaction, caller);
}

const rolledBack = Symbol("rolled back");

/** Tries what the caller is about to do and takes it back: the policies speak before a byte is written. */
export async function probe(
  sql: Sql,
  caller: Caller,
  operation: string,
  attempt: (transaction: TransactionSql) => Promise<unknown>,
): Promise<void> {
  await actAs(sql, caller, operation, async (transaction) => {
    await attempt(transaction);
    throw rolledBack;
  }).catch((error: unknown) => {
    if (error !== rolledBack) throw error;
  });
}

export function toDirection(sql: Sql | TransactionSql, order: "asc" | "desc") {
  return order === "asc" ? sql`asc` : sql`desc`;
}

/** The old column holds UUIDs only. */
export function toUuid(id: string | undefined): string | null {
  return id && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) ? id : null;
}
