import type { Sql, TransactionSql } from "postgres";
import { becomeCaller, type Caller } from "../../../shared/callers.ts";
import { databaseErrorCode } from "../../../shared/database.ts";

/**
 * The policies of realtime.messages decide who may read and write a private topic. They are asked by doing it: a row
 * is read or written under the caller's role and claims, in a transaction that always rolls back.
 */
export type Permission = "read" | "write";

const insufficientPrivilege = "42501";
const statementTimeoutMs = 5_000;
/** With the wait for a connection; clients give up a join after ten seconds. */
const probeTimeoutMs = 8_000;

/** Throws what the database throws for a policy that fails, a role that does not exist, or a lost connection. */
export async function isPermitted(
  sql: Sql,
  caller: Caller,
  permission: Permission,
  topic: string,
): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("The policies did not answer in time.")), probeTimeoutMs);
  });
  try {
    return await Promise.race([probeAndRollBack(sql, caller, permission, topic), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function probeAndRollBack(
  sql: Sql,
  caller: Caller,
  permission: Permission,
  topic: string,
): Promise<boolean> {
  const probe = permission === "read" ? probeRead : probeWrite;
  let isAllowed = false;
  await sql
    .begin(async (transaction) => {
      await transaction`select set_config('statement_timeout', ${String(statementTimeoutMs)}, true)`;
      isAllowed = await probe(transaction, caller, topic);
      throw new RolledBack();
    })
    .catch((error: unknown) => {
      if (!(error instanceof RolledBack)) throw error;
    });
  return isAllowed;
}

/** The row is written as ourselves, the owner of the table, and then looked for as the caller. */
async function probeRead(transaction: TransactionSql, caller: Caller, topic: string): Promise<boolean> {
  const [row] = await transaction<{ id: string }[]>`
    insert into realtime.messages (topic, extension, private, skip_broadcast)
    values (${topic}, 'broadcast', true, true)
    returning id
  `;
  await becomeSubscriber(transaction, caller, topic);
  const found = await transaction`
    select id
    from realtime.messages
    where id = ${row?.id ?? null}
  `;
  return found.length === 1;
}

async function probeWrite(transaction: TransactionSql, caller: Caller, topic: string): Promise<boolean> {
  await becomeSubscriber(transaction, caller, topic);
  try {
    await transaction`
      insert into realtime.messages (topic, extension, private, skip_broadcast)
      values (${topic}, 'broadcast', true, true)
    `;
    return true;
  } catch (error) {
    if (databaseErrorCode(error) === insufficientPrivilege) throw new RolledBack();
    throw error;
  }
}

async function becomeSubscriber(transaction: TransactionSql, caller: Caller, topic: string): Promise<void> {
  await becomeCaller(transaction, caller);
  await transaction`
    select
      set_config('request.jwt.claim.role', ${caller.role}, true),
      set_config('request.headers', '{}', true),
      set_config('realtime.topic', ${topic}, true)
  `;
}

/** Ends a probe; what it found out is known by then. */
class RolledBack extends Error {}
