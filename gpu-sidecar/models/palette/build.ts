import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createPhraseTokenizer } from "../../text/phrases.ts";
import type { DualEncoderFiles } from "../card.ts";
import { buildTextGraph } from "./text.ts";
import { buildVisionGraph } from "./vision.ts";
import { buildVocabulary } from "./vocabulary.ts";

/**
 * Makes the whole of `palette` from what its files say; there is nothing to download and nothing was trained.
 * `bun gpu-sidecar/models/palette/build.ts FOLDER` writes it out: two ONNX files and the vocabulary.
 */
export function buildPalette(): DualEncoderFiles & { vision: Uint8Array; text: Uint8Array } {
  const vocabulary = buildVocabulary();
  return {
    vision: buildVisionGraph(),
    text: buildTextGraph(vocabulary.rows),
    tokenize: createPhraseTokenizer(vocabulary),
  };
}

export async function writePalette(folder: string): Promise<string[]> {
  const { phrases, fillers } = buildVocabulary();
  const { vision, text } = buildPalette();
  const vocabulary = { phrases: Object.fromEntries(phrases), fillers: [...fillers] };
  await mkdir(folder, { recursive: true });
  const files = {
    "vision.onnx": vision,
    "text.onnx": text,
    "vocabulary.json": JSON.stringify(vocabulary, null, 1),
  };
  const written = Object.entries(files).map(async ([name, content]) => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  });
  return Promise.all(written);
}

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error("name the folder to write to");
  for (const path of await writePalette(folder)) console.log(path);
}
