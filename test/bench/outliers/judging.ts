/** What a method says of each value of a series, and what alerts come of it. */
import type { FenceOptions, OutlierMethod } from "../../../shared/interactions/outliers/fence-types.ts";
import { findFences, scoreValue } from "../../../shared/interactions/outliers/fences.ts";
import type { HourStatistics } from "../../../shared/interactions/outliers/history.ts";
import { addValues, noMoments } from "../../../shared/interactions/statistics/moments.ts";
import { QuantileSketch } from "../../../shared/interactions/statistics/sketch.ts";
import { quietWeeks, type Series } from "./series.ts";

const hoursPerWeek = 168;
/** History is that of four weeks. */
const windowHours = 4 * hoursPerWeek;
const countMin = 30;
/** Monday, so that hour 0 of a series is the first of a week. */
const firstHour = 168 * 2_850 + 96;

export interface Scored {
  /** How far it is from its fence's origin, in spreads; a rule of a lower sensitivity finds it out. */
  readonly score: number;
  readonly incident: number | undefined;
}

/** By hour, from the first that is judged. Each hour is held against those before it. */
export type ScoredHours = readonly (readonly Scored[])[];

export function scoreSeries(
  { hours }: Series,
  methods: readonly OutlierMethod[],
): Map<OutlierMethod, ScoredHours> {
  const statistics = hours.map((values, hour): HourStatistics => {
    const numbers = values.map(({ value }) => value);
    return {
      hour: firstHour + hour,
      moments: addValues(noMoments, numbers),
      sketch: QuantileSketch.of(numbers),
    };
  });
  const scored = new Map<OutlierMethod, Scored[][]>(methods.map((method) => [method, []]));
  for (let hour = quietWeeks * hoursPerWeek; hour < hours.length; hour++) {
    const history = statistics.slice(Math.max(0, hour - windowHours), hour);
    for (const method of methods) {
      // Scores do not depend on the sensitivity.
      const options: FenceOptions = { method, sensitivity: 1, countMin, nowHour: firstHour + hour };
      const fences = findFences(history, options);
      scored.get(method)?.push(
        (hours[hour] ?? []).map(({ value, incident }) => ({
          score: fences ? Math.abs(scoreValue(value, fences)) : 0,
          incident,
        })),
      );
    }
  }
  return scored;
}

export interface Counts {
  alerts: number;
  trueAlerts: number;
  incidents: number;
  found: number;
  weeks: number;
}

/** What is out in an hour, and in those that follow without a quiet one between them, is one alert. */
export function countAlerts(hours: ScoredHours, sensitivity: number): Counts {
  const incidents = new Set<number>();
  const found = new Set<number>();
  let alerts = 0;
  let trueAlerts = 0;
  let open: { isTrue: boolean } | undefined;
  for (const values of hours) {
    const out = values.filter(({ score }) => score > sensitivity);
    for (const { incident } of values) if (incident !== undefined) incidents.add(incident);
    if (out.length === 0) {
      open = undefined;
      continue;
    }
    if (!open) {
      open = { isTrue: false };
      alerts += 1;
    }
    for (const { incident } of out) {
      if (incident === undefined) continue;
      found.add(incident);
      if (!open.isTrue) trueAlerts += 1;
      open.isTrue = true;
    }
  }
  return {
    alerts,
    trueAlerts,
    incidents: incidents.size,
    found: found.size,
    weeks: hours.length / hoursPerWeek,
  };
}

export function addCounts(all: readonly Counts[]): Counts {
  const sum = (key: keyof Counts) => all.reduce((total, counts) => total + counts[key], 0);
  return {
    alerts: sum("alerts"),
    trueAlerts: sum("trueAlerts"),
    incidents: sum("incidents"),
    found: sum("found"),
    weeks: sum("weeks"),
  };
}

export interface Quality {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly falseAlertsPerWeek: number;
}

export function judgeCounts({ alerts, trueAlerts, incidents, found, weeks }: Counts): Quality {
  const precision = alerts === 0 ? 0 : trueAlerts / alerts;
  const recall = incidents === 0 ? 0 : found / incidents;
  const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { precision, recall, f1, falseAlertsPerWeek: weeks === 0 ? 0 : (alerts - trueAlerts) / weeks };
}
