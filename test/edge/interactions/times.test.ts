/** Times that the database does not know are refused wherever somebody names one. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Time } from "../../../shared/interactions/times.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp({ environment: { RATE_LIMIT_WRITE: "100000", RATE_LIMIT_READ: "100000" } });
});
afterAll(() => house.close());

const rule = { element: "output", metric: "characters", condition: { type: "above", threshold: 3 } };
const places: readonly [string, string, (time: string) => object | undefined, string][] = [
  ["POST", "/interactions", (occurredAt) => ({ input: "", output: "", occurredAt }), "body.occurredAt"],
  ["POST", "/rules/back-tests", (from) => ({ rule, from }), "body.from"],
  ["POST", "/rules/back-tests", (to) => ({ rule, to }), "body.to"],
  ["POST", "/alerts/silences", (startsAt) => ({ startsAt, minutes: 5 }), "body.startsAt"],
  ["POST", "/alerts/silences", (endsAt) => ({ endsAt }), "body.endsAt"],
  ["POST", "/alerts/acknowledgements", (from) => ({ from }), "body.from"],
  ["POST", "/alerts/resolutions", (to) => ({ to }), "body.to"],
  ["GET", "/alerts?from=TIME", () => undefined, "query.from"],
  ["GET", "/alerts?to=TIME", () => undefined, "query.to"],
  ["GET", "/interactions?from=TIME", () => undefined, "query.from"],
  ["GET", "/interactions?to=TIME", () => undefined, "query.to"],
  ["POST", "/interactions/deletions", (from) => ({ from }), "body.from"],
];

const ask = (method: string, path: string, body: object | undefined, time: string) =>
  house.call(
    house.alice,
    method,
    path.replace("TIME", encodeURIComponent(time)),
    body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } },
  );

const unknown = ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"];
const edges = ["1900-01-01T00:00:00Z", "2999-12-31T23:59:59.99Z", "3000-01-01T00:00:00+01:00"];

describe.each(places)("%s %s", (method, path, body, field) => {
  test.each(unknown)(`refuses ${field} %s`, async (time) => {
    const answer = await ask(method, path, body(time), time);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.body.errors).toMatchObject([{ field, message: "must be a year from 1900 to 2999" }]);
  });

  test.each(edges)(`can ask for ${field} %s`, async (time) => {
    const answer = await ask(method, path, body(time), time);
    expect(answer.status, answer.text).toBeLessThan(500);
    expect(answer.text).not.toContain("must be a year");
  });
});

test.each(["2999-12-31T23:59:59.9999Z", "1899-12-31T23:59:59.9999Z", "3000-01-01T00:00:00Z", "yesterday"])(
  "%s is no time",
  (time) => {
    expect(Time.safeParse(time).error?.issues).toHaveLength(1);
  },
);

describe("rows of a batch that differ by microseconds", () => {
  const times = ["2026-01-01T00:00:00.123001Z", "2026-01-01T00:00:00.123456Z"] as const;

  test("are within its times, and found by a word from either end", async () => {
    const written = times.map((occurredAt) => ({ input: "okapi", output: "", occurredAt }));
    const answer = await ask("POST", "/interactions", { items: written }, "");
    expect(answer.status, answer.text).toBeLessThan(300);
    for (const table of ["interaction_batches", "interaction_words"]) {
      const [batch] = await house.sql.unsafe(
        `select first_at, last_at from parlance.${table} where rows = 2`,
      );
      expect(Object.values(batch ?? {})).toEqual(times);
    }
    for (const [order, expected] of [
      ["-occurredAt", times.toReversed()],
      ["occurredAt", times],
    ] as const) {
      const found = await ask("GET", `/interactions?q=okapi&order=${order}`, undefined, "");
      expect(found.body.items.map(({ occurredAt }: { occurredAt: string }) => occurredAt)).toEqual(expected);
    }
  });

  test("are found by a word from the last one's time on", async () => {
    const found = await ask("GET", "/interactions?q=okapi&from=TIME", undefined, times[1]);
    expect(found.body.items, found.text).toHaveLength(1);
  });
});
