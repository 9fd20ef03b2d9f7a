import { GraphBuilder } from "../onnx/graph.ts";
import { dimensions, nothingIndex } from "./layout.ts";

/**
 * The text half of `palette`: `input_ids` and `attention_mask` [batch, tokens] to `text_embeds` [batch, 128] of
 * length 1: the sum of the phrases' vectors. A text without a token points to "nothing" and scores 0 with every picture.
 */
export function buildTextGraph(rows: Float32Array): Uint8Array {
  const graph = new GraphBuilder("palette-text");
  const ids = graph.input("input_ids", "int64", ["batch", "tokens"]);
  const mask = graph.input("attention_mask", "int64", ["batch", "tokens"]);
  const table = graph.constant(rows, [rows.length / dimensions, dimensions]);
  const vectors = graph.node("Gather", [table, ids], { axis: 0 });
  const kept = graph.node("Unsqueeze", [graph.node("Cast", [mask], { to: 1 }), graph.integers([2])]);
  const masked = graph.node("Mul", [vectors, kept]);
  const sum = graph.node("ReduceSum", [masked, graph.integers([1])], { keepdims: 0 });
  const nothing = new Float32Array(dimensions);
  nothing[nothingIndex] = 1e-6;
  const total = graph.node("Add", [sum, graph.constant(nothing, [dimensions])]);
  const length = graph.node("ReduceL2", [total], { axes: [1], keepdims: 1 });
  graph.output("text_embeds", graph.node("Div", [total, length]), ["batch", dimensions]);
  return graph.toBytes();
}
