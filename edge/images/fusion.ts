/**
 * Two orders of the same pictures made one: by vectors and by words. Reciprocal rank fusion (Cormack, Clarke and
 * Büttcher, SIGIR 2009): a picture scores 1 / (k + rank) in each list that it is in.
 */
export interface Placed {
  readonly id: string;
  readonly score: number;
}

/** From the paper; the further down, the less a rank says. */
const k = 60;

/** Best first, equals by id. Pictures of one score in a list share the best of their ranks. */
export function fuse(lists: readonly (readonly Placed[])[]): Placed[] {
  const scores = new Map<string, number>();
  for (const list of lists) {
    for (const { id, rank } of rankPlaces(list)) scores.set(id, (scores.get(id) ?? 0) + 1 / (k + rank));
  }
  return [...scores].map(([id, score]) => ({ id, score })).sort(comparePlaces);
}

/** What comes after everything fused: by its rank in the one list that it is in. */
export function scoreOfRank(rank: number): number {
  return 1 / (k + rank);
}

export function comparePlaces(one: Placed, other: Placed): number {
  return other.score - one.score || (one.id < other.id ? -1 : 1);
}

function rankPlaces(list: readonly Placed[]): { id: string; rank: number }[] {
  let rank = 0;
  return list.map(({ id, score }, index) => {
    if (score !== list[index - 1]?.score) rank = index + 1;
    return { id, rank };
  });
}
