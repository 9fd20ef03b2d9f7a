/** From a row of a file to an interaction, or why it is none. */
import { mendLabel, NewInteraction } from "../../../shared/interactions/contract.ts";
import {
  type ImportField,
  type ImportFindings,
  type ImportOptions,
  importFields,
} from "../../../shared/interactions/imports.ts";
import { isInFuture } from "../rows.ts";
import { normalizeName } from "./columns.ts";
import type { FileRow } from "./rows.ts";
import { readNumber, readTags, readTime } from "./values.ts";

export interface MapOptions {
  readonly findings: Pick<ImportFindings, "columnsCount" | "places" | "delimiter">;
  readonly options: Pick<ImportOptions, "mapping" | "defaults">;
  readonly now: Date;
}

/** The interaction, or a sentence that says what is wrong with the row. */
export type MapRow = (row: FileRow) => NewInteraction | string;

type Given = Partial<Record<ImportField, unknown>>;

export function createMapping(map: MapOptions): MapRow {
  const readObject = createObjectReader(map.options.mapping);
  return (row) => {
    if ("refusal" in row) return row.refusal;
    const given = "fields" in row ? readFields(row.fields, map) : readObject(row.object);
    return typeof given === "string" ? given : toInteraction(given, map);
  };
}

function readFields(fields: readonly string[], { findings }: MapOptions): Given | string {
  const { columnsCount, places } = findings;
  const hasMore =
    fields.length > columnsCount && fields.slice(columnsCount).some((field) => field.trim() !== "");
  if (fields.length < columnsCount || hasMore) {
    const count = (number: number) => `${number} field${number === 1 ? "" : "s"}`;
    return `It has ${count(fields.length)}, and the header has ${columnsCount}.`;
  }
  if (fields.every((field) => field.trim() === "")) return "All of its fields are empty.";
  const given: Given = {};
  for (const field of importFields) {
    const place = places[field];
    if (place !== undefined) given[field] = fields[place];
  }
  return given;
}

const namesKept = 1_000;

/** By the names of its properties, as columns are by theirs. */
function createObjectReader(mapping: ImportOptions["mapping"]) {
  const wanted = new Map<string, ImportField>();
  for (const field of importFields) wanted.set(normalizeName(mapping[field] ?? field), field);
  const known = new Map<string, ImportField | undefined>();
  const findField = (name: string): ImportField | undefined => {
    if (known.has(name)) return known.get(name);
    const field = wanted.get(normalizeName(name));
    if (known.size < namesKept) known.set(name, field);
    return field;
  };
  return (object: Readonly<Record<string, unknown>>): Given => {
    const given: Given = {};
    for (const [name, value] of Object.entries(object)) {
      const field = findField(name);
      if (field !== undefined && given[field] === undefined && value !== null) given[field] = value;
    }
    return given;
  };
}

function toInteraction(given: Given, { options, findings, now }: MapOptions): NewInteraction | string {
  const { defaults } = options;
  const occurredAt = readTime(given.occurredAt);
  if (occurredAt === "unknown") return "occurredAt: is not a time such as 2026-01-31T12:00:00Z.";
  const number = (value: unknown) => readNumber(value, findings.delimiter);
  const parsed = NewInteraction.safeParse({
    input: readText(given.input),
    output: readText(given.output),
    app: readLabel(given.app) ?? defaults.app,
    environment: readLabel(given.environment) ?? defaults.environment,
    sessionId: readLabel(given.sessionId),
    userLabel: readLabel(given.userLabel),
    provider: readLabel(given.provider),
    model: readLabel(given.model) ?? defaults.model,
    inputTokens: number(given.inputTokens),
    outputTokens: number(given.outputTokens),
    latencyMs: number(given.latencyMs),
    costUsd: number(given.costUsd),
    tags: [...new Set([...readTags(given.tags), ...(defaults.tags ?? [])])],
    occurredAt,
  });
  if (!parsed.success) return explain(parsed.error.issues);
  if (isInFuture(parsed.data, now)) return "occurredAt: is more than a day from now.";
  return parsed.data;
}

/** Of JSON also lists of messages and the like: as they stand there. */
function readText(value: unknown): string | undefined {
  return value === undefined || typeof value === "string" ? value : JSON.stringify(value);
}

function readLabel(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return mendLabel(text) || undefined;
}

function explain(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  const told = issues.slice(0, 5).map(({ path, message }) => `${path.join(".")}: ${message}.`);
  return told.join(" ").replaceAll("..", ".").slice(0, 1_000);
}
