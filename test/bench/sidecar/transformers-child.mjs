// @huggingface/transformers in its documented way; started by transformers.ts in a folder that has the package. For each
// line of its input, a JSON list of files, it embeds them one after the other and answers with the milliseconds.
import { createInterface } from "node:readline";
import { AutoProcessor, CLIPVisionModelWithProjection, env, RawImage } from "@huggingface/transformers";

const [, , folder, name] = process.argv;
env.allowRemoteModels = false;
env.localModelPath = folder;
const processor = await AutoProcessor.from_pretrained(name);
const model = await CLIPVisionModelWithProjection.from_pretrained(name, { dtype: "fp32", device: "cpu" });

async function embed(file) {
  const image = await RawImage.read(file);
  const { image_embeds: vector } = await model(await processor(image));
  return vector.normalize().data;
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const startMs = performance.now();
  let vector;
  for (const file of JSON.parse(line)) vector = await embed(file);
  console.log(JSON.stringify({ tookMs: performance.now() - startMs, last: [...vector] }));
}
