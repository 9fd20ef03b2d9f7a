/** Values of known shapes, the same for a seed. */

/** Mulberry32: small, seeded, good enough for tests. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Box and Muller. */
const normal = (random: () => number) =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

export interface Distribution {
  readonly name: string;
  readonly draw: (random: () => number) => number;
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
  const random = createRandom(seed);
  return Array.from({ length: count }, () => draw(random));
}

export function shuffle<T>(list: readonly T[], seed: number): T[] {
  const random = createRandom(seed + 1000);
  return list
    .map((item) => [random(), item] as const)
    .sort(([one], [other]) => one - other)
    .map(([, item]) => item);
}

/** About as many parts, some of them empty. */
export function splitAtRandom<T>(list: readonly T[], parts: number, seed: number): T[][] {
  const random = createRandom(seed + 2000);
  const cuts = Array.from({ length: parts - 1 }, () => Math.floor(random() * (list.length + 1)));
  const bounds = [0, ...cuts.sort((one, other) => one - other), list.length];
  return bounds.slice(1).map((end, index) => list.slice(bounds[index], end));
}
