/** Spearman's rank correlation; equal values share the mean of their ranks, so this is Pearson's r of the ranks. */
export function spearman(left: readonly number[], right: readonly number[]): number {
  if (left.length !== right.length || left.length < 3)
    throw new RangeError("at least three pairs are needed");
  return pearson(rank(left), rank(right));
}

/** Ranks from 1; equal values get the mean of the ranks that they take up. */
export function rank(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Array<number>(values.length).fill(0);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end] ?? 0] === values[order[start] ?? 0]) end++;
    for (const index of order.slice(start, end)) ranks[index] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

function pearson(left: readonly number[], right: readonly number[]): number {
  const [meanLeft, meanRight] = [mean(left), mean(right)];
  let [both, ofLeft, ofRight] = [0, 0, 0];
  left.forEach((value, index) => {
    const [a, b] = [value - meanLeft, (right[index] ?? 0) - meanRight];
    both += a * b;
    ofLeft += a * a;
    ofRight += b * b;
  });
  return both / Math.sqrt(ofLeft * ofRight);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
