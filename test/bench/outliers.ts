/**
 * How well each method tells what is wrong from what is not, on seeded services with labelled incidents. Sensitivities are tuned
 * for the best F1 on seeds 1 to 20; what is reported are seeds 21 to 40. The first row is a plain mean + 2 deviations, upper side
 * and lower, untuned.
 */
import { OutlierMethod } from "../../shared/interactions/outliers/fences.ts";
import { addCounts, countAlerts, judgeCounts, type ScoredHours, scoreSeries } from "./outliers/judging.ts";
import { drawSeries, quietWeeks, weeks } from "./outliers/series.ts";

const methods = OutlierMethod.options;
const sensitivities = Array.from({ length: 45 }, (_, index) => 1.5 * 1.07 ** index);

export async function benchOutliers({ quick = false } = {}) {
  const seeds = quick ? 4 : 20;
  const tuning = scoreAll(1, seeds);
  const judged = scoreAll(21, seeds);
  const rate = (of: Map<OutlierMethod, ScoredHours[]>, method: OutlierMethod, sensitivity: number) =>
    judgeCounts(addCounts((of.get(method) ?? []).map((hours) => countAlerts(hours, sensitivity))));
  const describe = (name: string, method: OutlierMethod, sensitivity: number) => {
    const { precision, recall, f1, falseAlertsPerWeek } = rate(judged, method, sensitivity);
    return {
      method: name,
      sensitivity: round(sensitivity),
      precision: round(precision),
      recall: round(recall),
      f1: round(f1),
      falseAlertsPerWeek: round(falseAlertsPerWeek),
    };
  };
  const rows = [describe("mean + 2 deviations", "z-score", 2)];
  for (const method of methods) {
    const best = sensitivities
      .map((sensitivity) => ({ sensitivity, f1: rate(tuning, method, sensitivity).f1 }))
      .reduce((one, other) => (other.f1 > one.f1 ? other : one));
    rows.push(describe(method, method, best.sensitivity));
  }
  return { settings: { tunedOn: `1 to ${seeds}`, judgedOn: `21 to ${20 + seeds}`, weeks, quietWeeks }, rows };
}

function scoreAll(firstSeed: number, seeds: number): Map<OutlierMethod, ScoredHours[]> {
  const all = new Map<OutlierMethod, ScoredHours[]>(methods.map((method) => [method, []]));
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    for (const [method, hours] of scoreSeries(drawSeries(seed), methods)) all.get(method)?.push(hours);
  }
  return all;
}

const round = (value: number) => Math.round(value * 1000) / 1000;
