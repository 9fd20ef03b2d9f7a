import fc from "fast-check";
import { expect, test } from "vitest";
import { createId, deriveId } from "../../shared/ids.ts";

const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });

test("an id is a UUID of version 7 with the time it was made", () => {
  fc.assert(
    fc.property(time, (nowMs) => {
      const id = createId(nowMs);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(nowMs);
    }),
  );
});

test("ids sort by the time they were made", () => {
  fc.assert(
    fc.property(time, time, (one, other) => {
      fc.pre(one < other);
      expect(createId(one) < createId(other)).toBe(true);
    }),
  );
});

test("no two ids of one moment are the same", () => {
  const ids = Array.from({ length: 10_000 }, () => createId(1_700_000_000_000));
  expect(new Set(ids).size).toBe(ids.length);
});

test("an id that follows from a text is a UUID of version 8, the same for the same text alone", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.string(), async (one, other) => {
      const id = await deriveId(one);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect((await deriveId(other)) === id).toBe(other === one);
    }),
  );
});
