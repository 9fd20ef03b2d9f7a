import type { Message } from "./protocol.ts";

/**
 * Whether a stream is between two transactions, judged from what it said and what it was answered.
 * A simple query and a Sync are each answered by one ReadyForQuery; what comes before the Sync belongs to it.
 */
export class Turn {
  #unanswered = 0;
  #withoutSync = false;
  #status = "I";

  /** A message of the client, about to be executed. */
  say(type: Message["type"]): void {
    if (type === "Q" || type === "S" || type === "F") {
      this.#unanswered += 1;
      this.#withoutSync = false;
    } else if ("PBDEC".includes(type)) {
      this.#withoutSync = true;
    }
  }

  /** A ReadyForQuery with its status: I idle, T in a transaction, E in a failed one. */
  hearReady(status: string): void {
    this.#unanswered = Math.max(0, this.#unanswered - 1);
    this.#status = status;
  }

  /** True when another stream may enter. */
  get over(): boolean {
    return this.#unanswered === 0 && !this.#withoutSync && this.#status === "I";
  }

  /** True when the server waits for a Sync before it listens to anything else. */
  get wantsSync(): boolean {
    return this.#withoutSync;
  }
}
