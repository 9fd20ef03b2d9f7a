import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { cutPage, decodeCursor, encodeCursor } from "../../../edge/http/cursors.ts";
import { AppError } from "../../../shared/errors.ts";

const Place = z.object({ createdAt: z.iso.datetime(), id: z.uuid() });

function codeOf(cursor: string): string | undefined {
  try {
    decodeCursor(Place, cursor);
    return undefined;
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
}

test("a cursor gives back exactly what it was made from, in letters that need no escaping", () => {
  fc.assert(
    fc.property(
      fc.record({ score: fc.double({ noNaN: true, noDefaultInfinity: true }), name: fc.string() }),
      (values) => {
        const cursor = encodeCursor(values);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        const read = decodeCursor(z.object({ score: z.number(), name: z.string() }), cursor);
        expect(read).toEqual({ score: values.score + 0, name: values.name });
      },
    ),
  );
});

test("a time keeps its microseconds", () => {
  const values = { createdAt: "2026-11-21T10:00:00.123456Z", id: "0190c0de-0000-7000-8000-000000000001" };
  expect(decodeCursor(Place, encodeCursor(values))).toEqual(values);
});

test.each([
  "",
  "x",
  "AAAA",
  "%%%",
  "bnVsbA",
  encodeCursor({}),
  encodeCursor({ createdAt: "now()", id: "0190c0de-0000-7000-8000-000000000001" }),
  encodeCursor({ createdAt: "2026-11-21T10:00:00Z", id: "1; drop table parlance.jobs" }),
  encodeCursor({ createdAt: ["2026-11-21T10:00:00Z"], id: null }),
  "A".repeat(100_000),
  btoa("\xff\xfe").replace(/=/g, ""),
])("%j is no cursor", (cursor) => {
  expect(codeOf(cursor)).toBe("invalid_cursor");
});

test("a page that is full has a next one only when there is a row beyond it", () => {
  const rows = [1, 2, 3].map((id) => ({ id, more: "x" }));
  const cursorOf = ({ id }: { id: number }) => ({ id });
  expect(cutPage(rows, 3, cursorOf)).toEqual({ items: rows, nextCursor: null });
  expect(cutPage(rows, 2, cursorOf)).toEqual({
    items: rows.slice(0, 2),
    nextCursor: encodeCursor({ id: 2 }),
  });
  expect(cutPage([], 2, cursorOf)).toEqual({ items: [], nextCursor: null });
});
