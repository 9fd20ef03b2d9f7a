/** Each text is filled up to the longest of its run, so texts of much different lengths do not run together. */
const bucketMin = 16;

/** Row numbers in groups: up to 16 tokens, up to 32, 64 and so on; in each the order of the rows. */
export function groupByLength(lengths: readonly number[]): number[][] {
  const groups = new Map<number, number[]>();
  lengths.forEach((length, row) => {
    let bucket = bucketMin;
    while (bucket < length) bucket *= 2;
    const rows = groups.get(bucket);
    if (rows) rows.push(row);
    else groups.set(bucket, [row]);
  });
  return [...groups.values()];
}
