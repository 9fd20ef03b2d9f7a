import { describe, expect, test } from "vitest";
import {
  type FenceOptions,
  type Fences,
  OutlierMethod,
} from "../../../../shared/interactions/outliers/fence-types.ts";
import { condenseHistory, findFences, scoreValue } from "../../../../shared/interactions/outliers/fences.ts";
import type { HourStatistics } from "../../../../shared/interactions/outliers/history.ts";
import { sensitivities } from "../../../../shared/interactions/rules.ts";
import { addValues, noMoments } from "../../../../shared/interactions/statistics/moments.ts";
import { QuantileSketch } from "../../../../shared/interactions/statistics/sketch.ts";
import { seededRandom } from "../../../helpers/pictures.ts";
import { distributions, drawValues, shuffle } from "../statistics/values.ts";

const methods = OutlierMethod.options;
const nowHour = 480_000;

const toHour = (hour: number, values: readonly number[]): HourStatistics => ({
  hour,
  moments: addValues(noMoments, values),
  sketch: QuantileSketch.of(values),
});

/** Values of the hours before, the same number in each. */
function toHistory(values: readonly number[], perHour = 50): HourStatistics[] {
  const hours = Math.ceil(values.length / perHour);
  return Array.from({ length: hours }, (_, index) =>
    toHour(nowHour - hours + 1 + index, values.slice(index * perHour, (index + 1) * perHour)),
  );
}

const find = (hours: readonly HourStatistics[], options: Partial<FenceOptions> = {}) =>
  findFences(hours, { method: "mad", sensitivity: 3, countMin: 30, nowHour, ...options });

const isOut = (value: number, fences: Fences | undefined) =>
  fences !== undefined && (value < fences.low || value > fences.high);

const normalValues = drawValues(
  { name: "normal", draw: (random) => distributions[1]?.draw(random) ?? 0 },
  4_000,
  1,
);

describe.each(methods)("fences by %s", (method) => {
  test("are none where there is too little history", () => {
    expect(find([], { method })).toBeUndefined();
    expect(find(toHistory(Array(29).fill(5)), { method })).toBeUndefined();
    expect(find(toHistory(Array(30).fill(5)), { method })).toBeDefined();
  });

  test("hold ordinary values and leave a far one outside, on either side", () => {
    const fences = find(toHistory(normalValues), { method });
    expect(fences?.centre).toBeGreaterThan(490);
    expect(fences?.centre).toBeLessThan(510);
    expect([400, 500, 600].map((value) => isOut(value, fences))).toEqual([false, false, false]);
    expect([-500, 1500].map((value) => isOut(value, fences))).toEqual([true, true]);
  });

  test("leave room around a constant: a hundredth for each step of sensitivity", () => {
    const fences = find(toHistory(Array(500).fill(100)), { method, sensitivity: 3 });
    expect([98, 100, 102].map((value) => isOut(value, fences))).toEqual([false, false, false]);
    expect([90, 110].map((value) => isOut(value, fences))).toEqual([true, true]);
    const zero = find(toHistory(Array(500).fill(0)), { method });
    expect([isOut(0, zero), isOut(1, zero)]).toEqual([false, true]);
  });

  test("are the same whatever the order of the hours", () => {
    const hours = toHistory(normalValues);
    const fences = find(hours, { method });
    const shuffled = find(shuffle(hours, 3), { method });
    for (const key of ["low", "high", "centre", "spread"] as const) {
      expect(shuffled?.[key]).toBeCloseTo(fences?.[key] ?? Number.NaN, 6);
    }
  });

  test("are just quiet at a sensitivity of the value's score", () => {
    const hours = toHistory(normalValues);
    for (const value of [150, 900, 2_000]) {
      const score = scoreValue(value, find(hours, { method }) as Fences);
      expect(Math.sign(score)).toBe(value > 500 ? 1 : -1);
      const quiet = Math.abs(score);
      expect(isOut(value, find(hours, { method, sensitivity: quiet * 1.0001 }))).toBe(false);
      expect(isOut(value, find(hours, { method, sensitivity: quiet * 0.9999 }))).toBe(true);
    }
  });
});

describe.each(methods)("a history of which most values are equal, by %s", (method) => {
  const sensitivity = sensitivities[method];
  const random = seededRandom(4);
  const draw = (share: number, value: () => number, usual = 0) =>
    toHistory(
      Array.from({ length: 8_400 }, () => (random() < share ? value() : usual)),
      50,
    );
  const ordinary = () => 1 + Math.floor(5 * random());

  test.each([0.4, 0.3, 0.1, 0.05])("holds the others, where they are %f of all", (share) => {
    const counts = find(draw(share, ordinary), { method, sensitivity });
    expect([0, 1, 3].map((value) => isOut(value, counts))).toEqual([false, false, false]);
    expect([-40, 60].map((value) => isOut(value, counts))).toEqual([true, true]);
    expect(Math.abs(scoreValue(3, counts as Fences))).toBeLessThan(sensitivity);
    const integers = find(
      draw(share, () => 1 + ordinary(), 1),
      { method, sensitivity },
    );
    expect([1, 2, 4].map((value) => isOut(value, integers))).toEqual([false, false, false]);
    expect(isOut(70, integers)).toBe(true);
  });

  test("leaves flags in order, but for the rarest", () => {
    for (const usual of [0, 1]) {
      const flags = (share: number) =>
        find(
          draw(share, () => 1 - usual, usual),
          { method, sensitivity },
        );
      expect(isOut(1 - usual, flags(0.4))).toBe(false);
      expect(isOut(1 - usual, flags(0.05))).toBe(false);
      expect(isOut(1 - usual, flags(0.0005))).toBe(true);
      expect(isOut(usual, flags(0.05))).toBe(false);
    }
  });

  test("is not widened by single far values, but by mean and deviation", () => {
    const values = Array.from({ length: 4_000 }, (_, index) => (index % 5 === 0 ? ordinary() : 0));
    values[17] = 1_000_000;
    const fences = find(toHistory(values), { method, sensitivity });
    expect(isOut(1_000, fences)).toBe(method !== "z-score" && method !== "ewma");
  });

  test("scores what never was before with a million at most", () => {
    const never = find(toHistory(Array(500).fill(0)), { method }) as Fences;
    expect([scoreValue(1, never), scoreValue(-1, never), scoreValue(0, never)]).toEqual([1e6, -1e6, 0]);
  });
});

test("by season, a few values of an hour of the week do not say how far the others lie", () => {
  const random = seededRandom(5);
  const hours = Array.from({ length: 28 * 24 }, (_, index) =>
    toHour(
      nowHour - 28 * 24 + index,
      Array.from({ length: 6 }, () => (random() < 0.05 ? 1 + Math.floor(4 * random()) : 0)),
    ),
  );
  const out = hours.slice(-7 * 24).filter(({ hour }) => {
    const history = hours.filter((one) => one.hour < hour);
    const fences = find(history, { method: "seasonal", sensitivity: sensitivities.seasonal, nowHour: hour });
    return isOut(4, fences);
  });
  expect(out).toEqual([]);
});

describe("a history with outliers in it", () => {
  // Every tenth value is a hundred times as far.
  const spoilt = normalValues.map((value, index) => (index % 10 === 0 ? value * 100 : value));

  test("hides others from the standard deviation, not from the median", () => {
    const hours = toHistory(spoilt);
    expect(isOut(5_000, find(hours, { method: "z-score" }))).toBe(false);
    for (const method of ["mad", "iqr", "seasonal"] as const) {
      expect(isOut(5_000, find(hours, { method }))).toBe(true);
      expect(isOut(560, find(hours, { method }))).toBe(false);
    }
  });
});

describe("fences by ewma", () => {
  test("follow a level that moved", () => {
    const before = toHistory(Array(24 * 14 * 5).fill(100), 5);
    const moved = before.map((hour) =>
      hour.hour > nowHour - 24 * 6 ? toHour(hour.hour, Array(5).fill(200)) : hour,
    );
    const centre = find(moved, { method: "ewma" })?.centre ?? 0;
    expect(centre).toBeGreaterThan(180);
    expect(find(moved, { method: "z-score" })?.centre).toBeLessThan(160);
  });
});

describe("days that hours were rolled up into, by season", () => {
  const thisDay = nowHour - (nowHour % 24);
  /** Each weekday at a level of its own: 100 on the day of `nowHour`, 200 on the next … */
  const levelOf = (day: number) => 100 * (((((day - thisDay) / 24) % 7) + 7) % 7) + 100;
  const around = (level: number, count: number) =>
    Array.from({ length: count }, (_, index) => level * (0.95 + (0.1 * index) / count));
  const days = Array.from({ length: 28 }, (_, index) => {
    const hour = thisDay - (28 - index) * 24;
    return { ...toHour(hour, around(levelOf(hour), 60)), hours: 24 };
  });
  const options = { method: "seasonal", countMin: 30 } as const;

  test.each([0, 1, 2, 11, 22, 23])("count by the day of the week, at %d h as at any other", (hour) => {
    const fences = find(days, { ...options, nowHour: thisDay + hour });
    expect(fences).toMatchObject({ count: 4 * 60, centre: expect.closeTo(100, -1) });
    const nextDay = find(days, { ...options, nowHour: thisDay + 24 + hour });
    expect(nextDay).toMatchObject({ count: 4 * 60, centre: expect.closeTo(200, -1) });
  });

  test("count among all where the same weekday has too few, and never as an hour", () => {
    const fences = find(days, { ...options, countMin: 300, nowHour: thisDay + 1 });
    expect(fences?.count).toBe(28 * 60);
    const hours = [2, 3].flatMap((week) =>
      [-1, 0, 1].map((apart) => toHour(thisDay - week * 168 + 12 + apart, around(5, 10))),
    );
    const mixed = find([...days, ...hours], { ...options, nowHour: thisDay + 12 });
    expect(mixed).toMatchObject({ count: 60, centre: expect.closeTo(5, 0) });
    const few = find([...days, ...hours.slice(0, 2)], { ...options, nowHour: thisDay + 12 });
    expect(few?.count).toBe(4 * 60 + 20);
  });

  test("come to the same when they are condensed", () => {
    const hours = Array.from({ length: 60 }, (_, index) => toHour(thisDay - 60 + index, around(50, 3)));
    const all = [...days.slice(0, 25), ...hours].sort((one, other) => one.hour - other.hour);
    for (const countMin of [5, 20, 30, 200, 300, 10_000]) {
      for (const hour of [0, 1, 12, 23]) {
        const at = { method: "seasonal", countMin, nowHour: thisDay + hour } as const;
        const expected = find(all, at);
        const found = find(condenseHistory(all, at), at);
        expect(found?.count).toBe(expected?.count);
        for (const key of ["low", "high", "centre", "spread"] as const)
          expect(found?.[key] ?? 0).toBeCloseTo(expected?.[key] ?? 0, 6);
      }
    }
  });
});

describe("fences by season", () => {
  const isNight = (hour: number) => hour % 24 < 8;
  const random = seededRandom(9);
  const days = (weeks: number, level = (_hour: number) => 0) =>
    Array.from({ length: weeks * 168 }, (_, index) => {
      const hour = nowHour - weeks * 168 + 1 + index;
      const middle = (isNight(hour) ? 100 : 1_000) + level(hour);
      return toHour(
        hour,
        Array.from({ length: 20 }, () => middle * (1 + 0.08 * (random() - 0.5))),
      );
    });
  const night = nowHour - (nowHour % 24) + 4 - 24;
  const noon = night + 8;
  const until = (hours: readonly HourStatistics[], hour: number) => hours.filter((one) => one.hour < hour);

  test("know that what is ordinary by day is not so at night", () => {
    const hours = days(4);
    for (const [hour, ordinary, strange] of [
      [night, 100, 1_000],
      [noon, 1_000, 100],
    ] as const) {
      const fences = find(until(hours, hour), { method: "seasonal", nowHour: hour });
      expect([isOut(ordinary, fences), isOut(strange, fences)]).toEqual([false, true]);
    }
    // Without the season the whole night would be out.
    expect(isOut(100, find(until(hours, night), { method: "mad", nowHour: night }))).toBe(true);
  });

  test("move with the level of the last day", () => {
    const hours = days(4, (hour) => (hour > noon - 30 ? 500 : 0));
    const fences = find(until(hours, noon), { method: "seasonal", nowHour: noon });
    expect([isOut(1_500, fences), isOut(1_000, fences)]).toEqual([false, true]);
  });

  test("rest on any day, then on any hour, while there is no week yet", () => {
    const threeDays = days(1).filter((one) => one.hour > noon - 72 && one.hour < noon);
    expect(isOut(100, find(threeDays, { method: "seasonal", nowHour: noon }))).toBe(true);
    const anHour = [toHour(noon - 5, Array(40).fill(7))];
    expect(find(anHour, { method: "seasonal", nowHour: noon })?.count).toBe(40);
  });

  test("hold values above 0 by factors, so that the lower fence never reaches 0", () => {
    const values = drawValues(
      { name: "skewed", draw: (next) => Math.exp(6 + next() + next() - next()) },
      4_000,
      2,
    );
    const fences = find(toHistory(values), { method: "seasonal", sensitivity: 4 }) as Fences;
    expect(fences.scale).toBe("log");
    expect(fences.low).toBeGreaterThan(0);
    expect(fences.high / fences.centre).toBeCloseTo(fences.centre / fences.low, 6);
    expect([isOut(0, fences), Number.isFinite(scoreValue(0, fences))]).toEqual([true, true]);
    // The same by distances: nothing is too short for them.
    expect((find(toHistory(values), { method: "mad", sensitivity: 4 }) as Fences).low).toBeLessThan(0);
  });

  test("follow growth from week to week", () => {
    const hours = until(
      days(6, (hour) => (hour - nowHour) * 0.08),
      noon,
    );
    const centreOf = (method: OutlierMethod) => find(hours, { method, nowHour: noon })?.centre ?? 0;
    expect(Math.abs(centreOf("seasonal") - 1_000)).toBeLessThan(25);
    expect(centreOf("mad")).toBeLessThan(970);
  });
});
