/** Hours since 1970 UTC, and which of them are kept by the day. */
import { hoursPerDay } from "../../../shared/interactions/outliers/history.ts";

/** As far back as a rule may look, hours are kept apart; what is older is kept by the day. */
export const hoursKept = 35 * hoursPerDay;

/** Where a statistic stands: the first hour of what it covers, and how many hours that are. */
export interface Span {
  readonly hour: number;
  readonly hours: 1 | 24;
}

export const toHour = (time: string | Date): number => Math.floor(new Date(time).getTime() / 3_600_000);

export const toDay = (hour: number): number => Math.floor(hour / hoursPerDay) * hoursPerDay;

/** What happened in an hour before `daysBefore` goes into its day. */
export function findSpan(hour: number, daysBefore: number): Span {
  return hour < daysBefore ? { hour: toDay(hour), hours: hoursPerDay } : { hour, hours: 1 };
}
