/**
 * How well each method tells what is wrong from what is not, on seeded services with labelled incidents. Sensitivities are tuned
 * for the best F1 on seeds 1 to 20; what is reported are seeds 21 to 40. The first row is a plain mean + 2 deviations, upper side
 * and lower, untuned. Series of which many values are equal are judged by the sensitivities of rules that name none.
 */
import { OutlierMethod } from "../../shared/interactions/outliers/fence-types.ts";
import { sensitivities as ofRules } from "../../shared/interactions/rules.ts";
import { addCounts, countAlerts, judgeCounts, type ScoredHours, scoreSeries } from "./outliers/judging.ts";
import { drawSeries, quietWeeks, type Series, weeks } from "./outliers/series.ts";
import { drawTiedSeries, tiedKinds } from "./outliers/tied-series.ts";

const methods = OutlierMethod.options;
const sensitivities = Array.from({ length: 45 }, (_, index) => 1.5 * 1.07 ** index);

export async function benchOutliers({ quick = false } = {}) {
  const seeds = quick ? 4 : 20;
  const tuning = scoreAll(drawSeries, [1, seeds]);
  const judged = scoreAll(drawSeries, [21, seeds]);
  const describe = (name: string, method: OutlierMethod, sensitivity: number) => ({
    method: name,
    ...describeQuality(judged.get(method), sensitivity),
  });
  const rows = [describe("mean + 2 deviations", "z-score", 2)];
  for (const method of methods) {
    const best = sensitivities
      .map((sensitivity) => ({ sensitivity, f1: rate(tuning.get(method), sensitivity).f1 }))
      .reduce((one, other) => (other.f1 > one.f1 ? other : one));
    rows.push(describe(method, method, best.sensitivity));
  }
  const tied = tiedKinds.flatMap((kind) => {
    const scored = scoreAll((seed) => drawTiedSeries(kind, seed), [21, seeds]);
    return methods.map((method) => ({
      values: kind,
      method,
      ...describeQuality(scored.get(method), ofRules[method]),
    }));
  });
  return {
    settings: { tunedOn: `1 to ${seeds}`, judgedOn: `21 to ${20 + seeds}`, weeks, quietWeeks },
    tables: { "values that spread": rows, "many equal values": tied },
  };
}

const rate = (scored: readonly ScoredHours[] = [], sensitivity: number) =>
  judgeCounts(addCounts(scored.map((hours) => countAlerts(hours, sensitivity))));

function describeQuality(scored: readonly ScoredHours[] | undefined, sensitivity: number) {
  const { precision, recall, f1, falseAlertsPerWeek } = rate(scored, sensitivity);
  return {
    sensitivity: round(sensitivity),
    precision: round(precision),
    recall: round(recall),
    f1: round(f1),
    falseAlertsPerWeek: round(falseAlertsPerWeek),
  };
}

function scoreAll(
  draw: (seed: number) => Series,
  [firstSeed, seeds]: readonly [number, number],
): Map<OutlierMethod, ScoredHours[]> {
  const all = new Map<OutlierMethod, ScoredHours[]>(methods.map((method) => [method, []]));
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    for (const [method, hours] of scoreSeries(draw(seed), methods)) all.get(method)?.push(hours);
  }
  return all;
}

const round = (value: number) => Math.round(value * 1000) / 1000;
