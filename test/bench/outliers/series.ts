/**
 * Values such as a service with a language model in it sees (lengths, times, costs), with what is wrong in them labelled. Each
 * seed is a service of its own: how much it is used, how its day and week go, whether it grows, whether a release moved its level,
 * how long the tails of its values are.
 *
 *   values of an hour = level × trend × season × release × noise           nothing of this is an anomaly
 *   spike     one value far from its hour's                                 ┐ labelled, one incident each
 *   drift     a few hours whose values all lie off                          ┘
 */
import { normal, poisson } from "../../helpers/draws.ts";
import { type Random, seededRandom } from "../../helpers/pictures.ts";

export interface Value {
  readonly value: number;
  /** The incident that it is part of. */
  readonly incident: number | undefined;
}

export interface Series {
  /** By hour; the first is the first of a week. */
  readonly hours: readonly (readonly Value[])[];
  readonly incidents: number;
}

interface Profile {
  readonly level: number;
  readonly perHour: number;
  readonly dayShare: number;
  readonly weekendShare: number;
  readonly growthPerWeek: number;
  readonly release: { readonly hour: number; readonly factor: number } | undefined;
  readonly noise: (random: Random) => number;
}

export const weeks = 10;
/** Nothing is wrong in the first weeks: they are history. */
export const quietWeeks = 4;
const hoursPerWeek = 168;

const between = (random: Random, low: number, high: number) => low + (high - low) * random();

/** Factors around 1: narrow, skewed, and with heavy tails (Student's t with 3 degrees of freedom, in logarithms). */
const noises: readonly ((width: number) => (random: Random) => number)[] = [
  (width) => (random) => Math.max(0.02, 1 + width * 0.5 * normal(random)),
  (width) => (random) => Math.exp(width * normal(random)),
  (width) => (random) => Math.exp(width * 0.6 * studentT(random)),
];

function studentT(random: Random): number {
  const chiSquare = normal(random) ** 2 + normal(random) ** 2 + normal(random) ** 2;
  return Math.max(-12, Math.min(12, normal(random) / Math.sqrt(chiSquare / 3)));
}

function drawProfile(random: Random): Profile {
  const noise = noises[Math.floor(random() * noises.length)] ?? noises[0];
  if (!noise) throw new Error("there is no noise");
  const hour = Math.floor(between(random, quietWeeks * hoursPerWeek, (weeks - 1) * hoursPerWeek));
  return {
    level: Math.exp(between(random, Math.log(80), Math.log(3_000))),
    perHour: Math.exp(between(random, Math.log(6), Math.log(40))),
    dayShare: between(random, 0, 0.6),
    weekendShare: between(random, 0, 0.5),
    growthPerWeek: between(random, -0.03, 0.06),
    release: random() < 0.5 ? { hour, factor: Math.exp(between(random, -0.5, 0.5)) } : undefined,
    noise: noise(between(random, 0.1, 0.35)),
  };
}

/** Where the values of an hour lie, and how many there are: more by day, and now and then a burst. */
function describeHour(profile: Profile, hour: number, random: Random): { middle: number; count: number } {
  const byDay = Math.sin((2 * Math.PI * ((hour % 24) - 8)) / 24);
  const isWeekend = hour % hoursPerWeek >= 5 * 24;
  const released = profile.release && hour >= profile.release.hour ? profile.release.factor : 1;
  const middle =
    profile.level *
    (1 + profile.dayShare * byDay) *
    (isWeekend ? 1 - profile.weekendShare : 1) *
    (1 + profile.growthPerWeek * (hour / hoursPerWeek)) *
    released;
  const burst = random() < 0.01 ? between(random, 4, 12) : 1;
  return { middle, count: poisson(random, profile.perHour * (1 + 0.6 * byDay) * burst) };
}

/** A factor that is far from 1 for this service: up, and less often down. */
function drawFactor(random: Random, least: number, most: number): number {
  const factor = Math.exp(between(random, Math.log(least), Math.log(most)));
  return random() < 0.7 ? factor : 1 / factor;
}

export function drawSeries(seed: number): Series {
  // Neighbouring seeds begin far apart.
  const random = seededRandom(seed * 2654435761);
  const profile = drawProfile(random);
  const drifts = planDrifts(random);
  let incidents = 0;
  const hours: Value[][] = [];
  for (let hour = 0; hour < weeks * hoursPerWeek; hour++) {
    const { middle, count } = describeHour(profile, hour, random);
    const drift = drifts.find(({ from, to }) => hour >= from && hour < to);
    if (drift && drift.from === hour) drift.incident = incidents++;
    const values: Value[] = Array.from({ length: count }, () => ({
      value: middle * profile.noise(random) * (drift?.factor ?? 1),
      incident: drift?.incident,
    }));
    if (!drift && hour >= quietWeeks * hoursPerWeek && random() < 0.012) {
      values.push({ value: middle * drawFactor(random, 4, 30), incident: incidents++ });
    }
    hours.push(values);
  }
  return { hours, incidents };
}

interface Drift {
  readonly from: number;
  readonly to: number;
  readonly factor: number;
  incident?: number;
}

/** One in each week that is judged, three to six hours long. */
function planDrifts(random: Random): Drift[] {
  return Array.from({ length: weeks - quietWeeks }, (_, index) => {
    const from = Math.floor((quietWeeks + index) * hoursPerWeek + random() * (hoursPerWeek - 8));
    return { from, to: from + 3 + Math.floor(random() * 4), factor: drawFactor(random, 2.5, 6) };
  });
}
