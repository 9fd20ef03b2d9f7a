/** The rows of an import are judged by the owner's rules once all of them are in the statistics; nobody is told. */
import type { TransactionSql } from "postgres";
import type { Firing } from "../../../shared/interactions/alerts.ts";
import {
  type FindFences,
  type GroupLabels,
  type JudgedRow,
  metricNumberOf,
} from "../../../shared/interactions/judging.ts";
import { metricEdition } from "../../../shared/interactions/metrics/registry.ts";
import type { Fences } from "../../../shared/interactions/outliers/fence-types.ts";
import type { Rule } from "../../../shared/interactions/rules.ts";
import { judgeRows } from "../logging.ts";
import type { FenceLimits } from "../statistics/fence-work.ts";
import { findRuleFences } from "../statistics/fences.ts";
import { parseNumbers } from "../statistics/hour-store.ts";

/** Of single rows: a rate and what is missing are of the hour in which people can still do something. */
export function isOfRows({ condition }: Rule): boolean {
  return condition.type === "above" || condition.type === "below" || condition.type === "outlier";
}

/** The last row that was judged. */
export interface Judged {
  readonly occurredAt: string;
  readonly id: string;
}

interface StoredRow extends GroupLabels {
  readonly id: string;
  readonly occurredAt: string;
  readonly tags: readonly string[];
  readonly measured: string;
}

export interface JudgedChunk {
  readonly firings: readonly Firing[];
  readonly rows: number;
  /** Undefined where there were none left. */
  readonly last: Judged | undefined;
}

/** In the order of their times. */
export async function judgeNext(
  transaction: TransactionSql,
  { importId, rules }: { readonly importId: string; readonly rules: readonly Rule[] },
  { after, rowsMax }: { readonly after: Judged | undefined; readonly rowsMax: number },
): Promise<JudgedChunk> {
  const numbers = [...new Set(rules.flatMap((rule) => metricNumberOf(rule) ?? []))];
  const stored = await listRows(transaction, importId, { numbers, after, rowsMax });
  const rows = stored.map((row) => toJudgedRow(row, numbers));
  const firings = judgeRows(rules, rows, await findFencesByHour(transaction, rules, rows));
  const last = stored.at(-1);
  return {
    firings,
    rows: rows.length,
    last: last && { occurredAt: last.occurredAt, id: last.id },
  };
}

/** One row stands for all of its group and hour, so that there are few names to compare. */
async function findFencesByHour(
  transaction: TransactionSql,
  rules: readonly Rule[],
  rows: readonly JudgedRow[],
): Promise<FindFences> {
  const outliers = rules.filter(({ condition }) => condition.type === "outlier");
  if (outliers.length === 0) return () => undefined;
  const standIns = new Map<string, JudgedRow>();
  const keys = new Map<JudgedRow, string>();
  for (const row of rows) {
    const { app, environment, model } = row.group;
    const key = [row.occurredAt.slice(0, 13), app, environment, model].join("\0");
    const tags = [...(standIns.get(key)?.tags ?? []), ...row.tags];
    if (!standIns.has(key) || row.tags.length > 0) standIns.set(key, { ...row, tags, values: allMeasured });
    keys.set(row, key);
  }
  const findFences = await findRuleFences(transaction, outliers, [...standIns.values()], {
    limits: importLimits,
    keeps: false,
    // They are in the statistics of their hour themselves.
    presentHour: Number.POSITIVE_INFINITY,
  });
  const found = new Map<Rule, Map<string, Fences | undefined>>(outliers.map((rule) => [rule, new Map()]));
  return (rule, row) => {
    const [key = "", known] = [keys.get(row), found.get(rule)];
    if (known?.has(key)) return known.get(key);
    const fences = findFences(rule, row);
    known?.set(key, fences);
    return fences;
  };
}

/** All is judged, however long it takes; what is in memory at once stays small. */
const importLimits: FenceLimits = {
  lookups: Number.POSITIVE_INFINITY,
  bounds: Number.POSITIVE_INFINITY,
  statistics: Number.POSITIVE_INFINITY,
  statisticsPerRead: 100_000,
};

/** Whichever number is asked for, it has a value. */
const allMeasured: readonly number[] = new Array<number>(metricEdition).fill(0);

interface Page {
  readonly numbers: readonly number[];
  readonly after: Judged | undefined;
  readonly rowsMax: number;
}

async function listRows(
  sql: TransactionSql,
  importId: string,
  { numbers, after, rowsMax }: Page,
): Promise<StoredRow[]> {
  const measured = numbers.map((number) => `metric_values[${number}]`).join(", ");
  return await sql<StoredRow[]>`
    select
      interactions.id, interactions.occurred_at, interactions.tags, groups.app, groups.environment, groups.model,
      array[${sql.unsafe(measured)}]::float8[]::text as measured
    from parlance.interactions
    join parlance.interaction_groups as groups on groups.id = interactions.group_id
    where interactions.import_id = ${importId}
      and ${after ? sql`(interactions.occurred_at, interactions.id) > (${after.occurredAt}, ${after.id})` : sql`true`}
    order by interactions.occurred_at, interactions.id
    limit ${rowsMax}
  `;
}

function toJudgedRow(row: StoredRow, numbers: readonly number[]): JudgedRow {
  const { id, occurredAt, tags, app, environment, model } = row;
  const values: (number | null)[] = [];
  for (const [index, value] of parseNumbers(row.measured).entries()) {
    values[(numbers[index] ?? 0) - 1] = Number.isNaN(value) ? null : value;
  }
  return { id, occurredAt, tags, values, group: { app, environment, model } };
}
