/** Values of known shapes, the same for a seed. */
import { normal } from "../../../helpers/draws.ts";
import { type Random, seededRandom } from "../../../helpers/pictures.ts";

export interface Distribution {
  readonly name: string;
  readonly draw: (random: Random) => number;
}

export const distributions: readonly Distribution[] = [
  { name: "uniform", draw: (random) => random() * 1000 },
  { name: "normal", draw: (random) => 500 + 80 * normal(random) },
  { name: "lognormal", draw: (random) => Math.exp(5 + 1.2 * normal(random)) },
  { name: "bimodal", draw: (random) => (random() < 0.7 ? 100 : 5000) + 30 * normal(random) },
  { name: "signed", draw: (random) => 3 * normal(random) },
  { name: "constant", draw: () => 42 },
];

export function drawValues({ draw }: Distribution, count: number, seed: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => draw(random));
}

export function shuffle<T>(list: readonly T[], seed: number): T[] {
  const random = seededRandom(seed + 1000);
  return list
    .map((item) => [random(), item] as const)
    .sort(([one], [other]) => one - other)
    .map(([, item]) => item);
}

/** About as many parts, some of them empty. */
export function splitAtRandom<T>(list: readonly T[], parts: number, seed: number): T[][] {
  const random = seededRandom(seed + 2000);
  const cuts = Array.from({ length: parts - 1 }, () => Math.floor(random() * (list.length + 1)));
  const bounds = [0, ...cuts.sort((one, other) => one - other), list.length];
  return bounds.slice(1).map((end, index) => list.slice(bounds[index], end));
}
