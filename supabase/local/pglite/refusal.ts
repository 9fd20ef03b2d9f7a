import { readSql } from "./channels.ts";
import { encodeError, encodeReady, type Message } from "./protocol.ts";

/**
 * What a stream hears whose transaction was taken from it: every statement fails, as in a failed transaction, until
 * it ends the transaction that it believes to have. To break the connection, as a server does, would not tell why.
 */
export class Refusal {
  readonly #error: Uint8Array;
  #told = false;
  #ending = false;

  constructor(code: string, message: string) {
    this.#error = encodeError("ERROR", code, message);
  }

  /** True when the client gives up its transaction: from here on it may be heard again. */
  endsWith(message: Message): boolean {
    return !this.#told && /^\s*(rollback|abort)\b(?!\s+to\b)/i.test(readSql(message) ?? "");
  }

  /** The answer to one message. `over` once the client was told that its commit failed. */
  answer(message: Message): { bytes: Uint8Array[]; over: boolean } {
    if (/^\s*(commit|end)\b/i.test(readSql(message) ?? "")) this.#ending = true;
    const bytes: Uint8Array[] = [];
    if (!this.#told && message.type !== "S") bytes.push(this.#error);
    // What follows an error is passed over until the Sync; a simple query is its own.
    this.#told = message.type !== "S" && message.type !== "Q";
    if (this.#told) return { bytes, over: false };
    bytes.push(encodeReady(this.#ending ? "I" : "E"));
    return { bytes, over: this.#ending };
  }
}
