/** Whether a value is out of order, and what an alert says it was held against. */
import { describe, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import { judgeRow, judgeValue } from "../../../shared/interactions/judging.ts";
import { findMetricNumber } from "../../../shared/interactions/metrics/registry.ts";
import type { Fences } from "../../../shared/interactions/outliers/fence-types.ts";
import type { OutlierCondition, Rule, RuleCondition } from "../../../shared/interactions/rules.ts";

const ofOutput = (condition: RuleCondition) =>
  ({ element: "output", metric: "characters", condition }) as const;

describe("a threshold", () => {
  test.each([
    ["above", 100.01, true],
    ["above", 100, false],
    ["above", 99, false],
    ["below", 99.99, true],
    ["below", 100, false],
    ["below", 101, false],
  ] as const)("%s 100: %d is out of order: %s", (type, value, isOut) => {
    const judged = judgeValue(ofOutput({ type, threshold: 100 }), value, () => undefined);
    expect(judged !== undefined).toBe(isOut);
  });

  test("says what it was held against, and with which threshold it would have been quiet", () => {
    const judged = judgeValue(ofOutput({ type: "below", threshold: 10 }), 4, () => undefined);
    expect(judged).toEqual({
      score: null,
      evidence: {
        type: "below",
        explanation: "output.characters is 4, below the threshold of 10.",
        bound: 10,
        side: "low",
        quietThreshold: 4,
        method: null,
        sensitivity: null,
        centre: null,
        spread: null,
        scale: null,
        low: null,
        high: null,
        historyCount: null,
        windowMinutes: null,
        interactionIds: [],
      },
    });
    expect(judgeValue(ofOutput({ type: "below", threshold: 4 }), 4, () => undefined)).toBeUndefined();
  });
});

/** Around 50 with a spread of 10, at a sensitivity. */
const fencesOf = (sensitivity: number): Fences => ({
  count: 40,
  centre: 50,
  lowFrom: 50,
  highFrom: 50,
  scale: "linear",
  spread: 10,
  low: 50 - 10 * sensitivity,
  high: 50 + 10 * sensitivity,
});

const outlier = (fields: Partial<OutlierCondition> = {}): OutlierCondition => ({
  type: "outlier",
  method: "z-score",
  sensitivity: 2,
  tails: "both",
  countMin: 30,
  historyDays: 28,
  ...fields,
});

const judgeOutlier = (value: number, condition: OutlierCondition) =>
  judgeValue(ofOutput(condition), value, () => fencesOf(condition.sensitivity ?? 2));

describe("an outlier", () => {
  test.each([
    ["high", 71, "high"],
    ["high", 70, undefined],
    ["high", 29, undefined],
    ["low", 29, "low"],
    ["low", 30, undefined],
    ["low", 71, undefined],
    ["both", 71, "high"],
    ["both", 29, "low"],
    ["both", 50, undefined],
  ] as const)("with tails %s: %d is out on the side %s", (tails, value, side) => {
    expect(judgeOutlier(value, outlier({ tails }))?.evidence.side).toBe(side);
  });

  test("says what it was held against", () => {
    expect(judgeOutlier(95, outlier())).toEqual({
      score: 4.5,
      evidence: {
        type: "outlier",
        explanation:
          "output.characters is 95, above 70: 4.5 spreads from 50, the middle of 40 values before it (z-score, sensitivity 2).",
        bound: 70,
        side: "high",
        quietThreshold: 4.5,
        method: "z-score",
        sensitivity: 2,
        centre: 50,
        spread: 10,
        scale: "linear",
        low: 30,
        high: 70,
        historyCount: 40,
        windowMinutes: null,
        interactionIds: [],
      },
    });
  });

  test("would have been quiet with its quiet threshold as the sensitivity, and not short of it", () => {
    for (const value of [95, 5, 72.5]) {
      const quiet = judgeOutlier(value, outlier())?.evidence.quietThreshold ?? 0;
      expect(judgeOutlier(value, outlier({ sensitivity: quiet }))).toBeUndefined();
      expect(judgeOutlier(value, outlier({ sensitivity: quiet * 0.999 }))).toBeDefined();
    }
  });

  test("needs a history", () => {
    expect(judgeValue(ofOutput(outlier()), 1e9, () => undefined)).toBeUndefined();
  });
});

test("a rule judges rows of what it watches that have its metric, and asks for no history of others", () => {
  const rule: Rule = {
    id: createId(),
    ownerId: null,
    name: "long",
    isEnabled: true,
    severity: "warning",
    apps: ["shop"],
    environments: null,
    models: null,
    tags: ["vip"],
    groupBy: ["app", "model"],
    renotifyMinutes: null,
    resolveMinutes: 60,
    createdAt: "2026-01-01T00:00:00Z",
    updatedAt: "2026-01-01T00:00:00Z",
    ...ofOutput(outlier()),
  };
  const values: (number | null)[] = [];
  values[(findMetricNumber("output.characters") ?? 1) - 1] = 95;
  const row = {
    id: createId(),
    group: { app: "shop", environment: "", model: "m" },
    tags: ["vip", "new"],
    values,
    occurredAt: "2026-01-02T00:00:00Z",
  };
  let asked = 0;
  const find = () => {
    asked += 1;
    return fencesOf(2);
  };
  expect(judgeRow(rule, row, find)).toMatchObject({
    fingerprint: `${rule.id}["shop",null,"m"]`,
    app: "shop",
    environment: null,
    model: "m",
    value: 95,
    interactionId: row.id,
  });
  expect(asked).toBe(1);
  const others = [
    { ...row, tags: ["new"] },
    { ...row, group: { ...row.group, app: "other" } },
    { ...row, values: [] },
  ];
  for (const other of others) expect(judgeRow(rule, other, find)).toBeUndefined();
  expect(asked).toBe(1);
});
