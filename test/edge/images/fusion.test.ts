import fc from "fast-check";
import { expect, test } from "vitest";
import { fuse, scoreBehind } from "../../../edge/images/fusion.ts";

const near = (...scores: number[]) => scores.map((score, index) => ({ id: `n${index}`, score }));
const idsOf = (places: { id: string }[]) => places.map(({ id }) => id);

test("without words the order is that of the vectors", () => {
  expect(idsOf(fuse(near(0.9, 0.5, 0.1), []))).toEqual(["n0", "n1", "n2"]);
});

test("of two that are equally near, the one whose words answer comes first", () => {
  const both = fuse(near(0.9, 0.5, 0.5, 0.1), [{ id: "n2", score: 0.4, nearness: 0.5 }]);
  expect(idsOf(both)).toEqual(["n0", "n2", "n1", "n3"]);
});

test("a picture that only words found stands between the near ones, not above them all", () => {
  const found = fuse(near(0.9, 0.8, 0.1), [{ id: "w", score: 0.4, nearness: 0.05 }]);
  expect(idsOf(found)).toEqual(["n0", "n1", "w", "n2"]);
});

test("a picture without a vector counts by its words alone", () => {
  expect(idsOf(fuse([], [{ id: "w", score: 0.2, nearness: null }]))).toEqual(["w"]);
  expect(idsOf(fuse(near(0.9, 0.1), [{ id: "w", score: 0.4, nearness: null }]))).toEqual(["n0", "w", "n1"]);
});

test("a weak answer of the words counts less than a strong one", () => {
  const words = [
    { id: "a", score: 0.05, nearness: 0.3 },
    { id: "b", score: 0.4, nearness: 0.3 },
  ];
  expect(idsOf(fuse(near(0.9, 0.3), words)).indexOf("b")).toBeLessThan(
    idsOf(fuse(near(0.9, 0.3), words)).indexOf("a"),
  );
});

test("each is there once, best first, with a score that a cursor holds and above all that comes behind", () => {
  const score = fc.double({ min: -1, max: 1, noNaN: true });
  const id = fc.integer({ min: 0, max: 30 }).map(String);
  const nearList = fc
    .uniqueArray(fc.record({ id, score }), { selector: (place) => place.id })
    .map((list) => list.toSorted((a, b) => b.score - a.score));
  const wordList = fc.uniqueArray(
    fc.record({ id, score: fc.double({ min: 0.001, max: 1, noNaN: true }), nearness: fc.option(score) }),
    { selector: (place) => place.id },
  );
  fc.assert(
    fc.property(nearList, wordList, (nears, words) => {
      const fused = fuse(nears, words);
      expect(new Set(idsOf(fused))).toEqual(new Set([...idsOf(nears), ...idsOf(words)]));
      expect(new Set(idsOf(fused)).size).toBe(fused.length);
      fused.forEach((place, index) => {
        expect(place.score).toBeGreaterThanOrEqual(0);
        expect(place.score).toBeLessThanOrEqual(1);
        expect(place.score).toBeLessThanOrEqual(fused[index - 1]?.score ?? 1);
        expect(place.score).toBeGreaterThan(scoreBehind(1));
      });
    }),
  );
});
