import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../gpu-sidecar/models/onnx/graph.ts";
import { inspectGraph } from "../../../gpu-sidecar/models/onnx/inspect.ts";
import { ProtobufWriter } from "../../../gpu-sidecar/models/onnx/protobuf.ts";

describe("the protobuf writer", () => {
  // The examples of https://protobuf.dev/programming-guides/encoding.
  test("writes what the specification shows", () => {
    expect([...new ProtobufWriter().integer(1, 150).toBytes()]).toEqual([0x08, 0x96, 0x01]);
    expect([...new ProtobufWriter().text(2, "testing").toBytes()]).toEqual([
      0x12,
      7,
      ...Buffer.from("testing"),
    ]);
    const inner = new ProtobufWriter().integer(1, 150);
    expect([...new ProtobufWriter().message(3, inner).toBytes()]).toEqual([0x1a, 3, 0x08, 0x96, 0x01]);
  });

  test("writes integers above 32 bits and refuses what a varint cannot hold", () => {
    expect([...new ProtobufWriter().integer(1, 2 ** 35).toBytes()]).toEqual([
      0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01,
    ]);
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN]) {
      expect(() => new ProtobufWriter().integer(1, value)).toThrow(RangeError);
    }
  });
});

describe("a graph", () => {
  test("runs in onnxruntime with constants, attributes and a free dimension", async () => {
    const graph = new GraphBuilder("test");
    const x = graph.input("x", "float32", ["rows", 2]);
    const product = graph.node("MatMul", [x, graph.constant([1, 2, 3, 4, 5, 6], [2, 3])]);
    const leaky = graph.node("LeakyRelu", [product], { alpha: { float: 0.5 } });
    graph.output("y", graph.node("Transpose", [leaky], { perm: [1, 0] }), [3, "rows"]);
    const session = await InferenceSession.create(graph.toBytes());
    const { y } = await session.run({ x: new Tensor("float32", Float32Array.of(1, 1, -1, 0), [2, 2]) });
    expect(y?.dims).toEqual([3, 2]);
    expect(y?.data).toEqual(Float32Array.of(5, -0.5, 7, -1, 9, -1.5));
    await session.release();
  });

  test("refuses values that do not fill their shape, and axes counted from the back", () => {
    const graph = new GraphBuilder("test");
    expect(() => graph.constant([1, 2, 3], [2, 2])).toThrow("3 values do not fill [2,2]");
    expect(() => graph.node("Softmax", ["x"], { axis: -1 })).toThrow(RangeError);
  });
});

describe("numbers of 8 and 16 bits", () => {
  test("a product of quantised numbers is near the exact one", async () => {
    const graph = new GraphBuilder("bytes");
    const x = graph.input("x", "float32", ["rows", 2]);
    const [quantised, scale, zero] = graph.quantise(x);
    const matrix = graph.tensor("int8", Int8Array.of(100, -50, 25, 127), [2, 2]);
    const whole = graph.node("Cast", [graph.node("MatMulInteger", [quantised, matrix, zero])], { to: 1 });
    graph.output("y", graph.node("Mul", [whole, scale]), ["rows", 2]);
    const session = await InferenceSession.create(graph.toBytes());
    const { y } = await session.run({ x: new Tensor("float32", Float32Array.of(1, -2), [1, 2]) });
    const [first, second] = Array.from((y?.data ?? []) as Float32Array);
    expect(Math.abs((first ?? 0) - 50)).toBeLessThan(2);
    expect(Math.abs((second ?? 0) + 304)).toBeLessThan(2);
    await session.release();
  });

  test("float16 is written as its bits", async () => {
    const graph = new GraphBuilder("half");
    const x = graph.input("x", "float32", [3]);
    const half = graph.tensor("float16", new Uint16Array(new Float16Array([0.5, -2, 65_504]).buffer), [3]);
    graph.output("y", graph.node("Add", [x, graph.node("Cast", [half], { to: 1 })]), [3]);
    const session = await InferenceSession.create(graph.toBytes());
    const { y } = await session.run({ x: new Tensor("float32", new Float32Array(3), [3]) });
    expect(y?.data).toEqual(Float32Array.of(0.5, -2, 65_504));
    await session.release();
  });
});

describe("looking through a graph", () => {
  const folder = mkdtemp(join(tmpdir(), "parlance-onnx-"));
  afterAll(async () => rm(await folder, { recursive: true }));

  async function inspect(bytes: Uint8Array) {
    const path = join(await folder, "graph.onnx");
    await writeFile(path, bytes);
    return inspectGraph(path);
  }

  test("tells its operators, also behind weights larger than any buffer", async () => {
    const graph = new GraphBuilder("test");
    const x = graph.input("x", "float32", [100_000]);
    const sum = graph.node("Add", [x, graph.constant(new Float32Array(100_000), [100_000])]);
    graph.output("y", graph.node("LeakyRelu", [sum], { alpha: { float: 0.5 } }), [100_000]);
    const { operators, externalFiles } = await inspect(graph.toBytes());
    expect([...operators].toSorted()).toEqual(["Add", "Identity", "LeakyRelu"]);
    expect(externalFiles.size).toBe(0);
  });

  test("finds files wherever a graph may name them: in constants, in graphs inside, in functions", async () => {
    const entry = (value: string) => new ProtobufWriter().text(1, "location").text(2, value);
    const tensor = (value: string) => new ProtobufWriter().text(8, "t").message(13, entry(value));
    const node = (attribute: ProtobufWriter) => new ProtobufWriter().text(4, "If").message(5, attribute);
    const inner = new ProtobufWriter()
      .message(5, tensor("inner"))
      .message(15, new ProtobufWriter().message(1, tensor("sparse")));
    const graph = new ProtobufWriter()
      .message(1, node(new ProtobufWriter().message(5, tensor("constant"))))
      .message(1, node(new ProtobufWriter().message(6, inner)))
      .message(
        1,
        node(
          new ProtobufWriter()
            .message(10, tensor("list"))
            .message(11, new ProtobufWriter().message(5, tensor("graphs"))),
        ),
      )
      .message(5, tensor("weights"));
    const body = new ProtobufWriter().message(7, node(new ProtobufWriter().message(5, tensor("function"))));
    const model = new ProtobufWriter().integer(1, 8).message(7, graph).message(25, body);
    const { externalFiles } = await inspect(model.toBytes());
    expect([...externalFiles].toSorted()).toEqual([
      "constant",
      "function",
      "graphs",
      "inner",
      "list",
      "sparse",
      "weights",
    ]);
  });

  test("any bytes are either looked through or refused, and never taken for good when a part ends too early", async () => {
    const graph = new GraphBuilder("test");
    graph.output("y", graph.node("Relu", [graph.input("x", "float32", [2])]), [2]);
    const whole = graph.toBytes();
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: whole.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        async (at, byte) => {
          const changed = whole.slice();
          changed[at] = byte;
          const result = await inspect(changed).catch((error: unknown) => error);
          if (result instanceof Error) expect(result).toMatchObject({ code: "invalid_request" });
        },
      ),
      { numRuns: 300 },
    );
    // The version and the producer stand before the graph.
    const start = whole.indexOf(0x3a);
    for (let length = start + 1; length < whole.length - 4; length += 7)
      await expect(inspect(whole.subarray(0, length))).rejects.toMatchObject({ code: "invalid_request" });
  });

  test("a field whose number other readers would cut is refused", async () => {
    // 7 and "length-delimited" in the lower 32 bits, and one bit more.
    const disguised = [0xba, 0x80, 0x80, 0x80, 0x10];
    for (const tag of [disguised, [0x02], [0x00]])
      await expect(inspect(Uint8Array.from([...tag, 2, 0x12, 0]))).rejects.toThrow(
        "a field without a number",
      );
  });

  test("a graph nested without end is refused", async () => {
    let inner = new ProtobufWriter().text(2, "leaf");
    for (let i = 0; i < 40; i++)
      inner = new ProtobufWriter().message(
        1,
        new ProtobufWriter().message(5, new ProtobufWriter().message(6, inner)),
      );
    await expect(inspect(new ProtobufWriter().message(7, inner).toBytes())).rejects.toThrow(
      "nested too deeply",
    );
  });
});
