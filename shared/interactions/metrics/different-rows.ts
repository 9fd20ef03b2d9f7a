/** Table of open addressing that is used again: its cells are starts of rows, from 1; 0 is free. */
let cells = new Int32Array(1024);

/** Another one in each process, so that no text can be written whose rows all meet in one cell. */
const seed = Math.trunc(Math.random() * 2 ** 32);

const isSameRow = (numbers: Int32Array, one: number, other: number): boolean =>
  numbers[one] === numbers[other] &&
  numbers[one + 1] === numbers[other + 1] &&
  numbers[one + 2] === numbers[other + 2] &&
  numbers[one + 3] === numbers[other + 3];

function hashRow(numbers: Int32Array, start: number): number {
  let hash = seed;
  for (let offset = 0; offset < 4; offset++) {
    hash = Math.imul(hash ^ (numbers[start + offset] as number), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** How many different rows of four there are among all that begin at one of the numbers, compared exactly. */
export function countDifferentRowsOfFour(numbers: Int32Array): number {
  const rows = Math.max(0, numbers.length - 3);
  let size = 64;
  while (size < rows * 2) size *= 2;
  if (cells.length < size) cells = new Int32Array(size);
  else cells.fill(0, 0, size);
  let count = 0;
  for (let start = 0; start < rows; start++) {
    let cell = hashRow(numbers, start) & (size - 1);
    while (cells[cell] !== 0 && !isSameRow(numbers, (cells[cell] as number) - 1, start))
      cell = (cell + 1) & (size - 1);
    if (cells[cell] === 0) {
      cells[cell] = start + 1;
      count += 1;
    }
  }
  return count;
}
