/** How many tries one address has at one account before it must wait, and how long until the next one. */
const attemptsMax = 30;
const msPerAttempt = 10_000;
/** Above it the longest unused bucket is forgotten. */
const bucketsMax = 10_000;

/**
 * Token buckets in memory, for password attempts. A restart empties them; guessing faster by crashing the server is
 * not something that a guesser can do.
 */
export class Attempts {
  readonly #buckets = new Map<string, { left: number; at: number }>();

  /** False when the bucket of `key` is empty. */
  take(key: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(key) ?? { left: attemptsMax, at: nowMs };
    const left = Math.min(attemptsMax, bucket.left + Math.max(0, nowMs - bucket.at) / msPerAttempt);
    const isAllowed = left >= 1;
    // Set again, so that the map's order is that of the last use.
    this.#buckets.delete(key);
    this.#buckets.set(key, { left: isAllowed ? left - 1 : left, at: nowMs });
    this.#forgetOldest();
    return isAllowed;
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= bucketsMax) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
