/**
 * How every postgres.js client of the house reads and writes, in one place: columns are camelCase here and
 * snake_case there (names of columns only, never keys inside jsonb), int8 is a number, times are strings.
 */

const toCamel = (column: string) =>
  column.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const toSnake = (column: string) => column.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * A time as ISO 8601 in UTC with a Z and all six digits of its microseconds: a JavaScript Date would drop three, and a
 * cursor made from it would skip or repeat rows. Of one length, so that texts sort as times do.
 */
export function parseTimestamp(text: string): string {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00$/.exec(text);
  if (!match) return new Date(text).toISOString().replace("Z", "000Z");
  return `${match[1]}T${match[2]}.${(match[3] ?? "").padEnd(6, "0")}Z`;
}

/** int8 as a number; beyond 2^53 it would be another number, so that is an error. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} does not fit a number`);
  return value;
}

/** Spread these into the options of every `postgres(…)` of the edge and the sidecar. */
export const databaseOptions = {
  // The transaction pooler of Supabase does not know prepared statements.
  prepare: false,
  connect_timeout: 10,
  connection: { TimeZone: "UTC" },
  onnotice: () => {},
  transform: { column: { from: toCamel, to: toSnake } },
  types: {
    int8: { to: 20, from: [20], serialize: String, parse: parseInt8 },
    timestamptz: { to: 1184, from: [1184], serialize: String, parse: parseTimestamp },
  },
};

/**
 * For clients whose statements are short, as those of workers are: a connection that was asked and says nothing for 15 s
 * is cut, well within a lease. A network that forgets its connections would else hang their owner for ever, since
 * neither keep-alive nor postgres.js has a limit for that (shared/patches adds the option; Deno runs without it).
 */
export const workerDatabaseOptions = { ...databaseOptions, silence_timeout: 15 };

/** SQLSTATE of a database error, or undefined for anything else. */
export function databaseErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/**
 * Whether the same statements may succeed a moment later: the connection broke, the server restarts or is full, or
 * another transaction was in the way.
 */
export function isTransientDatabaseError(error: unknown): boolean {
  const code = databaseErrorCode(error) ?? "";
  return /^(08|40|53)...$|^57P0[1-3]$/.test(code) || brokenConnectionCodes.has(code);
}

/** What postgres.js and the socket under it call a connection that did not hold. */
const brokenConnectionCodes = new Set([
  "CONNECTION_CLOSED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** The constraint that a database error names, or undefined. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("constraint_name" in error)) return undefined;
  return typeof error.constraint_name === "string" ? error.constraint_name : undefined;
}
