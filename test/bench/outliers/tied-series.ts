/**
 * Values of which many are equal, with what is wrong in them labelled: what the first series have none of. Each seed is a service
 * of its own.
 *
 *   counts     most are 0, and the others 1, 2, 3 …: links, code blocks, names          wrong: one value far off; hours of many
 *   integers   most are 1, and the others 2, 3, 4 …: sentences, lines                   wrong: the same
 *   flags      0 or 1, one of them rare: refusals, valid JSON                           wrong: hours in which it is not rare
 */
import { poisson } from "../../helpers/draws.ts";
import { type Random, seededRandom } from "../../helpers/pictures.ts";
import { quietWeeks, type Series, type Value, weeks } from "./series.ts";

export const tiedKinds = ["counts", "integers", "flags"] as const;
export type TiedKind = (typeof tiedKinds)[number];

const hoursPerWeek = 168;

interface Profile {
  readonly kind: TiedKind;
  readonly perHour: number;
  /** How many are not what most are. */
  readonly otherShare: number;
  /** How far the others go beyond the first step: each step is as likely as this, given the one before. */
  readonly stepShare: number;
  /** Which of the two a flag mostly is. */
  readonly usual: 0 | 1;
}

const between = (random: Random, low: number, high: number) => low + (high - low) * random();

function drawProfile(kind: TiedKind, random: Random): Profile {
  const [least, most] = kind === "flags" ? [0.01, 0.4] : [0.05, 0.45];
  return {
    kind,
    perHour: Math.exp(between(random, Math.log(6), Math.log(40))),
    otherShare: Math.exp(between(random, Math.log(least), Math.log(most))),
    stepShare: between(random, 0.3, 0.75),
    usual: random() < 0.5 ? 0 : 1,
  };
}

function drawOther({ stepShare }: Profile, random: Random): number {
  let steps = 1;
  while (random() < stepShare) steps += 1;
  return steps;
}

function drawValue(profile: Profile, otherShare: number, random: Random): number {
  const isOther = random() < otherShare;
  if (profile.kind === "flags") return isOther ? 1 - profile.usual : profile.usual;
  return (profile.kind === "integers" ? 1 : 0) + (isOther ? drawOther(profile, random) : 0);
}

/** Beyond what one of a hundred thousand of its values is. */
const drawFar = ({ stepShare }: Profile, random: Random) =>
  Math.ceil((Math.log(1e-5) / Math.log(stepShare)) * between(random, 1.5, 6));

export function drawTiedSeries(kind: TiedKind, seed: number): Series {
  const random = seededRandom((seed + 1_000 * (1 + tiedKinds.indexOf(kind))) * 2654435761);
  const profile = drawProfile(kind, random);
  const drifts = Array.from({ length: weeks - quietWeeks }, (_, week) => {
    const from = Math.floor((quietWeeks + week) * hoursPerWeek + random() * (hoursPerWeek - 8));
    return { from, to: from + 3 + Math.floor(random() * 4), incident: -1 };
  });
  let incidents = 0;
  const hours: Value[][] = [];
  for (let hour = 0; hour < weeks * hoursPerWeek; hour++) {
    const drift = drifts.find(({ from, to }) => hour >= from && hour < to);
    if (drift && drift.incident < 0) drift.incident = incidents++;
    const incident = drift?.incident;
    const byDay = 1 + 0.6 * Math.sin((2 * Math.PI * ((hour % 24) - 8)) / 24);
    const values = Array.from({ length: poisson(random, profile.perHour * byDay) }, (): Value => {
      const value = drawValue(profile, drift ? 0.9 : profile.otherShare, random);
      return { value: drift && kind !== "flags" ? value * 12 : value, incident };
    });
    if (kind !== "flags" && !drift && hour >= quietWeeks * hoursPerWeek && random() < 0.012) {
      values.push({ value: drawFar(profile, random), incident: incidents++ });
    }
    hours.push(values);
  }
  return { hours, incidents };
}
