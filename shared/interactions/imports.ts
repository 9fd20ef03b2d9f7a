/** Files of interactions: how one is to be read, how far it is, and what came of it. */
import { z } from "zod";
import { JobError } from "../jobs/contract.ts";
import { label } from "./contract.ts";

/** The private bucket of files that are being imported. */
export const importBucket = "imports";

/** A file may have as many bytes when it is sent to a signed URL. */
export const importBytesMax = 1024 ** 3;

/** As many refused rows of a file are kept; all of them are counted. */
export const refusalsMax = 100_000;

/** `<owner>/<import>`; those of the house lie under `house`. */
export function importPath({ id, ownerId }: { id: string; ownerId: string | null }): string {
  return `${ownerId ?? "house"}/${id}`;
}

export const ImportFormat = z.enum(["csv", "jsonl"]);
export type ImportFormat = z.infer<typeof ImportFormat>;

export const ImportEncoding = z.enum(["utf-8", "utf-16le", "utf-16be", "windows-1252"]);

export const ImportDelimiter = z.enum([",", ";", "\t", "|"]);
export type ImportDelimiter = z.infer<typeof ImportDelimiter>;

/** What a column may become. */
export const importFields = [
  "input",
  "output",
  "app",
  "environment",
  "sessionId",
  "userLabel",
  "provider",
  "model",
  "inputTokens",
  "outputTokens",
  "latencyMs",
  "costUsd",
  "tags",
  "occurredAt",
] as const;
export type ImportField = (typeof importFields)[number];

const columnName = z.string().min(1).max(200);

export const ImportOptions = z
  .object({
    format: z.enum(["auto", "csv", "jsonl"]).default("auto").describe("`jsonl`: one JSON object a line."),
    delimiter: ImportDelimiter.optional().describe("Default: the one that the header shows."),
    encoding: ImportEncoding.optional().describe("Default: as the first bytes tell."),
    mapping: z
      .partialRecord(z.enum(importFields), columnName)
      .default({})
      .describe(
        'Which column is what, such as `{ "input": "Prompt" }`. Columns that bear the name of a field need none, ' +
          "however they are written: `Input`, `session_id`, `Session ID`.",
      ),
    defaults: z
      .object({
        app: label(64).optional(),
        environment: label(64).optional(),
        model: label(128).optional(),
        tags: z.array(label(64)).max(20).optional(),
      })
      .strict()
      .default({})
      .describe("For rows that say nothing of it; the tags are given to every row."),
    duplicates: z
      .enum(["skip", "keep"])
      .default("skip")
      .describe(
        "`skip`: a row that came in before by another import is left out and counted. Rows of one file that are alike all land.",
      ),
  })
  .strict();
export type ImportOptions = z.infer<typeof ImportOptions>;

/** A name cannot steer a path or a header; it is shown and no more. */
export const ImportFileName = z
  .string()
  .trim()
  .min(1)
  .max(255)
  .refine((name) => !/\p{Cc}/u.test(name), { message: "must not hold control characters" });

/** A file whose bytes will be sent to a signed URL. */
export const NewImport = z
  .object({
    fileName: ImportFileName,
    sizeBytes: z.int().min(1).max(importBytesMax),
    options: ImportOptions.prefault({}),
  })
  .strict();
export type NewImport = z.infer<typeof NewImport>;

/** What the beginning of a file shows. */
export const ImportFindings = z.object({
  format: ImportFormat,
  encoding: ImportEncoding,
  delimiter: ImportDelimiter.nullable().describe("Null: the file has no columns."),
  newline: z.enum(["\n", "\r"]).describe("What ends a line; `\\n` may have a `\\r` before it."),
  columns: z.array(z.string()).describe("Of the header, the first hundred."),
  columnsCount: z.int(),
  mapping: z
    .partialRecord(z.enum(importFields), z.string())
    .describe("Which column each field is read from."),
  /** Where columns stand, from 0. */
  places: z.partialRecord(z.enum(importFields), z.int()),
  /** Where the first row begins. */
  dataOffset: z.int().min(0),
});
export type ImportFindings = z.infer<typeof ImportFindings>;

export const ImportState = z.enum(["uploading", "queued", "running", "done", "failed", "cancelled"]);
export type ImportState = z.infer<typeof ImportState>;

export const InteractionImport = z.object({
  id: z.uuid(),
  ownerId: z.uuid().nullable(),
  fileName: z.string(),
  sizeBytes: z.int().nullable(),
  options: ImportOptions,
  findings: ImportFindings.omit({ places: true, dataOffset: true })
    .nullable()
    .describe("Null until the file is there."),
  state: ImportState,
  jobId: z.uuid().nullable().describe("Follow or cancel it there; its progress is in bytes."),
  bytesDone: z.int().describe("Of the file, read and stored."),
  rowsLanded: z.int(),
  rowsRefused: z.int().describe("`GET /interactions/imports/{id}/refusals` tells which, and why."),
  rowsKnown: z.int().describe("Left out, because another import brought them before."),
  alerts: z.int().describe("Alerts that its rows made; nobody is told of them."),
  error: JobError.nullable(),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
});
export type InteractionImport = z.infer<typeof InteractionImport>;

export const StartedImport = z.object({
  import: InteractionImport,
  upload: z
    .object({ path: z.string(), token: z.string(), url: z.url(), expiresAt: z.iso.datetime() })
    .describe("PUT the file to `url` before `expiresAt`; it works once."),
});
export type StartedImport = z.infer<typeof StartedImport>;
