/**
 * As much of the protocol buffers wire format as an ONNX file needs (https://protobuf.dev/programming-guides/encoding):
 * varints, 32-bit floats, and fields that carry their length.
 */
export class ProtobufWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** An integer, 0 or above and below 2^53. */
  integer(field: number, value: number): this {
    return this.#push(varint(field * 8), varint(value));
  }

  float(field: number, value: number): this {
    return this.#push(varint(field * 8 + 5), new Uint8Array(Float32Array.of(value).buffer));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#push(varint(field * 8 + 2), varint(value.length), value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** Takes the parts of `value` as they are now, without a copy: weights are large. */
  message(field: number, value: ProtobufWriter): this {
    this.#push(varint(field * 8 + 2), varint(value.#length));
    for (const part of value.#parts) this.#push(part);
    return this;
  }

  toBytes(): Uint8Array {
    const all = new Uint8Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      all.set(part, offset);
      offset += part.length;
    }
    return all;
  }

  #push(...parts: Uint8Array[]): this {
    for (const part of parts) this.#length += part.length;
    this.#parts.push(...parts);
    return this;
  }
}

function varint(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${value} cannot be written as a varint`);
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
