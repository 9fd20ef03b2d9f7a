import { ProtobufWriter } from "./protobuf.ts";

/**
 * Writes an ONNX model (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) without Python: a graph is built
 * node by node, each call giving back the name of the value it makes.
 */
const irVersion = 8;
const opsetVersion = 17;
export const elementTypes = { float32: 1, int8: 3, int32: 6, int64: 7, float16: 10 } as const;
const attributeTypes = { float: 1, int: 2, ints: 7 } as const;

export type ElementType = keyof typeof elementTypes;
/** A number is a fixed length; a word is a length that the caller decides, such as the batch. */
export type Dimensions = readonly (number | string)[];
/** A bare number or list is of integers; a real number says so. */
export type Attribute = number | readonly number[] | { readonly float: number };

export class GraphBuilder {
  readonly #name: string;
  readonly #inputs: ProtobufWriter[] = [];
  readonly #outputs: ProtobufWriter[] = [];
  readonly #nodes: ProtobufWriter[] = [];
  readonly #constants: ProtobufWriter[] = [];
  #values = 0;

  constructor(name: string) {
    this.#name = name;
  }

  input(name: string, type: ElementType, dimensions: Dimensions): string {
    this.#inputs.push(valueInfo(name, type, dimensions));
    return name;
  }

  /** Gives `value` out under a name that callers ask for. */
  output(name: string, value: string, dimensions: Dimensions, type: ElementType = "float32"): void {
    this.#nodes.push(node("Identity", [value], [name], {}));
    this.#outputs.push(valueInfo(name, type, dimensions));
  }

  /** A tensor that is part of the file. */
  constant(values: readonly number[] | Float32Array, dimensions: readonly number[]): string {
    return this.tensor("float32", new Float32Array(values), dimensions);
  }

  /** Numbers that are kept as they are, without a copy; float16 comes as its bits. */
  tensor(
    type: ElementType,
    values: Float32Array | BigInt64Array | Int8Array | Uint16Array,
    dimensions: readonly number[],
  ): string {
    const name = `c${++this.#values}`;
    const count = dimensions.reduce((product, length) => product * length, 1);
    if (count !== values.length) throw new RangeError(`${values.length} values do not fill [${dimensions}]`);
    const tensor = new ProtobufWriter();
    for (const length of dimensions) tensor.integer(1, length);
    const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#constants.push(tensor.integer(2, elementTypes[type]).text(8, name).bytes(9, raw));
    return name;
  }

  integers(values: readonly number[]): string {
    return this.tensor("int64", BigInt64Array.from(values, BigInt), [values.length]);
  }

  scalar(value: number): string {
    return this.constant([value], []);
  }

  node(operator: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    const output = `v${++this.#values}`;
    this.#nodes.push(node(operator, inputs, [output], attributes));
    return output;
  }

  /** A number of 8 bits for each of `value`, their common scale and their zero: [quantised, scale, zero]. */
  quantise(value: string): readonly [string, string, string] {
    const name = `v${++this.#values}`;
    const outputs = [name, `${name}_scale`, `${name}_zero`] as const;
    this.#nodes.push(node("DynamicQuantizeLinear", [value], outputs, {}));
    return outputs;
  }

  toBytes(): Uint8Array {
    const graph = new ProtobufWriter();
    for (const one of this.#nodes) graph.message(1, one);
    graph.text(2, this.#name);
    for (const one of this.#constants) graph.message(5, one);
    for (const one of this.#inputs) graph.message(11, one);
    for (const one of this.#outputs) graph.message(12, one);
    const opset = new ProtobufWriter().integer(2, opsetVersion);
    const model = new ProtobufWriter().integer(1, irVersion).text(2, "parlance");
    return model.message(7, graph).message(8, opset).toBytes();
  }
}

function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Record<string, Attribute>,
): ProtobufWriter {
  const message = new ProtobufWriter();
  for (const name of inputs) message.text(1, name);
  for (const name of outputs) message.text(2, name);
  message.text(4, operator);
  for (const [name, value] of Object.entries(attributes)) message.message(5, attribute(name, value));
  return message;
}

function attribute(name: string, value: Attribute): ProtobufWriter {
  const message = new ProtobufWriter().text(1, name);
  if (typeof value === "number") return message.integer(3, unsigned(value)).integer(20, attributeTypes.int);
  if ("float" in value) return message.float(2, value.float).integer(20, attributeTypes.float);
  for (const one of value) message.integer(8, unsigned(one));
  return message.integer(20, attributeTypes.ints);
}

function valueInfo(name: string, type: ElementType, dimensions: Dimensions): ProtobufWriter {
  const shape = new ProtobufWriter();
  for (const length of dimensions) {
    const dimension = new ProtobufWriter();
    shape.message(1, typeof length === "number" ? dimension.integer(1, length) : dimension.text(2, length));
  }
  const tensor = new ProtobufWriter().integer(1, elementTypes[type]).message(2, shape);
  return new ProtobufWriter().text(1, name).message(2, new ProtobufWriter().message(1, tensor));
}

/** Negative axes would need ten bytes of two's complement; no graph of ours has one. */
function unsigned(value: number): number {
  if (value < 0) throw new RangeError("count axes from the front");
  return value;
}
