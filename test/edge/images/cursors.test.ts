import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCursor, encodeCursor } from "../../../edge/http/cursors.ts";
import { ListCursor, SearchCursor, Way } from "../../../edge/images/cursors.ts";

const digits = (count: number) => fc.nat({ max: 10 ** count - 1 }).map((n) => String(n).padStart(count, "0"));

const createdAt = fc
  .tuple(
    fc.date({ min: new Date("1970-01-01"), max: new Date("2900-01-01"), noInvalidDate: true }),
    digits(6),
  )
  .map(([date, microseconds]) => `${date.toISOString().slice(0, 19)}.${microseconds}Z`);

test("a place in a list comes back exactly, with its microseconds", () => {
  fc.assert(
    fc.property(createdAt, fc.uuid(), (time, id) => {
      const place = { createdAt: time, id };
      expect(decodeCursor(ListCursor, encodeCursor(place))).toEqual(place);
    }),
  );
});

const start = {
  space: 1,
  phase: "window",
  question: "abcdefghijklmn-_",
  isMinusVector: false,
  isMatched: true,
} as const;

test("a place in a search comes back exactly, to the last bit of its score", () => {
  const score = fc.double({ min: -1, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      score,
      fc.uuid(),
      fc.constantFrom(...Way.options),
      fc.integer({ min: 1, max: 999 }),
      (...values) => {
        const [score, id, way, depth] = values;
        const place = { ...start, way, score, id, depth };
        const back = decodeCursor(SearchCursor, encodeCursor(place));
        // JSON knows no negative zero; for the database they are equal.
        expect(back).toEqual({ ...place, score: score === 0 ? 0 : score });
      },
    ),
  );
});

const id = "0190a000-0000-7000-8000-000000000000";

test.each([
  ["another shape", ListCursor, { id }],
  ["more than it held", ListCursor, { createdAt: "2020-01-01T00:00:00Z", id, limit: 1000 }],
  ["words for a time", ListCursor, { createdAt: "now()", id }],
  ["a year that Postgres does not know", ListCursor, { createdAt: "0000-01-01T00:00:00Z", id }],
  ["SQL for an id", ListCursor, { createdAt: "2020-01-01T00:00:00Z", id: "' or true --" }],
  ["a score that no vectors have", SearchCursor, { ...start, way: "vectors", score: 2, id, depth: 1 }],
  ["no score", SearchCursor, { ...start, way: "vectors", score: null, id, depth: 1 }],
  ["a depth beyond the limit", SearchCursor, { ...start, way: "vectors", score: 0, id, depth: 1000 }],
  [
    "a question of another length",
    SearchCursor,
    { ...start, way: "vectors", score: 0, id, depth: 1, question: "a" },
  ],
  ["a way that there is not", SearchCursor, { ...start, way: "guessing", score: 0, id, depth: 1 }],
] as const)("a cursor with %s is refused", (_what, schema, values) => {
  expect(() => decodeCursor<unknown>(schema, encodeCursor(values))).toThrow(
    expect.objectContaining({ code: "invalid_cursor" }),
  );
});
