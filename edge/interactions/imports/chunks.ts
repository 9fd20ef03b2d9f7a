/** Some rows of a file, made ready to be written: all of the work that needs no transaction. */
import { setImmediate } from "node:timers";
import type { Sql } from "postgres";
import { createId } from "../../../shared/ids.ts";
import type { NewInteraction } from "../../../shared/interactions/contract.ts";
import type { PersonalDataKind } from "../../../shared/interactions/personal-data.ts";
import { mendText, type PreparedRow, prepareRow } from "../rows.ts";
import { createGroupCheck } from "./groups.ts";
import { createMapping, type MapOptions, type MapRow } from "./mapping.ts";
import { hashRow } from "./row-hashes.ts";
import type { FileRow } from "./rows.ts";

export interface Refusal {
  readonly rowNumber: number;
  readonly reason: string;
  readonly row: string;
}

export interface Chunk {
  readonly batchId: string;
  readonly rows: readonly PreparedRow[];
  /** By the places of the rows. */
  readonly hashes: readonly string[];
  readonly refusals: readonly Refusal[];
}

export interface ChunkOptions extends MapOptions {
  readonly ownerId: string | null;
  readonly redact: readonly PersonalDataKind[];
  /** When a row happened that does not say: the same in every run. */
  readonly importedAt: Date;
}

/**
 * Whatever else this process does waits no longer than that: requests, heartbeats, and the statements that write the chunk before,
 * a dozen of them one after another.
 */
const turnMs = 4;
const rowLengthKept = 10_000;
const reasonLengthKept = 1_000;

export type PrepareChunk = (rows: readonly FileRow[], firstNumber: number) => Promise<Chunk>;

export function createChunks(sql: Sql, options: ChunkOptions): PrepareChunk {
  const mapRow = orRefuse(createMapping(options));
  const checkGroups = createGroupCheck(sql, options.ownerId);
  const delimiter = options.findings.delimiter ?? ",";
  return async (fileRows, firstNumber) => {
    const refusals: Refusal[] = [];
    const refuse = (index: number, reason: string) => {
      const row = showRow(fileRows[index], delimiter);
      refusals.push({ rowNumber: firstNumber + index, reason: keepText(reason, reasonLengthKept), row });
    };
    const mapped: { index: number; news: NewInteraction }[] = [];
    for (const [index, row] of fileRows.entries()) {
      const news = mapRow(row);
      if (typeof news === "string") refuse(index, news);
      else mapped.push({ index, news });
    }
    const hasGroup = await checkGroups(mapped.map(({ news }) => news));
    const good = mapped.filter(({ index, news }) => {
      const fault = hasGroup(news);
      if (fault !== undefined) refuse(index, fault);
      return fault === undefined;
    });
    const hashes = good.map(({ news }) => hashRow(news));
    const rows = await prepareInTurns(
      good.map(({ news }) => news),
      options,
    );
    return { batchId: createId(), rows, hashes, refusals };
  };
}

/** JSON that is nested deeply enough parses and cannot be written again; what a row does to its reading is its own fault. */
function orRefuse(mapRow: MapRow): MapRow {
  return (row) => {
    try {
      return mapRow(row);
    } catch {
      return "It could not be read.";
    }
  };
}

async function prepareInTurns(
  news: readonly NewInteraction[],
  { redact, importedAt }: ChunkOptions,
): Promise<PreparedRow[]> {
  const rows: PreparedRow[] = [];
  let begunMs = performance.now();
  for (const one of news) {
    rows.push(prepareRow(one, { redact, now: importedAt }));
    if (performance.now() - begunMs < turnMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    begunMs = performance.now();
  }
  return rows;
}

/** As it stood in the file, so far as it is known; cut where it is long. */
function showRow(row: FileRow | undefined, delimiter: string): string {
  if (!row) return "";
  const text = "fields" in row ? showFields(row.fields, delimiter) : row.text.slice(0, rowLengthKept);
  return keepText(text, rowLengthKept);
}

/** The cut may leave half of a character. */
function keepText(text: string, lengthMax: number): string {
  return mendText(text.slice(0, lengthMax));
}

function showFields(fields: readonly string[], delimiter: string): string {
  let text = "";
  for (const [index, field] of fields.entries()) {
    const needsQuotes = /["\r\n]/.test(field) || field.includes(delimiter);
    text += (index > 0 ? delimiter : "") + (needsQuotes ? `"${field.replaceAll('"', '""')}"` : field);
    if (text.length > rowLengthKept) break;
  }
  return text;
}
