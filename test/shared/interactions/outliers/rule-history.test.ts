import { describe, expect, test } from "vitest";
import { OutlierMethod } from "../../../../shared/interactions/outliers/fence-types.ts";
import { findFences } from "../../../../shared/interactions/outliers/fences.ts";
import { hourOf, SlidingHistory } from "../../../../shared/interactions/outliers/rule-history.ts";
import { OutlierCondition } from "../../../../shared/interactions/rules.ts";
import { addValues, noMoments } from "../../../../shared/interactions/statistics/moments.ts";
import { QuantileSketch } from "../../../../shared/interactions/statistics/sketch.ts";
import { seededRandom } from "../../../helpers/pictures.ts";

const msPerHour = 3_600_000;
const beginHour = 480_000;

const toHour = (hour: number, values: readonly number[], hours = 1) => ({
  hour,
  hours,
  moments: addValues(noMoments, values),
  sketch: QuantileSketch.of(values),
});

describe.each(OutlierMethod.options)("a history that slides, by %s", (method) => {
  test("is that of the days before and the hour so far, however many hours lie between", () => {
    const random = seededRandom(1);
    const condition = OutlierCondition.parse({ type: "outlier", method, historyDays: 2, countMin: 5 });
    const hours = Array.from({ length: 300 }, (_, index) => beginHour + index).filter(() => random() < 0.6);
    const values = new Map(hours.map((hour) => [hour, Array.from({ length: 4 }, () => 50 + 100 * random())]));
    const history = new SlidingHistory(condition);
    for (const [hour, ofHour] of values) history.add(toHour(hour, ofHour));
    for (let hour = beginHour; hour < beginHour + 300; hour += 1 + Math.floor(3 * random())) {
      for (const [index, value] of (values.get(hour) ?? []).entries()) {
        const known = hours
          .filter((one) => one >= hour - 48 && one < hour)
          .map((one) => toHour(one, values.get(one) ?? []));
        const soFar = (values.get(hour) ?? []).slice(0, index);
        const all = soFar.length === 0 ? known : [...known, toHour(hour, soFar)];
        const expected = findFences(all, {
          method,
          countMin: 5,
          nowHour: hour,
          sensitivity: { "z-score": 8, mad: 14, iqr: 9.5, ewma: 6.5, seasonal: 11.5 }[method],
        });
        const found = history.fencesAt(hour * msPerHour + index);
        expect([hour, index, found?.count]).toEqual([hour, index, expected?.count]);
        expect(found?.low ?? 0).toBeCloseTo(expected?.low ?? 0, 6);
        expect(found?.high ?? 0).toBeCloseTo(expected?.high ?? 0, 6);
        history.note(hour * msPerHour + index, value);
      }
    }
  });

  test("goes on from what was kept", () => {
    const random = seededRandom(2);
    const condition = OutlierCondition.parse({ type: "outlier", method, countMin: 2 });
    const hours = [0, 1, 2, 3].map((index) => toHour(beginHour + index, [90, 100 + index, 110]));
    const whole = new SlidingHistory(condition);
    let part = new SlidingHistory(condition);
    for (const hour of hours) {
      whole.add(hour);
      part.add(hour);
    }
    for (let index = 0; index < 30; index++) {
      const atMs = (beginHour + 2 + Math.floor(index / 10)) * msPerHour + index;
      expect(part.fencesAt(atMs)).toEqual(whole.fencesAt(atMs));
      const value = 100 * random();
      whole.note(atMs, value);
      part.note(atMs, value);
      const kept = JSON.parse(JSON.stringify(part.state));
      part = new SlidingHistory(condition);
      for (const hour of hours) part.add(hour);
      part.resume(kept);
    }
  });
});

test("a day that was rolled up is history when it is over", () => {
  const condition = OutlierCondition.parse({ type: "outlier", method: "mad", countMin: 2 });
  const history = new SlidingHistory(condition);
  history.add(toHour(beginHour, [1, 2, 3], 24));
  expect(history.fencesAt((beginHour + 23) * msPerHour)).toBeUndefined();
  expect(history.fencesAt((beginHour + 24) * msPerHour)?.count).toBe(3);
});

test("the hour of a time is the one that it lies in", () => {
  expect([hourOf(0), hourOf(msPerHour - 1), hourOf(msPerHour), hourOf(-1)]).toEqual([0, 0, 1, -1]);
});
