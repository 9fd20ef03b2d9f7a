import { Normalizer, ReplaceNormalizer } from "@huggingface/tokenizers";
import { AppError } from "../../shared/errors.ts";
import { readCharsmap } from "./charsmap.ts";
import type { PlainNormaliser } from "./definition.ts";

/** Many times what any text grows by; a step may double it, and there may be many steps. */
const lengthMax = 2_000_000;

/**
 * The normalisation of a tokenizer.json, step by step. Three steps are our own because the definition (the Rust library
 * `tokenizers`) differs from what JavaScript does: it makes letters small one by one, so that a last sigma is like any
 * other; it strips Unicode's white space, which U+FEFF is not; and it looks its own table up where it has one.
 */
export class NormaliserChain extends Normalizer {
  readonly #steps: readonly ((text: string) => string)[];

  constructor(parts: readonly PlainNormaliser[]) {
    super({ type: "NFC" });
    this.#steps = parts.map(createStep);
  }

  override normalize(text: string): string {
    let current = text;
    for (const step of this.#steps) {
      current = step(current);
      if (current.length > lengthMax)
        throw new AppError("payload_too_large", "The text grows too long when it is normalised.");
    }
    return current;
  }
}

function createStep(part: PlainNormaliser): (text: string) => string {
  switch (part.type) {
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD":
      return (text) => text.normalize(part.type);
    case "Lowercase":
      // The only letter whose small form follows from its neighbours.
      return (text) => text.replaceAll("Σ", "σ").toLowerCase();
    case "Strip":
      return (text) => strip(text, part);
    case "Prepend":
      return (text) => (text === "" ? text : part.prepend + text);
    case "Replace":
      return createReplacement(part);
    case "Precompiled":
      return readCharsmap(part.precompiled_charsmap);
  }
}

function strip(text: string, sides: { strip_left: boolean; strip_right: boolean }): string {
  const left = sides.strip_left ? text.replace(/^\p{White_Space}+/u, "") : text;
  return sides.strip_right ? left.replace(/(?<!\p{White_Space})\p{White_Space}+$/u, "") : left;
}

function createReplacement(part: PlainNormaliser & { type: "Replace" }): (text: string) => string {
  const replace = new ReplaceNormalizer(part);
  return (text) => replace.normalize(text);
}
