import { z } from "zod";
import { AppError } from "../../shared/errors.ts";
import { judgePattern } from "./pattern.ts";

/**
 * What of a tokenizer.json is understood (https://huggingface.co/docs/tokenizers). Every part is strict: a type, a key
 * or a value that is not listed here is refused by its path, because to pass over it would make other tokens.
 */
const Pattern = z.union([z.strictObject({ Regex: z.string() }), z.strictObject({ String: z.string() })]);

/** Letters that one step may put into a text in one place. */
const partMax = 64;

const PlainNormaliser = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("NFC") }),
  z.strictObject({ type: z.literal("NFD") }),
  z.strictObject({ type: z.literal("NFKC") }),
  z.strictObject({ type: z.literal("NFKD") }),
  z.strictObject({ type: z.literal("Lowercase") }),
  z.strictObject({ type: z.literal("Strip"), strip_left: z.boolean(), strip_right: z.boolean() }),
  z.strictObject({ type: z.literal("Replace"), pattern: Pattern, content: z.string().max(partMax) }),
  z.strictObject({ type: z.literal("Prepend"), prepend: z.string().max(partMax) }),
  z.strictObject({ type: z.literal("Precompiled"), precompiled_charsmap: z.string() }),
]);
export type PlainNormaliser = z.infer<typeof PlainNormaliser>;

const Normaliser = z.discriminatedUnion("type", [
  ...PlainNormaliser.options,
  z.strictObject({ type: z.literal("Sequence"), normalizers: z.array(PlainNormaliser).max(32) }),
]);

const PlainSplitter = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("ByteLevel"),
    add_prefix_space: z.boolean(),
    trim_offsets: z.boolean().optional(),
    use_regex: z.boolean().optional(),
  }),
  z.strictObject({
    type: z.literal("Metaspace"),
    replacement: z.string().length(1),
    prepend_scheme: z.enum(["always", "never", "first"]),
    add_prefix_space: z.boolean().optional(),
    str_rep: z.literal("▁").optional(),
    split: z.boolean().optional(),
  }),
  z.strictObject({
    type: z.literal("Split"),
    pattern: Pattern,
    behavior: z.enum(["Removed", "Isolated", "MergedWithPrevious"]),
    invert: z.boolean(),
  }),
  z.strictObject({ type: z.literal("WhitespaceSplit") }),
]);
export type PlainSplitter = z.infer<typeof PlainSplitter>;

const Splitter = z.discriminatedUnion("type", [
  ...PlainSplitter.options,
  z.strictObject({ type: z.literal("Sequence"), pretokenizers: z.array(PlainSplitter).max(8) }),
]);

const TokenAndId = z.tuple([z.string(), z.number().int().min(0)]);
const TemplatePiece = z.union([
  z.strictObject({ Sequence: z.strictObject({ id: z.enum(["A", "B"]), type_id: z.number() }) }),
  z.strictObject({ SpecialToken: z.strictObject({ id: z.string(), type_id: z.number() }) }),
]);
const EndsByPair = { sep: TokenAndId, cls: TokenAndId };

const PlainEnding = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("RobertaProcessing"),
    ...EndsByPair,
    trim_offsets: z.boolean(),
    add_prefix_space: z.boolean(),
  }),
  z.strictObject({ type: z.literal("BertProcessing"), ...EndsByPair }),
  z.strictObject({
    type: z.literal("TemplateProcessing"),
    single: z.array(TemplatePiece).max(16),
    pair: z.array(TemplatePiece).max(16),
    special_tokens: z.record(
      z.string(),
      z.strictObject({
        id: z.string(),
        ids: z.array(z.number().int().min(0)).max(16),
        tokens: z.array(z.string()).max(16),
      }),
    ),
  }),
  // It moves offsets only.
  z.strictObject({
    type: z.literal("ByteLevel"),
    add_prefix_space: z.boolean(),
    trim_offsets: z.boolean(),
    use_regex: z.boolean().optional(),
  }),
]);
export type PlainEnding = z.infer<typeof PlainEnding>;

const Ending = z.discriminatedUnion("type", [
  ...PlainEnding.options,
  z.strictObject({ type: z.literal("Sequence"), processors: z.array(PlainEnding).max(8) }),
]);

/** Half a million entries are judged by hand: one zod issue each would take seconds. */
const Vocabulary = z.custom<Record<string, number>>(
  (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    return Object.values(value).every((id) => Number.isInteger(id) && id >= 0 && id < vocabularyMax);
  },
  `is not a list of tokens with numbers from 0 to ${2 ** 22}`,
);
const vocabularyMax = 2 ** 22;

const Merges = z.custom<string[] | [string, string][]>((value) => {
  if (!Array.isArray(value) || value.length > vocabularyMax) return false;
  return value.every((one) =>
    Array.isArray(one) ? one.length === 2 && one.every(isText) : isText(one) && one.split(" ").length === 2,
  );
}, "is not a list of pairs of tokens");

const Pieces = z.custom<[string, number][]>((value) => {
  if (!Array.isArray(value) || value.length === 0 || value.length > vocabularyMax) return false;
  return value.every((one) => Array.isArray(one) && isText(one[0]) && Number.isFinite(one[1]));
}, "is not a list of pieces with scores");

function isText(value: unknown): value is string {
  return typeof value === "string";
}

const Model = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("BPE"),
    dropout: z.literal(0).nullish(),
    unk_token: z.string().nullish(),
    continuing_subword_prefix: z.literal("").nullish(),
    end_of_word_suffix: z.string().nullish(),
    fuse_unk: z.boolean().optional(),
    byte_fallback: z.boolean().optional(),
    ignore_merges: z.boolean().optional(),
    vocab: Vocabulary,
    merges: Merges,
  }),
  z.strictObject({
    type: z.literal("Unigram"),
    unk_id: z.number().int().min(0),
    byte_fallback: z.literal(false).optional(),
    vocab: Pieces,
  }),
]);

const AddedToken = z.strictObject({
  id: z.number().int().min(0),
  content: z.string().min(1),
  single_word: z.literal(false),
  lstrip: z.boolean(),
  rstrip: z.boolean(),
  normalized: z.boolean(),
  special: z.boolean(),
});

const Padding = z.strictObject({
  strategy: z.union([z.literal("BatchLongest"), z.strictObject({ Fixed: z.number().int().min(1) })]),
  direction: z.literal("Right"),
  pad_to_multiple_of: z.null().optional(),
  pad_id: z.number().int().min(0),
  pad_type_id: z.number(),
  pad_token: z.string(),
});

const Truncation = z.strictObject({
  direction: z.literal("Right").optional(),
  max_length: z.number().int().min(1),
  strategy: z.enum(["LongestFirst", "OnlyFirst"]),
  stride: z.literal(0),
});

export const TokenizerDefinition = z.strictObject({
  version: z.literal("1.0").optional(),
  truncation: Truncation.nullable(),
  padding: Padding.nullable(),
  added_tokens: z.array(AddedToken).max(10_000),
  normalizer: Normaliser.nullable(),
  pre_tokenizer: Splitter.nullable(),
  post_processor: Ending.nullable(),
  // Only the way back from tokens to text.
  decoder: z.unknown(),
  model: Model,
});
export type TokenizerDefinition = z.infer<typeof TokenizerDefinition>;

/** Refuses what is not understood, with the path to it. */
export function readTokenizerDefinition(content: unknown): TokenizerDefinition {
  const result = TokenizerDefinition.safeParse(content);
  if (!result.success) throw notUnderstood(result.error.issues[0]);
  const problem = findBeyond(result.data);
  if (problem) throw new AppError("invalid_request", `tokenizer.json: ${problem}`);
  return result.data;
}

function notUnderstood(issue: z.core.$ZodIssue | undefined): AppError {
  const path = issue?.path.join(".") || "the file";
  return new AppError("invalid_request", `tokenizer.json: ${path} is not understood: ${issue?.message}.`);
}

export function listNormalisers({ normalizer }: TokenizerDefinition): readonly PlainNormaliser[] {
  if (normalizer === null) return [];
  return normalizer.type === "Sequence" ? normalizer.normalizers : [normalizer];
}

export function listSplitters({ pre_tokenizer: splitter }: TokenizerDefinition): readonly PlainSplitter[] {
  if (splitter === null) return [];
  return splitter.type === "Sequence" ? splitter.pretokenizers : [splitter];
}

export function listEndings({ post_processor: ending }: TokenizerDefinition): readonly PlainEnding[] {
  if (ending === null) return [];
  return ending.type === "Sequence" ? ending.processors : [ending];
}

/** What is well formed and still more than the tokenizer here can do. */
function findBeyond(definition: TokenizerDefinition): string | undefined {
  for (const part of [...listNormalisers(definition), ...listSplitters(definition)]) {
    if (!("pattern" in part) || !("Regex" in part.pattern)) continue;
    const problem = judgePattern(part.pattern.Regex);
    if (problem) return `the pattern ${JSON.stringify(part.pattern.Regex.slice(0, 100))} ${problem}.`;
  }
  for (const splitter of listSplitters(definition)) {
    const problem = judgeSplitter(splitter, definition);
    if (problem) return problem;
  }
  const { model } = definition;
  if (model.type === "Unigram" && model.unk_id >= model.vocab.length)
    return `model.unk_id is ${model.unk_id}, and there are ${model.vocab.length} pieces.`;
  return undefined;
}

function judgeSplitter(splitter: PlainSplitter, definition: TokenizerDefinition): string | undefined {
  if (splitter.type === "Split") {
    if (splitter.invert && splitter.behavior !== "Removed")
      return `pre_tokenizer: Split with invert and behavior ${splitter.behavior} is not understood.`;
    if (splitter.behavior === "MergedWithPrevious" && !neverSplits(splitter, definition))
      return "pre_tokenizer: Split with behavior MergedWithPrevious is not understood.";
  }
  if (splitter.type === "ByteLevel" && splitter.add_prefix_space && splitter.use_regex !== false)
    return "pre_tokenizer: ByteLevel with add_prefix_space and a pattern is not understood.";
  if (splitter.type === "Metaspace") {
    if (splitter.add_prefix_space === false && splitter.prepend_scheme !== "never")
      return "pre_tokenizer: Metaspace has add_prefix_space false and a prepend_scheme that says otherwise.";
    if (splitter.split !== false && hasPieceAcrossWords(definition, splitter.replacement))
      return "pre_tokenizer: Metaspace splits words, and the vocabulary has pieces that reach across two.";
  }
  return undefined;
}

/** A text that is split at what the normalisation before has replaced everywhere stays whole. */
export function neverSplits(
  splitter: PlainSplitter & { type: "Split" },
  definition: TokenizerDefinition,
): boolean {
  if (!("String" in splitter.pattern)) return false;
  const text = splitter.pattern.String;
  const last = listNormalisers(definition).at(-1);
  if (last?.type !== "Replace" || !("String" in last.pattern)) return false;
  return last.pattern.String === text && !last.content.includes(text);
}

/** Text is not cut into words here; where no piece reaches across two, that makes no difference. */
function hasPieceAcrossWords({ model }: TokenizerDefinition, space: string): boolean {
  const pieces = model.type === "Unigram" ? model.vocab.map(([piece]) => piece) : Object.keys(model.vocab);
  return pieces.some((piece) => piece.lastIndexOf(space) > 0);
}
