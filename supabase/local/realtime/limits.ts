/** What one client may take. The defaults are those of a hosted project, or wider where one machine serves itself. */
export interface RealtimeLimits {
  /** A longer frame closes the socket; 5,000,000 as on the original. */
  readonly frameBytesMax: number;
  /** A longer payload is not delivered; 3,000 kB as on a paid hosted project. */
  readonly payloadBytesMax: number;
  readonly socketsMax: number;
  readonly channelsPerSocketMax: number;
  /**
   * Frames that a socket may send in a second, and messages that all requests may send; twice as many in a burst.
   * Hosted: 100 on the free plan and 500 on a paid one, for everyone together and with what is delivered. Deliveries
   * are not counted here: a sidecar's progress must not close the browser that watches it.
   */
  readonly messagesPerSecond: number;
  /** Bytes that may wait for a slow reader before its socket is closed. */
  readonly sendBufferBytesMax: number;
  /** A socket that sends nothing for so long is closed; clients send a heartbeat every 25 seconds. */
  readonly heartbeatTimeoutMs: number;
  /** Frames that may wait while a policy is asked. */
  readonly waitingFramesMax: number;
}

export const defaultLimits: RealtimeLimits = {
  frameBytesMax: 5_000_000,
  payloadBytesMax: 3_000_000,
  socketsMax: 1_000,
  channelsPerSocketMax: 100,
  messagesPerSecond: 500,
  sendBufferBytesMax: 8 * 1024 * 1024,
  heartbeatTimeoutMs: 60_000,
  waitingFramesMax: 1_000,
};

/** A token bucket: `take` is false once more than two seconds' worth came at a time. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  #tokens: number;
  #filledAtMs: number;

  constructor(perSecond: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#now = now;
    this.#tokens = 2 * perSecond;
    this.#filledAtMs = now();
  }

  take(count = 1): boolean {
    const nowMs = this.#now();
    const elapsedSeconds = Math.max(0, nowMs - this.#filledAtMs) / 1000;
    this.#tokens = Math.min(2 * this.#perSecond, this.#tokens + elapsedSeconds * this.#perSecond);
    this.#filledAtMs = nowMs;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}
