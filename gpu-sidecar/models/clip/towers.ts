import type { Variant } from "../files/layout.ts";
import { GraphBuilder } from "../onnx/graph.ts";
import { type Activation, LayerBuilder } from "./layers.ts";
import type { ModelPlan, TowerPlan } from "./plan.ts";
import { SeededRandom } from "./random.ts";

/**
 * The two graphs of a dual encoder as they are exported for the hub, with random weights: names, shapes and types of
 * what goes in and comes out are those of the published files. Numbers go in and come out as float32 in every variant.
 */
export interface TowerOptions {
  readonly variant: Variant;
  readonly seed: number;
}

/** `pixel_values` [batch, 3, size, size] to `image_embeds` (CLIP) or `pooler_output` (SigLIP) [batch, dimensions]. */
export function buildVisionTower(plan: ModelPlan, { variant, seed }: TowerOptions): Uint8Array {
  const { vision, dimensions, family } = plan;
  const graph = new GraphBuilder(`${family}-vision`);
  const layers = new LayerBuilder(graph, new SeededRandom(seed), variant);
  const pixels = graph.input("pixel_values", "float32", ["batch_size", 3, vision.size, vision.size]);
  const patches = cutPatches(layers, plan, layers.cast(pixels, layers.type));
  if (family === "siglip") {
    const seen = layers.norm(runBlocks(layers, patches, vision, "tanh"), vision.width);
    return finish(graph, layers, "pooler_output", poolByAttention(layers, seen, vision), dimensions);
  }
  const seen = runBlocks(layers, layers.norm(patches, vision.width), vision, "quick");
  const first = graph.node("Gather", [seen, graph.tensor("int64", BigInt64Array.of(0n), [])], { axis: 1 });
  const projected = layers.projection(layers.norm(first, vision.width), vision.width, dimensions);
  return finish(graph, layers, "image_embeds", projected, dimensions);
}

/** `input_ids` (CLIP: and `attention_mask`) [batch, tokens] to `text_embeds` or `pooler_output` [batch, dimensions]. */
export function buildTextTower(plan: ModelPlan, { variant, seed }: TowerOptions): Uint8Array {
  const { text, dimensions, family } = plan;
  const graph = new GraphBuilder(`${family}-text`);
  const layers = new LayerBuilder(graph, new SeededRandom(seed ^ 0x7e87), variant);
  const ids = graph.input("input_ids", "int64", ["batch_size", "sequence_length"]);
  const embedded = embedTokens(layers, plan, ids);
  if (family === "siglip") {
    const read = layers.norm(runBlocks(layers, embedded, text, "tanh"), text.width);
    const last = graph.node("Gather", [read, graph.tensor("int64", BigInt64Array.of(-1n), [])], { axis: 1 });
    return finish(graph, layers, "pooler_output", layers.linear(last, text.width, dimensions), dimensions);
  }
  const asked = graph.input("attention_mask", "int64", ["batch_size", "sequence_length"]);
  const mask = maskTokens(layers, plan, ids, asked);
  const read = layers.norm(runBlocks(layers, embedded, text, "quick", mask), text.width);
  const projected = layers.projection(takeEnds(layers, read, ids), text.width, dimensions);
  return finish(graph, layers, "text_embeds", projected, dimensions);
}

function finish(
  graph: GraphBuilder,
  layers: LayerBuilder,
  name: string,
  value: string,
  dimensions: number,
): Uint8Array {
  graph.output(name, layers.cast(value, "float32"), ["batch_size", dimensions]);
  return graph.toBytes();
}

function runBlocks(
  layers: LayerBuilder,
  value: string,
  plan: TowerPlan,
  activation: Activation,
  mask?: string,
): string {
  let current = value;
  for (let i = 0; i < plan.layers; i++) current = layers.block(current, plan, { activation, mask });
  return current;
}

/** A square of pixels becomes one token; CLIP puts one of its own before them. */
function cutPatches(layers: LayerBuilder, { vision, family }: ModelPlan, pixels: string): string {
  const { graph } = layers;
  const { width, patch, size } = vision;
  const kernel = layers.weight([width, 3, patch, patch], 1 / patch);
  const squares = graph.node("Conv", [pixels, kernel], {
    kernel_shape: [patch, patch],
    strides: [patch, patch],
  });
  const flat = graph.node("Reshape", [squares, graph.integers([0, width, -1])]);
  const tokens = graph.node("Transpose", [flat], { perm: [0, 2, 1] });
  const count = (size / patch) ** 2;
  if (family === "siglip") return graph.node("Add", [tokens, layers.weight([count, width], 0.02)]);
  const batch = graph.node("Shape", [pixels], { start: 0, end: 1 });
  const shape = graph.node("Concat", [batch, graph.integers([1, width])], { axis: 0 });
  const own = graph.node("Expand", [layers.weight([1, 1, width], 0.02), shape]);
  const all = graph.node("Concat", [own, tokens], { axis: 1 });
  return graph.node("Add", [all, layers.weight([count + 1, width], 0.02)]);
}

/** One learned question asks all patches. */
function poolByAttention(layers: LayerBuilder, seen: string, vision: ModelPlan["vision"]): string {
  const { graph } = layers;
  const { width, heads, inner } = vision;
  const batch = graph.node("Shape", [seen], { start: 0, end: 1 });
  const shape = graph.node("Concat", [batch, graph.integers([1, width])], { axis: 0 });
  const question = graph.node("Expand", [layers.weight([1, 1, width], 1), shape]);
  const answer = layers.attention(question, seen, { width, heads });
  const bent = layers.inner(layers.norm(answer, width), { width, inner, activation: "tanh" });
  const sum = graph.node("Add", [answer, bent]);
  return graph.node("Reshape", [sum, graph.integers([0, width])]);
}

function embedTokens(layers: LayerBuilder, { text }: ModelPlan, ids: string): string {
  const { graph } = layers;
  const rows = graph.node("Gather", [layers.weight([text.vocabulary, text.width], 0.5), ids], { axis: 0 });
  const length = graph.node("Shape", [ids], { start: 1, end: 2 });
  const places = layers.weight([text.tokens, text.width], 0.05);
  const used = graph.node("Slice", [places, graph.integers([0]), length, graph.integers([0])]);
  return graph.node("Add", [rows, used]);
}

/** A token looks neither ahead nor at padding. */
function maskTokens(layers: LayerBuilder, { text }: ModelPlan, ids: string, asked: string): string {
  const { graph } = layers;
  const never = -30_000;
  const ahead = new Float32Array(text.tokens ** 2);
  for (let row = 0; row < text.tokens; row++)
    ahead.fill(never, row * text.tokens + row + 1, (row + 1) * text.tokens);
  const whole = layers.constant(ahead, [1, 1, text.tokens, text.tokens]);
  const length = graph.node("Shape", [ids], { start: 1, end: 2 });
  const ends = graph.node("Concat", [length, length], { axis: 0 });
  const causal = graph.node("Slice", [whole, graph.integers([0, 0]), ends, graph.integers([2, 3])]);
  const kept = graph.node("Unsqueeze", [layers.cast(asked, layers.type), graph.integers([1, 2])]);
  const hidden = graph.node("Mul", [graph.node("Sub", [layers.number(1), kept]), layers.number(never)]);
  return graph.node("Add", [causal, hidden]);
}

/** What the end of the text saw: the end has the largest number, and the first of equals counts. */
function takeEnds(layers: LayerBuilder, read: string, ids: string): string {
  const { graph } = layers;
  const ends = graph.node("ArgMax", [layers.cast(ids, "int32")], { axis: 1, keepdims: 1 });
  return graph.node("GatherND", [read, ends], { batch_dims: 1 });
}
