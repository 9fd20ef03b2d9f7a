/** How much is measured. */
export interface InteractionsScale {
  readonly quick: boolean;
  readonly logRows: number;
  readonly importRows: number;
  readonly megabytes: readonly number[];
}
