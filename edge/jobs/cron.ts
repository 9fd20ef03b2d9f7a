/**
 * Cron expressions in time zones, by croner. Five fields, so a minute is the finest. As Vixie cron does, where clocks
 * change:
 *
 *   a fixed time (no `*`, no step in minute and hour)    in the gap: once, when it ends · repeated: once, the first time
 *   an interval (`*` or a step in one of them)           in the gap: not · repeated: both times, as time goes on
 */
import { Cron } from "croner";
import { AppError } from "../../shared/errors.ts";

export interface Timetable {
  readonly cron: string;
  readonly timeZone: string;
}

const nicknames = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];

/** Refuses an expression that names no times, and a zone that is none; `path` leads to the two fields. */
export function checkTimetable({ cron, timeZone }: Timetable, path = "body"): void {
  if (!isTimeZone(timeZone)) throw refuse(`${path}.timeZone`, zoneRule);
  const parsed = parse({ cron, timeZone });
  if (typeof parsed === "string") throw refuse(`${path}.cron`, parsed);
  if (!parsed.nextRun(new Date())) throw refuse(`${path}.cron`, `"${cron}" never comes`);
}

/** The first time after a moment. */
export function findNextRun(timetable: Timetable, after: Date): Date {
  const next = open(timetable).nextRun(after);
  if (!next) throw new AppError("invalid_request", `"${timetable.cron}" never comes.`);
  return next;
}

/** The times after a moment, in order. */
export function listNextRuns(timetable: Timetable, after: Date, runsMax: number): Date[] {
  return open(timetable).nextRuns(runsMax, after);
}

/** The newest times up to a moment and after another, in order. */
export function listPastRuns(
  timetable: Timetable,
  { after, until }: { after: Date; until: Date },
  runsMax: number,
): Date[] {
  // croner leaves out the moment itself, and knows no parts of a second.
  const before = new Date(Math.floor(until.getTime() / 1000) * 1000 + 1000);
  return open(timetable)
    .previousRuns(runsMax, before)
    .filter((time) => time > after)
    .reverse();
}

const zoneRule = "must be an IANA time zone that is known here, as UTC, Europe/Berlin or America/New_York";

function open(timetable: Timetable): Cron {
  if (!isTimeZone(timetable.timeZone))
    throw new AppError("invalid_request", `The schedule's zone ${zoneRule}.`);
  const parsed = parse(timetable);
  if (typeof parsed === "string") throw new AppError("invalid_request", `The schedule's cron ${parsed}.`);
  return parsed;
}

/** What is wrong with it, when it is no expression. */
function parse({ cron, timeZone }: Timetable): Cron | string {
  const isNickname = nicknames.includes(cron.toLowerCase());
  // croner takes whatever has a colon for a date, which comes once.
  if (!isNickname && (cron.includes(":") || cron.trim().split(/\s+/).length !== 5)) {
    return `must be five fields (minute, hour, day of month, month, day of week) or one of ${nicknames.join(", ")}`;
  }
  try {
    return new Cron(cron, { timezone: timeZone, mode: "5-part", fixedTimeRule: "no-wildcard", paused: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    return `must be a cron expression, as "30 2 * * 1-5" or "*/10 * * * *": ${reason}`;
  }
}

/** Offsets as +01:00 are no names: they know no summer. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function refuse(field: string, message: string): AppError {
  return new AppError("invalid_request", `${field} ${message}.`, { fields: [{ field, message }] });
}
