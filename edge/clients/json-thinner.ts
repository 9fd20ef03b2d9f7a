/**
 * JSON that comes in pieces, kept with its long strings cut, so that an answer with pictures of many megabytes takes no more
 * memory than its texts. What comes out is JSON again; whether it is well-formed is for the parser to say.
 *
 *   {"data":[{"b64_json":"iVBORw0KG…","revised_prompt":"A fox"}]}
 *     ─▶ {"data":[{"b64_json":"iVBO… [3000000 characters left out]","revised_prompt":"A fox"}]}
 */
import { endOfCut } from "./call-texts.ts";

export interface ThinnerLimits {
  /** Of all strings together; what is beyond is cut to `stringMin`. */
  readonly stringsMax: number;
  /** As much of each string is kept in any case: names, kinds and ids are no longer. */
  readonly stringMin: number;
  /** Of everything. Beyond, it is given up. */
  readonly charactersMax: number;
}

export const thinnerLimits: ThinnerLimits = {
  stringsMax: 600_000,
  stringMin: 100,
  charactersMax: 2_000_000,
};

const stringEnds = /["\\]/g;

export class JsonThinner {
  readonly #limits: ThinnerLimits;
  #kept: string[] = [];
  #keptLength = 0;
  #stringsLeft: number;
  #isInString = false;
  #stringLength = 0;
  #leftOut = 0;
  /** The beginning of an escape whose end has not come yet. */
  #escape = "";

  constructor(limits: ThinnerLimits = thinnerLimits) {
    this.#limits = limits;
    this.#stringsLeft = limits.stringsMax;
  }

  push(text: string): void {
    for (let at = 0; at < text.length; ) {
      at = this.#isInString ? this.#readString(text, at) : this.#readStructure(text, at);
    }
  }

  /** What came, and the thinner is as new. Undefined when it was too much. */
  take(): string | undefined {
    const taken = this.#keptLength > this.#limits.charactersMax ? undefined : this.#kept.join("");
    this.#kept = [];
    this.#keptLength = 0;
    this.#stringsLeft = this.#limits.stringsMax;
    this.#isInString = false;
    this.#escape = "";
    return taken;
  }

  #readStructure(text: string, from: number): number {
    const quote = text.indexOf('"', from);
    const end = quote < 0 ? text.length : quote + 1;
    this.#keep(text.slice(from, end));
    if (quote >= 0) {
      this.#isInString = true;
      this.#stringLength = 0;
      this.#leftOut = 0;
    }
    return end;
  }

  #readString(text: string, from: number): number {
    if (this.#escape !== "") return this.#readEscape(text, from);
    stringEnds.lastIndex = from;
    const end = stringEnds.exec(text)?.index ?? text.length;
    this.#keepOfString(text.slice(from, end));
    if (text[end] === '"') this.#endString();
    else this.#escape = text.slice(end, end + 1);
    return end + 1;
  }

  /** An escape is kept whole or not at all. */
  #readEscape(text: string, from: number): number {
    this.#escape += text[from];
    const length = this.#escape[1] === "u" ? 6 : 2;
    if (this.#escape.length === length) {
      this.#keepOfString(this.#escape, this.#room() > 0 ? length : 0);
      this.#escape = "";
    }
    return from + 1;
  }

  #room(): number {
    return Math.max(this.#limits.stringMin - this.#stringLength, this.#stringsLeft);
  }

  #keepOfString(text: string, room = this.#room()): void {
    const kept = text.slice(0, Math.max(0, room));
    this.#keep(kept);
    this.#stringLength += kept.length;
    this.#stringsLeft = Math.max(0, this.#stringsLeft - kept.length);
    this.#leftOut += text.length - kept.length;
  }

  #endString(): void {
    this.#keep(this.#leftOut > 0 ? `${endOfCut(this.#leftOut)}"` : '"');
    this.#isInString = false;
  }

  #keep(text: string): void {
    this.#keptLength += text.length;
    if (this.#keptLength <= this.#limits.charactersMax) this.#kept.push(text);
  }
}
