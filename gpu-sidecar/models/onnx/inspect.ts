import { type FileHandle, open } from "node:fs/promises";
import { refuse } from "../files/refuse.ts";

/**
 * Looks through an ONNX file without loading it: which operators it uses, and which other files it wants to read.
 * Weights are skipped, so a file of any size takes milliseconds.
 */
export interface GraphContents {
  /** `Conv`, or with a domain `com.microsoft:FusedConv`. */
  readonly operators: ReadonlySet<string>;
  /** Files with weights, as the graph names them, relative to its own folder. */
  readonly externalFiles: ReadonlySet<string>;
}

type MessageName = "Model" | "Graph" | "Node" | "Attribute" | "Tensor" | "Sparse" | "Entry" | "Function";

/** The fields that lead to operators and external files (onnx.proto3); all others are skipped. */
const nested: Readonly<Record<MessageName, Readonly<Record<number, MessageName>>>> = {
  Model: { 7: "Graph", 25: "Function" },
  Graph: { 1: "Node", 5: "Tensor", 15: "Sparse" },
  Function: { 7: "Node", 11: "Attribute" },
  Node: { 5: "Attribute" },
  Attribute: { 5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse" },
  Sparse: { 1: "Tensor", 2: "Tensor" },
  Tensor: { 13: "Entry" },
  Entry: {},
};

/** The fields whose text is of interest. */
const texts: Readonly<Partial<Record<MessageName, readonly number[]>>> = { Node: [4, 7], Entry: [1, 2] };

const depthMax = 32;
const textBytesMax = 4096;
const fieldsMax = 20_000_000;

export async function inspectGraph(path: string): Promise<GraphContents> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const walker = new Walker(new Window(file, size));
    await walker.walk("Model", size, 0);
    if (walker.operators.size === 0) throw refuse(`${path} is no ONNX graph.`);
    return walker;
  } finally {
    await file.close();
  }
}

class Walker implements GraphContents {
  readonly operators = new Set<string>();
  readonly externalFiles = new Set<string>();
  readonly #bytes: Window;
  #fields = 0;

  constructor(bytes: Window) {
    this.#bytes = bytes;
  }

  async walk(message: MessageName, end: number, depth: number): Promise<void> {
    if (depth > depthMax) throw refuse("The graph is nested too deeply.");
    const found = new Map<number, string>();
    while (this.#bytes.at < end) {
      if (++this.#fields > fieldsMax) throw refuse("The graph has too many parts.");
      await this.#field(message, { end, depth, found });
    }
    if (this.#bytes.at !== end) throw refuse("The graph is damaged: a part is longer than the whole.");
    if (message === "Node") this.operators.add([found.get(7), found.get(4)].filter(Boolean).join(":"));
    if (message === "Entry" && found.get(1) === "location") this.externalFiles.add(found.get(2) ?? "");
  }

  async #field(
    message: MessageName,
    { end, depth, found }: { end: number; depth: number; found: Map<number, string> },
  ): Promise<void> {
    const tag = await this.#bytes.varint();
    // Readers keep 32 bits of it: a larger one would be another field to them.
    if (tag < 8 || tag >= 2 ** 32) throw refuse("The graph is damaged: it has a field without a number.");
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (wire === 0) return void (await this.#bytes.varint());
    if (wire === 1 || wire === 5) return this.#bytes.skip(wire === 1 ? 8 : 4);
    if (wire !== 2) throw refuse("The graph is damaged: it is no protocol buffer.");
    const length = await this.#bytes.varint();
    const stop = this.#bytes.at + length;
    if (stop > end) throw refuse("The graph is damaged: it ends too early.");
    const inner = nested[message][field];
    if (inner) return this.walk(inner, stop, depth + 1);
    if (!texts[message]?.includes(field)) return this.#bytes.skip(length);
    if (length > textBytesMax) throw refuse("The graph is damaged: a name is too long.");
    found.set(field, await this.#bytes.text(length));
  }
}

const windowBytes = 64 * 1024;

/** A file read from front to back through a small buffer. */
class Window {
  at = 0;
  readonly #file: FileHandle;
  readonly #size: number;
  readonly #buffer = new Uint8Array(windowBytes);
  #start = 0;
  #filled = 0;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  skip(bytes: number): void {
    this.at += bytes;
  }

  async text(bytes: number): Promise<string> {
    const content = new Uint8Array(bytes);
    for (let i = 0; i < bytes; i++) content[i] = await this.#next();
    return new TextDecoder().decode(content);
  }

  /** Up to 2^53; what is longer stands only where it is skipped (a negative number in ten bytes). */
  async varint(): Promise<number> {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = this.#peek() ?? (await this.#next(false));
      this.at += 1;
      value += (byte % 128) * 2 ** (7 * i);
      if (byte < 128) return value;
    }
    throw refuse("The graph is damaged: a number has no end.");
  }

  #peek(): number | undefined {
    const offset = this.at - this.#start;
    return offset >= 0 && offset < this.#filled ? this.#buffer[offset] : undefined;
  }

  async #next(moves = true): Promise<number> {
    if (this.#peek() === undefined) await this.#fill();
    const byte = this.#peek();
    if (byte === undefined) throw refuse("The graph is damaged: it ends too early.");
    if (moves) this.at += 1;
    return byte;
  }

  async #fill(): Promise<void> {
    if (this.at >= this.#size) throw refuse("The graph is damaged: it ends too early.");
    const { bytesRead } = await this.#file.read(this.#buffer, 0, windowBytes, this.at);
    this.#start = this.at;
    this.#filled = bytesRead;
  }
}
