/**
 * The data of server-sent events (WHATWG HTML, 9.2) as JSON, from bytes however they are cut. Long strings in it are cut, so that
 * an event takes no more memory than its texts.
 */
import { JsonThinner } from "./json-thinner.ts";
import { parseJson } from "./loose-json.ts";

export interface EventTaker {
  /** JSON of one event. */
  readEvent(event: unknown): void;
  /** `[DONE]`, by which OpenAI and those who follow it say that all was said. */
  readDone(): void;
}

const dataField = "data:";

export class ServerSentEvents {
  readonly #taker: EventTaker;
  readonly #decoder = new TextDecoder();
  readonly #data = new JsonThinner();
  /** The beginning of a line, until it is known what it is. */
  #head = "";
  #isData = false;
  /** The last piece ended with a carriage return: a line feed after it is no line of its own. */
  #isAfterReturn = false;

  constructor(taker: EventTaker) {
    this.#taker = taker;
  }

  push(bytes: Uint8Array): void {
    this.#read(this.#decoder.decode(bytes, { stream: true }));
  }

  /** An event that lacks its empty line counts as well if it is whole. */
  end(): void {
    this.#read(this.#decoder.decode());
    this.#endLine();
    this.#dispatch();
  }

  #read(text: string): void {
    let at = 0;
    if (this.#isAfterReturn && text !== "") {
      this.#isAfterReturn = false;
      if (text[0] === "\n") at = 1;
    }
    for (const { index, 0: lineEnd } of text.matchAll(/\r\n|\n|\r/g)) {
      if (index < at) continue;
      this.#readLine(text.slice(at, index));
      this.#endLine();
      at = index + lineEnd.length;
      this.#isAfterReturn = lineEnd === "\r" && at === text.length;
    }
    this.#readLine(text.slice(at));
  }

  #readLine(piece: string): void {
    if (this.#isData) this.#data.push(piece);
    else if (this.#head.length < dataField.length) {
      this.#head += piece;
      if (this.#head.startsWith(dataField)) {
        this.#isData = true;
        this.#data.push(this.#head.slice(dataField.length));
      }
      this.#head = this.#head.slice(0, dataField.length);
    }
  }

  #endLine(): void {
    if (this.#isData) this.#data.push("\n");
    else if (this.#head === "") this.#dispatch();
    this.#head = "";
    this.#isData = false;
  }

  #dispatch(): void {
    const text = this.#data.take()?.trim();
    if (text === "[DONE]") this.#taker.readDone();
    else if (text) {
      const event = parseJson(text);
      if (event !== undefined) this.#taker.readEvent(event);
    }
  }
}
