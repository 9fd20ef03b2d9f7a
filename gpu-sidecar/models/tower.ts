import { type InferenceSession, type OnnxValue, Tensor } from "onnxruntime-node";
import { AppError } from "../../shared/errors.ts";
import { toUnit } from "../math/vectors.ts";
import type { ModelCard } from "./card.ts";

/** What goes in under one name: rows of one shape, one after the other. */
export interface TowerInput {
  readonly data: Float32Array | BigInt64Array;
  readonly row: readonly number[];
}

/** Published graphs call their vector differently: projected into the common space, or pooled where none is needed. */
const outputNames = ["image_embeds", "text_embeds", "pooler_output"] as const;

/** One half of a dual encoder: an open graph that makes rows of numbers into rows of unit length. */
export class Tower {
  readonly runsAlone: boolean;
  readonly #session: InferenceSession;
  readonly #card: ModelCard;
  readonly #output: string;

  constructor(session: InferenceSession, card: ModelCard, runsAlone = false) {
    this.#session = session;
    this.#card = card;
    this.runsAlone = runsAlone;
    this.#output = findOutput(session, card.name);
  }

  async run(count: number, inputs: Readonly<Record<string, TowerInput>>): Promise<Float32Array> {
    if (!this.runsAlone || count === 1) return this.#runTogether(count, inputs);
    const vectors = new Float32Array(count * this.#card.dimensions);
    for (let row = 0; row < count; row++) {
      const one = Object.entries(inputs).map(([name, input]) => [name, takeRow(input, row)]);
      vectors.set(await this.#runTogether(1, Object.fromEntries(one)), row * this.#card.dimensions);
    }
    return vectors;
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  async #runTogether(count: number, inputs: Readonly<Record<string, TowerInput>>): Promise<Float32Array> {
    const feeds = toFeeds(this.#session, inputs, count);
    const outputs = await this.#session.run(feeds, [this.#output]);
    return this.#toUnits(outputs[this.#output], count);
  }

  /** Lengths are reckoned in 64 bits; a number that is none would poison every search it takes part in. */
  #toUnits(output: OnnxValue | undefined, count: number): Float32Array {
    const { dimensions, name } = this.#card;
    const values = output && readNumbers(output);
    if (!values || values.length !== count * dimensions)
      throw new AppError("unexpected", `${name} answered with something else than vectors.`);
    if (!values.every(Number.isFinite))
      throw new AppError("unexpected", `${name} answered with what is no number.`);
    const units = new Float32Array(values.length);
    for (let start = 0; start < values.length; start += dimensions)
      units.set(toUnit(values.subarray(start, start + dimensions)), start);
    return units;
  }
}

export function findOutput(session: InferenceSession, model: string): string {
  const found = outputNames.find((name) => session.outputNames.includes(name));
  if (found !== undefined) return found;
  throw new AppError(
    "invalid_request",
    `${model} gives out ${session.outputNames.join(", ")}, and none of ${outputNames.join(", ")}.`,
  );
}

/** Only what the graph asks for, in the type that it asks for: exported text halves differ in whether they take a mask. */
export function toFeeds(
  session: InferenceSession,
  inputs: Readonly<Record<string, TowerInput>>,
  count: number,
): Record<string, OnnxValue> {
  const feeds: Record<string, OnnxValue> = {};
  for (const metadata of session.inputMetadata) {
    const input = inputs[metadata.name];
    if (!input) throw new AppError("invalid_request", `The model asks for an unknown ${metadata.name}.`);
    feeds[metadata.name] = toTensor(input, count, metadata.isTensor ? metadata.type : "unknown");
  }
  return feeds;
}

function takeRow({ data, row }: TowerInput, index: number): TowerInput {
  const length = row.reduce((product, size) => product * size, 1);
  return { data: data.slice(index * length, (index + 1) * length), row };
}

function toTensor({ data, row }: TowerInput, count: number, type: string): OnnxValue {
  const dims = [count, ...row];
  if (type === "float16" && data instanceof Float32Array) return halfTensor(data, dims);
  if (type === "int32" && data instanceof BigInt64Array)
    return new Tensor("int32", Int32Array.from(data, Number), dims);
  return data instanceof Float32Array ? new Tensor("float32", data, dims) : new Tensor("int64", data, dims);
}

/**
 * onnxruntime-node 1.30 cannot make a float16 tensor where JavaScript has Float16Array ("not enough space"), so it is
 * handed the bits in an object that looks like one.
 */
function halfTensor(data: Float32Array, dims: readonly number[]): OnnxValue {
  const bits = new Uint16Array(new Float16Array(data).buffer);
  return { type: "float16", dims, data: bits, location: "cpu" } as unknown as Tensor;
}

function readNumbers(output: OnnxValue): Float32Array | undefined {
  if (output.type === "float32") return output.data as Float32Array;
  if (output.type === "float16") return new Float32Array(readHalves(output.data));
  return undefined;
}

/** As Float16Array, or as its bits. */
function readHalves(data: unknown): Float16Array {
  if (data instanceof Uint16Array) return new Float16Array(data.buffer, data.byteOffset, data.length);
  return data as Float16Array;
}
