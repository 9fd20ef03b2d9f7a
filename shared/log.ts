/** One line of JSON an event. Values must be safe to keep: no secrets, no bodies. */
export interface Log {
  debug(event: string, details?: Record<string, unknown>): void;
  info(event: string, details?: Record<string, unknown>): void;
  warn(event: string, details?: Record<string, unknown>): void;
  error(event: string, details?: Record<string, unknown>): void;
}

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** A log that gives each line to `write`; what stands below `level` is left out. */
export function createLog(write: (line: string) => void, level: LogLevel = "info"): Log {
  const lineFor =
    (lineLevel: LogLevel) =>
    (event: string, details: Record<string, unknown> = {}) => {
      if (logLevels.indexOf(lineLevel) < logLevels.indexOf(level)) return;
      write(JSON.stringify({ time: new Date().toISOString(), level: lineLevel, event, ...details }));
    };
  return { debug: lineFor("debug"), info: lineFor("info"), warn: lineFor("warn"), error: lineFor("error") };
}

/** Of errors that are told together. */
const errorsMax = 10;

/** An error as far as a log line should know it: what and where, with its causes. */
export function describeError(error: unknown, depth = 3): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const description: Record<string, unknown> = { name: error.name, message: error.message };
  if ("code" in error) description.code = error.code;
  if (error.stack) description.stack = error.stack.split("\n").slice(1, 8).join("\n");
  if (error instanceof AggregateError && depth > 0) {
    description.errors = error.errors.slice(0, errorsMax).map((one) => describeError(one, depth - 1));
  }
  if (error.cause !== undefined && depth > 0) description.cause = describeError(error.cause, depth - 1);
  return description;
}

const troubleSilenceMs = 10_000;

/** Warns of trouble that comes back with every poll while it lasts: now and then. */
export function createTroubleLog(log: Log, event: string): (doing: string, error: unknown) => void {
  const loggedAtMs = new Map<string, number>();
  return (doing, error) => {
    const nowMs = Date.now();
    if (nowMs - (loggedAtMs.get(doing) ?? Number.NEGATIVE_INFINITY) < troubleSilenceMs) return;
    if (loggedAtMs.size > 100) loggedAtMs.clear();
    loggedAtMs.set(doing, nowMs);
    log.warn(event, { doing, error: describeError(error) });
  };
}
