import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkTimetable, findNextRun, listNextRuns, listPastRuns } from "../../../edge/jobs/cron.ts";
import { AppError } from "../../../shared/errors.ts";

/** The next runs after a moment, in UTC without seconds. */
function nextRuns(cron: string, timeZone: string, after: string, count: number): string[] {
  return listNextRuns({ cron, timeZone }, new Date(after), count).map((time) => {
    expect(time.getTime() % 60_000).toBe(0);
    return time.toISOString().slice(0, 16);
  });
}

describe("where clocks are set forward", () => {
  test.each([
    // Berlin, 29 March 2026: 02:00 becomes 03:00, at 01:00 UTC.
    [
      "a fixed time in the gap runs when it ends",
      "30 2 * * *",
      "Europe/Berlin",
      "2026-03-28T12:00Z",
      ["2026-03-29T01:00", "2026-03-30T00:30"],
    ],
    [
      "a fixed time of a list too",
      "30 2,14 * * *",
      "Europe/Berlin",
      "2026-03-28T20:00Z",
      ["2026-03-29T01:00", "2026-03-29T12:30"],
    ],
    [
      "two fixed times that meet at its end run once",
      "0 2-3 * * *",
      "Europe/Berlin",
      "2026-03-28T12:00Z",
      ["2026-03-29T01:00", "2026-03-30T00:00"],
    ],
    [
      "an interval goes on in real time",
      "*/30 * * * *",
      "Europe/Berlin",
      "2026-03-29T00:00Z",
      ["2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"],
    ],
    // New York, 8 March 2026: 02:00 becomes 03:00, at 07:00 UTC.
    [
      "a fixed time in New York's gap runs when it ends",
      "30 2 * * *",
      "America/New_York",
      "2026-03-07T12:00Z",
      ["2026-03-08T07:00", "2026-03-09T06:30"],
    ],
    [
      "every hour is one hour after the other",
      "0 * * * *",
      "America/New_York",
      "2026-03-08T05:30Z",
      ["2026-03-08T06:00", "2026-03-08T07:00", "2026-03-08T08:00"],
    ],
    // Lord Howe, 4 October 2026: 02:00 becomes 02:30, at 15:30 UTC of the day before.
    [
      "a gap of half an hour is one",
      "15 2 * * *",
      "Australia/Lord_Howe",
      "2026-10-02T16:00Z",
      ["2026-10-03T15:30", "2026-10-04T15:15"],
    ],
    [
      "a time after the half hour is not in it",
      "45 2 * * *",
      "Australia/Lord_Howe",
      "2026-10-02T17:00Z",
      ["2026-10-03T15:45", "2026-10-04T15:45"],
    ],
  ])("%s", (_what, cron, zone, after, expected) => {
    expect(nextRuns(cron, zone, after, expected.length)).toEqual(expected);
  });
});

describe("where clocks are set back", () => {
  test.each([
    // Berlin, 25 October 2026: 03:00 becomes 02:00, at 01:00 UTC.
    [
      "a fixed time that comes twice runs once",
      "30 2 * * *",
      "Europe/Berlin",
      "2026-10-24T12:00Z",
      ["2026-10-25T00:30", "2026-10-26T01:30"],
    ],
    [
      "a fixed time of a list too",
      "30 2,14 * * *",
      "Europe/Berlin",
      "2026-10-24T13:00Z",
      ["2026-10-25T00:30", "2026-10-25T13:30"],
    ],
    [
      "an interval runs both times",
      "*/30 * * * *",
      "Europe/Berlin",
      "2026-10-25T00:00Z",
      ["2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T02:00"],
    ],
    // New York, 1 November 2026: 02:00 becomes 01:00, at 06:00 UTC.
    [
      "a fixed time in New York runs once",
      "30 1 * * *",
      "America/New_York",
      "2026-10-31T12:00Z",
      ["2026-11-01T05:30", "2026-11-02T06:30"],
    ],
    [
      "every hour is one hour after the other",
      "0 * * * *",
      "America/New_York",
      "2026-11-01T04:30Z",
      ["2026-11-01T05:00", "2026-11-01T06:00", "2026-11-01T07:00"],
    ],
    // Lord Howe, 5 April 2026: 02:00 becomes 01:30, at 15:00 UTC of the day before.
    [
      "a half hour that comes twice runs once",
      "45 1 * * *",
      "Australia/Lord_Howe",
      "2026-04-03T15:00Z",
      ["2026-04-04T14:45", "2026-04-05T15:15"],
    ],
    [
      "a quarter of an hour stays one",
      "*/15 * * * *",
      "Australia/Lord_Howe",
      "2026-04-04T14:30Z",
      ["2026-04-04T14:45", "2026-04-04T15:00", "2026-04-04T15:15"],
    ],
  ])("%s", (_what, cron, zone, after, expected) => {
    expect(nextRuns(cron, zone, after, expected.length)).toEqual(expected);
  });
});

test.each([
  ["30 9 * * 1-5", "2026-11-20T09:30Z", ["2026-11-23T09:30", "2026-11-24T09:30"]],
  ["0 0 L * *", "2026-02-01T00:00Z", ["2026-02-28T00:00", "2026-03-31T00:00"]],
  ["0 0 29 2 *", "2026-01-01T00:00Z", ["2028-02-29T00:00", "2032-02-29T00:00"]],
  ["0 8 * * MON#1", "2026-11-21T00:00Z", ["2026-12-07T08:00", "2027-01-04T08:00"]],
  ["@daily", "2026-11-21T00:00Z", ["2026-11-22T00:00"]],
  ["@HOURLY", "2026-11-21T00:00Z", ["2026-11-21T01:00"]],
])("%s in UTC", (cron, after, expected) => {
  checkTimetable({ cron, timeZone: "UTC" });
  expect(nextRuns(cron, "UTC", after, expected.length)).toEqual(expected);
});

/** The field at fault and what is said of it. */
function refusal(cron: string, timeZone = "UTC"): { field: string; message: string } | undefined {
  try {
    checkTimetable({ cron, timeZone });
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "invalid_request") throw error;
    return error.fields[0];
  }
}

test.each([
  ["finer than a minute", "*/10 * * * * *", "five fields"],
  ["with a year", "0 0 0 1 1 * 2030", "five fields"],
  ["a single date", "2030-01-01T00:00:00", "five fields"],
  ["a single date of five words", "Tue, 01 Jan 2030 00:00:00", "five fields"],
  ["a single date of five fields", "1 Jan 2030 00:00:00 UTC", "five fields"],
  ["too few fields", "* * * *", "five fields"],
  ["words", "every five minutes or so", "must be a cron expression"],
  ["nothing", " ", "five fields"],
  ["an hour that no day has", "0 24 * * *", "must be a cron expression"],
  ["a step of nothing", "*/0 * * * *", "must be a cron expression"],
  ["a day that no month has", "0 0 32 * *", "must be a cron expression"],
  ["the start of a machine", "@reboot", "five fields"],
  ["31 February", "0 0 31 2 *", "never comes"],
  ["the 31st of months that have 30 days", "0 0 31 4,6,9,11 *", "never comes"],
])("%s is refused with what is allowed", (_what, cron, words) => {
  expect(refusal(cron)).toMatchObject({ field: "body.cron", message: expect.stringContaining(words) });
});

test.each(["Mars/Olympus", "+01:00", "-08", "", " UTC", "Europe/Berlin; drop table", "Berlin"])(
  'the zone "%s" is refused',
  (timeZone) => {
    const allowed = expect.stringContaining("IANA time zone");
    expect(refusal("0 * * * *", timeZone)).toEqual({ field: "body.timeZone", message: allowed });
  },
);

test.each([
  "UTC",
  "Europe/Berlin",
  "America/Argentina/Buenos_Aires",
  "Asia/Kolkata",
  "Etc/GMT+5",
  "Pacific/Apia",
])("the zone %s is known", (timeZone) => expect(refusal("0 * * * *", timeZone)).toBeUndefined());

const anyTimetable = fc.record({
  cron: fc.constantFrom(
    "* * * * *",
    "*/7 * * * *",
    "0 * * * *",
    "30 2 * * *",
    "30 1,2 * * *",
    "0 0-6/2 * * *",
    "15 1-3 * * 0",
    "0 9 1 * *",
  ),
  timeZone: fc.constantFrom(
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
  ),
});
/** Two days around a change of clocks in one of the zones, or around none. */
const anyMoment = fc
  .constantFrom(
    "2026-03-28",
    "2026-10-24",
    "2026-03-07",
    "2026-10-31",
    "2026-04-04",
    "2026-10-03",
    "2026-06-01",
  )
  .chain((day) =>
    fc.integer({ min: 0, max: 2 * 86_400_000 }).map((ms) => Date.parse(`${day}T00:00:00Z`) + ms),
  );

test("looking back finds the same times as looking forward", () => {
  fc.assert(
    fc.property(
      anyTimetable,
      anyMoment,
      fc.integer({ min: 0, max: 6 * 3_600_000 }),
      (timetable, fromMs, spanMs) => {
        const [after, until] = [new Date(fromMs), new Date(fromMs + spanMs)];
        const forward = listNextRuns(timetable, after, 400).filter((time) => time <= until);
        expect(listPastRuns(timetable, { after, until }, 400)).toEqual(forward);
        expect(listPastRuns(timetable, { after, until }, 3)).toEqual(forward.slice(-3));
      },
    ),
    { numRuns: 100 },
  );
});

test("the next time is later, and none is between", () => {
  fc.assert(
    fc.property(anyTimetable, anyMoment, (timetable, ms) => {
      const next = findNextRun(timetable, new Date(ms));
      expect(next.getTime()).toBeGreaterThan(ms);
      expect(findNextRun(timetable, new Date(next.getTime() - 1))).toEqual(next);
      expect(findNextRun(timetable, next).getTime()).toBeGreaterThan(next.getTime());
    }),
    { numRuns: 100 },
  );
});
