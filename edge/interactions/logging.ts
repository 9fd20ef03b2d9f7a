/**
 * How interactions enter the log: measured and judged first, then written with their alerts in one transaction.
 *
 *   fold what is due ─▶ measure ─▶ judge by the owner's rules ─▶ rows + batch + alerts + what people are told ─▶ commit
 */
import type { TransactionSql } from "postgres";
import { serviceCaller, transactAs } from "../../shared/callers.ts";
import { createId, deriveId } from "../../shared/ids.ts";
import type { Firing } from "../../shared/interactions/alerts.ts";
import type { LoggedInteraction, NewInteraction } from "../../shared/interactions/contract.ts";
import { type JudgedRow, judgeRow } from "../../shared/interactions/judging.ts";
import { nameValues } from "../../shared/interactions/metrics/registry.ts";
import type { Rule } from "../../shared/interactions/rules.ts";
import type { Deps } from "../deps.ts";
import {
  holdSettings,
  insertBatch,
  listAlertsOf,
  listKnownHashes,
  listStored,
  raiseAlerts,
  type StoredRow,
} from "./log-store.ts";
import { type PreparedRow, prepareRows } from "./rows.ts";
import { listRules } from "./rules/rule-store.ts";
import { ensureSettings } from "./settings-store.ts";
import { findRuleFences } from "./statistics/fences.ts";
import { foldIfDue } from "./statistics/fold.ts";

export interface LogOptions {
  /** The same for the same request sent again: then what it logged before stands, and nothing is added. */
  readonly operationId?: string | undefined;
  /** What makes each row the same when it comes again (UUIDs); those that are there are left out of the answer too. */
  readonly hashes?: readonly string[];
}

/** What was written, in the order in which it was given. */
export async function logInteractions(
  { sql, now, log }: Pick<Deps, "sql" | "now"> & Partial<Pick<Deps, "log">>,
  ownerId: string | null,
  {
    news: given,
    operationId,
    hashes: givenHashes,
  }: { readonly news: readonly NewInteraction[] } & LogOptions,
): Promise<LoggedInteraction[]> {
  const { settings, rules, known } = await transactAs(sql, serviceCaller, async (transaction) => ({
    settings: await ensureSettings(transaction, ownerId),
    rules: await listRules(transaction, ownerId, { enabledOnly: true }),
    known: new Set(givenHashes ? await listKnownHashes(transaction, ownerId, givenHashes) : []),
  }));
  // What is sent again costs nothing, so it gets further than the time before.
  const isNew = (index: number) => !known.has(givenHashes?.[index] ?? "");
  const news = given.filter((_, index) => isNew(index));
  const hashes = givenHashes?.filter((_, index) => isNew(index));
  if (news.length === 0) return [];
  await foldIfDue(sql, ownerId);
  const ids = await createIds(news.length, operationId);
  const rows = prepareRows(news, { redact: settings.redact, now: now(), ids });
  return transactAs(sql, serviceCaller, (transaction) =>
    writeRows(transaction, {
      ownerId,
      rules,
      rows,
      batchId: operationId ?? createId(),
      hashes,
      onLeftOut: (bounds) => log?.warn("interactions.not-judged", { ownerId, rows: rows.length, bounds }),
    }),
  );
}

function createIds(number: number, operationId: string | undefined): Promise<string[]> {
  const make = (index: number) => (operationId ? deriveId(`${operationId} ${index}`) : createId());
  return Promise.all(Array.from({ length: number }, (_, index) => make(index)));
}

interface RowsToWrite {
  readonly ownerId: string | null;
  readonly batchId: string;
  readonly rules: readonly Rule[];
  readonly rows: readonly PreparedRow[];
  readonly hashes?: readonly string[] | undefined;
  /** Told how many bounds of outlier rules there was no time for. */
  readonly onLeftOut: (bounds: number) => void;
}

async function writeRows(transaction: TransactionSql, given: RowsToWrite): Promise<LoggedInteraction[]> {
  const { ownerId, batchId, rules, onLeftOut } = given;
  const { rows, hashes } = given.hashes
    ? await leaveOutKnown(transaction, { ...given, hashes: given.hashes })
    : given;
  const firings = judgeRows(rules, rows, await findRuleFences(transaction, rules, rows, { onLeftOut }));
  const isNew = await insertBatch(transaction, { id: batchId, ownerId, rows, hashes });
  if (isNew) await raiseAlerts(transaction, firings);
  const ids = rows.map(({ id }) => id);
  // What was logged before is answered as it stands there: a time that was not told was that of the first request.
  const stored = isNew ? new Map<string, StoredRow>() : await listStored(transaction, ids);
  const alerts = await listAlertsOf(transaction, ids);
  return rows.map((row) => {
    const { occurredAt, inputLanguage, outputLanguage, values } = stored.get(row.id) ?? {
      ...row.measured,
      ...row,
    };
    return {
      id: row.id,
      occurredAt: new Date(occurredAt).toISOString(),
      inputLanguage,
      outputLanguage,
      metrics: nameValues(values),
      alerts: alerts.get(row.id) ?? [],
    };
  });
}

/** Of rows that are sent again, each lands once: their owner's settings are held until this transaction ends. */
async function leaveOutKnown<Given extends RowsToWrite & { readonly hashes: readonly string[] }>(
  transaction: TransactionSql,
  { ownerId, rows, hashes }: Given,
): Promise<Pick<RowsToWrite, "rows" | "hashes">> {
  await holdSettings(transaction, ownerId);
  const known = new Set(await listKnownHashes(transaction, ownerId, hashes));
  const kept = rows.flatMap((row, index) => {
    const hash = hashes[index] ?? "";
    if (known.has(hash)) return [];
    known.add(hash);
    return [{ row, hash }];
  });
  return { rows: kept.map(({ row }) => row), hashes: kept.map(({ hash }) => hash) };
}

export function judgeRows(
  rules: readonly Rule[],
  rows: readonly JudgedRow[],
  findFences: Parameters<typeof judgeRow>[2],
): Firing[] {
  return rows.flatMap((row) => rules.flatMap((rule) => judgeRow(rule, row, findFences) ?? []));
}
