/**
 * Two orders of the same pictures made one: by vectors and by words. A convex combination of normalized scores (Bruch,
 * Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", TOIS 2023). On drawn pictures with
 * partial and wrong keywords it finds more than reciprocal ranks do: see `docs/benchmarks.md`.
 */
export interface Placed {
  readonly id: string;
  readonly score: number;
}

/** A picture whose words answer, with its score by the vector; null where it has no vector. */
export interface Worded extends Placed {
  readonly nearness: number | null;
}

/** How much a good answer of the words counts against the distance from the last to the first of the nearest. */
const wordWeight = 0.5;
/** A keyword, or a word of the title, that answers ranks so; more is no better. */
const wordScoreFull = 0.4;
/** Scores nearer to each other than this are not drawn apart. */
const spreadMin = 0.01;

/**
 * Best first, equals by id. `near` are the nearest in order. From the last to the first of them is 0 to 1, and a
 * picture that only words found lies below 0 by as much as it is further away. Scores come out between 0 and 1.
 */
export function fuse(near: readonly Placed[], worded: readonly Worded[]): Placed[] {
  const [best, last] = [near[0]?.score ?? 0, near.at(-1)?.score ?? 0];
  const normalize = (score: number) => (score - last) / Math.max(best - last, spreadMin);
  const sums = new Map(near.map(({ id, score }) => [id, normalize(score)]));
  for (const { id, score, nearness } of worded) {
    const sum = sums.get(id) ?? (nearness === null ? 0 : normalize(nearness));
    sums.set(id, sum + wordWeight * Math.min(1, score / wordScoreFull));
  }
  return [...sums].map(([id, sum]) => ({ id, score: squash(sum) })).sort(comparePlaces);
}

/** From any number to one between 0 and 1, in the same order. */
function squash(sum: number): number {
  return (1 + sum / (1 + Math.abs(sum))) / 2;
}

/** What comes after everything fused, in the order of its nearness. */
export function scoreBehind(nearness: number): number {
  return nearness - 2;
}

export function comparePlaces(one: Placed, other: Placed): number {
  return other.score - one.score || (one.id < other.id ? -1 : 1);
}
