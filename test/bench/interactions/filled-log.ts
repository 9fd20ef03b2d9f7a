/** A log of a year, folded and vacuumed, to be read. */
import type { Sql } from "postgres";
import { foldBatches } from "../../../edge/interactions/statistics/fold.ts";
import { findMetricNumber } from "../../../shared/interactions/metrics/registry.ts";
import { round } from "../sidecar/measure.ts";
import { fillLog } from "./dataset.ts";
import { describeLog } from "./questions.ts";
import { type BenchApp, timeSeconds } from "./rig.ts";

const days = 365;

export async function prepareLog(bench: BenchApp, rows: number) {
  const { sql, alice } = bench;
  const endMs = Date.now();
  let ruleIds: [string, string] = ["", ""];
  const fillSeconds = await timeSeconds(async () => {
    ({ ruleIds } = await fillLog(sql, { ownerId: alice.id, rows, days, endMs }));
  });
  const foldSeconds = await timeSeconds(() => foldEverything(bench));
  await vacuum(bench);
  const lengthNumber = findMetricNumber("output.characters") ?? 1;
  const beginMs = endMs - days * 86_400_000;
  const log = await describeLog(sql, { ownerId: alice.id, beginMs, endMs, ruleIds, lengthNumber });
  const settings = {
    rows,
    days,
    fillSeconds: round(fillSeconds, 1),
    "folded a second": Math.round(rows / foldSeconds),
    ...(await describeTables(sql)),
  };
  return { log, settings };
}

async function foldEverything({ sql, alice }: BenchApp): Promise<void> {
  while ((await foldBatches(sql, alice.id, { rowsMax: 4_000 })).batches > 0);
}

/** As autovacuum would, before the clock runs and not beside it. */
async function vacuum({ database }: BenchApp): Promise<void> {
  const sql = database.connect({ role: database.superuser, max: 1 });
  for (const { name } of await listTables(sql)) await sql.unsafe(`vacuum analyze parlance.${name}`);
  await sql.end();
}

/** Those of the log, with their indexes. */
async function listTables(sql: Sql): Promise<{ name: string; size: string }[]> {
  return await sql<{ name: string; size: string }[]>`
    select relname as name, pg_size_pretty(pg_total_relation_size(oid)) as size
    from pg_class
    where relnamespace = 'parlance'::regnamespace
      and relkind = 'r'
      and (relname like 'interaction%' or relname = 'alert_firings')
    order by pg_total_relation_size(oid) desc
  `;
}

async function describeTables(sql: Sql): Promise<object> {
  const tables = await listTables(sql);
  const [server] = await sql<object[]>`select current_setting('shared_buffers') as shared_buffers`;
  const sizes = tables.slice(0, 4).map(({ name, size }) => `${name} ${size}`);
  return { ...server, sizes: sizes.join(", ") };
}
