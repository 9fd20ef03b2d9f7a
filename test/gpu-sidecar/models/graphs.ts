import { appendFile, readFile, writeFile } from "node:fs/promises";
import { ProtobufWriter } from "../../../gpu-sidecar/models/onnx/protobuf.ts";

/**
 * Adds to a graph without reading it: two fields of the same message are merged by every protobuf reader, so whatever
 * is appended as a second `graph` becomes part of the first one.
 */
async function appendToGraph(path: string, part: ProtobufWriter): Promise<void> {
  await appendFile(path, new ProtobufWriter().message(7, part).toBytes());
}

/** Weights that lie in another file; nothing uses them. */
export function appendExternalWeights(path: string, location: string): Promise<void> {
  const entry = (key: string, value: string) => new ProtobufWriter().text(1, key).text(2, value);
  const tensor = new ProtobufWriter()
    .integer(1, 4)
    .integer(2, 1)
    .text(8, "elsewhere")
    .message(13, entry("location", location))
    .message(13, entry("length", "16"))
    .integer(14, 1);
  return appendToGraph(path, new ProtobufWriter().message(5, tensor));
}

export function appendOperator(path: string, operator: string, domain: string): Promise<void> {
  const node = new ProtobufWriter().text(1, "input_ids").text(2, "nothing").text(4, operator).text(7, domain);
  return appendToGraph(path, new ProtobufWriter().message(1, node));
}

export async function cutFile(path: string, share: number): Promise<void> {
  const content = await readFile(path);
  await writeFile(path, content.subarray(0, Math.floor(content.length * share)));
}
