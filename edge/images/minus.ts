/** What must not be found, taken from what is asked for. Vectors are unit vectors in pgvector's text form. */

/**
 * So much of the one is taken from the other. Measured with `palette` on drawn pictures, one colour without another,
 * between 0.3 and 0.7 is best; projecting what is unwanted away is no better than ignoring it, as the texts of a
 * model hardly point along each other.
 */
const weight = 0.5;

/** The direction that leads to the one and away from the other. */
export function subtract(asked: string, unwanted: string): string {
  const [from, less] = [readVector(asked), readVector(unwanted)];
  const difference = from.map((value, index) => value - weight * (less[index] ?? 0));
  const length = Math.hypot(...difference);
  // The same twice leaves its own direction, never nothing: half of it is taken away.
  return JSON.stringify(difference.map((value) => value / length));
}

export function readVector(text: string): number[] {
  const vector: unknown = JSON.parse(text);
  if (!Array.isArray(vector) || !vector.every((value) => typeof value === "number"))
    throw new TypeError("Expected a vector");
  return vector;
}
