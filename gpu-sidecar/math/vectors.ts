/** Vectors of numbers. A batch is one flat array of rows, each `dimensions` long. */

export function innerProduct(left: ArrayLike<number>, right: ArrayLike<number>): number {
  if (left.length !== right.length)
    throw new RangeError(`${left.length} and ${right.length} numbers do not match`);
  let sum = 0;
  for (let i = 0; i < left.length; i++) sum += (left[i] ?? 0) * (right[i] ?? 0);
  return sum;
}

export function vectorLength(vector: ArrayLike<number>): number {
  return Math.sqrt(innerProduct(vector, vector));
}

/** The same direction with length 1. A vector of zeros has none and stays as it is. */
export function toUnit(vector: ArrayLike<number>): Float32Array {
  const length = vectorLength(vector);
  return Float32Array.from(vector, (value) => (length > 0 ? value / length : 0));
}

/** One row of a batch, as a view: it shares the batch's memory. */
export function rowOf(batch: Float32Array, row: number, dimensions: number): Float32Array {
  if ((row + 1) * dimensions > batch.length) throw new RangeError(`there is no row ${row}`);
  return batch.subarray(row * dimensions, (row + 1) * dimensions);
}

/** One array after the other; a single one is not copied. */
export function joinArrays(arrays: readonly Float32Array[]): Float32Array {
  if (arrays.length === 1 && arrays[0]) return arrays[0];
  const whole = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let start = 0;
  for (const array of arrays) {
    whole.set(array, start);
    start += array.length;
  }
  return whole;
}
