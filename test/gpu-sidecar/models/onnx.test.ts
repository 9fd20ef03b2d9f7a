import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../../../gpu-sidecar/models/onnx/graph.ts";
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
