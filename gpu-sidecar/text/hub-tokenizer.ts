import { Tokenizer } from "@huggingface/tokenizers";
import { AppError } from "../../shared/errors.ts";
import {
  listEndings,
  listNormalisers,
  listSplitters,
  neverSplits,
  type PlainEnding,
  type PlainSplitter,
  type TokenizerDefinition,
} from "./definition.ts";
import { NormaliserChain } from "./normalise.ts";

/** Texts longer than this, in UTF-16 units, are refused: they cost time and their end would be cut off anyway. */
const lengthMax = 100_000;

export interface HubTokenizer {
  /** Ended and cut, not padded: what the model puts before and behind a text is always there. */
  tokenize(text: string): { readonly ids: readonly number[]; readonly knownWords: number };
  findId(token: string): number | undefined;
  /** What is put before and behind every text. */
  readonly ends: TokenEnds;
}

export interface TokenEnds {
  readonly before: readonly number[];
  readonly behind: readonly number[];
}

/** The tokenizer that a tokenizer.json defines, for texts of at most `tokensMax` tokens. */
export function createHubTokenizer(definition: TokenizerDefinition, tokensMax: number): HubTokenizer {
  const tokenizer = tryOpen(definition);
  const { before, behind } = findEnds(definition, tokenizer);
  const room = tokensMax - before.length - behind.length;
  if (room < 1)
    throw new AppError("invalid_request", `Texts of ${tokensMax} tokens have no room for a word.`);
  const isMeaningless = createJudge(definition, tokenizer);
  return {
    tokenize(text) {
      if (text.length > lengthMax)
        throw new AppError(
          "payload_too_large",
          `A text has at most ${lengthMax.toLocaleString("en")} letters.`,
        );
      // A lone surrogate is no letter: it becomes U+FFFD, as when it is written as UTF-8.
      const { ids } = tokenizer.encode(text.toWellFormed(), { add_special_tokens: false });
      const kept = ids.slice(0, room);
      const knownWords = kept.filter((id) => !isMeaningless(id)).length;
      return { ids: [...before, ...kept, ...behind], knownWords };
    },
    findId: (token) => tokenizer.token_to_id(token),
    ends: { before, behind },
  };
}

function tryOpen(definition: TokenizerDefinition): Tokenizer {
  try {
    return openTokenizer(definition);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new AppError("invalid_request", "tokenizer.json: a pattern is not understood.", { cause });
  }
}

function openTokenizer(definition: TokenizerDefinition): Tokenizer {
  const { normalizer: _, ...rest } = definition;
  const splitters = listSplitters(definition).flatMap((splitter) => expandSplitter(splitter, definition));
  const tokenizer = new Tokenizer(
    {
      ...rest,
      normalizer: null,
      pre_tokenizer: splitters.length > 0 ? { type: "Sequence", pretokenizers: splitters } : null,
      post_processor: null,
      decoder: null,
    },
    {},
  );
  tokenizer.normalizer = new NormaliserChain(listNormalisers(definition));
  return tokenizer;
}

/** As the library here does it exactly: without what never splits, and with GPT-2's pattern as a step of its own. */
function expandSplitter(splitter: PlainSplitter, definition: TokenizerDefinition): PlainSplitter[] {
  if (splitter.type === "Split" && neverSplits(splitter, definition)) return [];
  if (splitter.type !== "ByteLevel" || splitter.use_regex === false) return [splitter];
  const words = {
    type: "Split",
    pattern: { Regex: wordPattern },
    behavior: "Removed",
    invert: true,
  } as const;
  return [words, { ...splitter, use_regex: false }];
}

/** Its white space is Unicode's; the library's own ByteLevel has JavaScript's, which differs in U+FEFF and U+0085. */
const wordPattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** What is put before and behind every text. */
function findEnds(definition: TokenizerDefinition, tokenizer: Tokenizer): TokenEnds {
  const ends = listEndings(definition).map((ending) => endsOf(ending));
  const found = ends.filter(({ before, behind }) => before.length + behind.length > 0);
  if (found.length > 1)
    throw new AppError("invalid_request", "tokenizer.json: post_processor ends a text twice.");
  const { before = [], behind = [] } = found[0] ?? {};
  for (const id of [...before, ...behind]) {
    if (tokenizer.id_to_token(id) === undefined)
      throw new AppError(
        "invalid_request",
        `tokenizer.json: post_processor names token ${id}, which there is not.`,
      );
  }
  return { before, behind };
}

function endsOf(ending: PlainEnding): TokenEnds {
  if (ending.type === "ByteLevel") return { before: [], behind: [] };
  if (ending.type !== "TemplateProcessing") return { before: [ending.cls[1]], behind: [ending.sep[1]] };
  const before: number[] = [];
  const behind: number[] = [];
  let isBehind = false;
  for (const piece of ending.single) {
    if ("Sequence" in piece) {
      if (isBehind || piece.Sequence.id !== "A")
        throw new AppError("invalid_request", "tokenizer.json: post_processor.single is not understood.");
      isBehind = true;
      continue;
    }
    const { id } = piece.SpecialToken;
    const token = Object.hasOwn(ending.special_tokens, id) ? ending.special_tokens[id] : undefined;
    if (!token) throw new AppError("invalid_request", `tokenizer.json: post_processor has no "${id}".`);
    (isBehind ? behind : before).push(...token.ids);
  }
  if (!isBehind)
    throw new AppError("invalid_request", "tokenizer.json: post_processor.single leaves out the text.");
  return { before, behind };
}

/** Special tokens and bare marks of a space say nothing about what was asked. */
function createJudge(definition: TokenizerDefinition, tokenizer: Tokenizer): (id: number) => boolean {
  const special = new Set(definition.added_tokens.filter((token) => token.special).map(({ id }) => id));
  if (definition.model.type === "Unigram") special.add(definition.model.unk_id);
  const ending = definition.model.type === "BPE" ? (definition.model.end_of_word_suffix ?? "") : "";
  return (id) => {
    if (special.has(id)) return true;
    const token = tokenizer.id_to_token(id) ?? "";
    const bare = ending !== "" && token.endsWith(ending) ? token.slice(0, -ending.length) : token;
    return /^[▁\s]*$/u.test(bare);
  };
}
