/** The first of many by some order, whatever order they come in. */
export class TopRows<Row> {
  readonly #rowsMax: number;
  readonly #compare: (one: Row, other: Row) => number;
  readonly #rows: Row[];

  /** `compare` as of `sort`: it must tell any two rows apart, so that the same ones are kept however they come. */
  constructor(rowsMax: number, compare: (one: Row, other: Row) => number, rows: readonly Row[] = []) {
    this.#rowsMax = rowsMax;
    this.#compare = compare;
    this.#rows = [...rows];
  }

  /** In order. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  add(row: Row): void {
    const last = this.#rows.at(-1);
    const isFull = this.#rows.length >= this.#rowsMax;
    if (isFull && last !== undefined && this.#compare(row, last) >= 0) return;
    this.#rows.splice(this.#findPlace(row), 0, row);
    if (isFull) this.#rows.pop();
  }

  #findPlace(row: Row): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#rows[middle] as Row, row) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
