import type { Sql, TransactionSql } from "postgres";
import { currentTraceparent } from "./tracing.ts";

/** The roles of Supabase that a request may act under. */
export type CallerRole = "anon" | "authenticated" | "service_role";

/** Who is asking: the database role and the claims that the policies read. */
export interface Caller {
  readonly role: CallerRole;
  /** The claims of the verified token; `{ role }` alone for a key without a user. */
  readonly claims: Readonly<Record<string, unknown>>;
}

export const anonymousCaller: Caller = { role: "anon", claims: { role: "anon" } };
export const serviceCaller: Caller = { role: "service_role", claims: { role: "service_role" } };

/** The caller's user id, or undefined for a key without a user. */
export function callerUserId(caller: Caller): string | undefined {
  return typeof caller.claims.sub === "string" ? caller.claims.sub : undefined;
}

/** Admin is `app_metadata.role = 'admin'`, which only the operator can set; the secret key is an admin too. */
export function isAdmin(caller: Caller): boolean {
  if (caller.role === "service_role") return true;
  const metadata = caller.claims.app_metadata;
  return typeof metadata === "object" && metadata !== null && "role" in metadata && metadata.role === "admin";
}

/**
 * One transaction as the caller: their role and claims decide, by row level security, what exists.
 * Nothing inside may wait for the network: in embedded mode there is one connection, and it is ours until commit.
 */
export function transactAs<T>(
  sql: Sql,
  caller: Caller,
  work: (transaction: TransactionSql) => Promise<T>,
): Promise<T> {
  return sql.begin(async (transaction) => {
    await becomeCaller(transaction, caller);
    return work(transaction);
  }) as Promise<T>;
}

/** A statement of a request that runs for longer is ended by the database, and its connection is free again. */
const statementTimeout = "30s";

/**
 * Changes who the rest of the transaction acts as; used to add a job beside the row that needs it. A job added here
 * bears the trace of the request.
 */
export async function becomeCaller(transaction: TransactionSql, caller: Caller): Promise<void> {
  await transaction`
    select
      set_config('role', ${caller.role}, true),
      set_config('request.jwt.claims', ${JSON.stringify(caller.claims)}, true),
      set_config('request.jwt.claim.sub', ${callerUserId(caller) ?? ""}, true),
      set_config('statement_timeout', ${statementTimeout}, true),
      set_config('parlance.traceparent', ${currentTraceparent() ?? ""}, true)
  `;
}
