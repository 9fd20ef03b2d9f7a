import type { Sql, TransactionSql } from "postgres";
import { expect, vi } from "vitest";

/** What `seeWaiting` is to be told of a connection. */
export async function findPid(sql: TransactionSql): Promise<number> {
  const [{ pid } = { pid: 0 }] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return pid;
}

/** Until somebody waits for what a transaction of that connection holds; on a server only. */
export async function seeWaiting(sql: Sql, pid: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const waiting = await sql`
        select from pg_stat_activity
        where ${pid}::integer = any (pg_blocking_pids(pid))
      `;
      expect(waiting.length).toBeGreaterThan(0);
    },
    { timeout: 60_000, interval: 20 },
  );
}
