/** What the cursors of this room hold. */
import { z } from "zod";
import { AppError } from "../../shared/errors.ts";
import { imageLimits } from "../../shared/images/contract.ts";
import { SpaceId } from "../../shared/images/space-contract.ts";
import { decodeCursor, RowTime } from "../http/cursors.ts";

/** After which picture of a list, newest first, the page goes on. */
export const ListCursor = z.strictObject({ createdAt: RowTime, id: z.uuid() });
export type ListCursor = z.infer<typeof ListCursor>;

/** How hits are found: by vectors, with words or without, or by words alone for the reason named. */
export const Way = z.enum(["fused", "vectors", "no_sidecar", "too_slow", "unknown_words", "not_embedded"]);
export type Way = z.infer<typeof Way>;
export type NoVectorReason = Exclude<Way, "fused" | "vectors">;

export function isByVectors(way: Way): way is "fused" | "vectors" {
  return way === "fused" || way === "vectors";
}

/** After which hit a search goes on, in the way it began, and how many hits were given before. */
export const SearchCursor = z.strictObject({
  way: Way,
  /** The embedding space that it began in; null for words. */
  space: SpaceId.nullable(),
  /** A fused search is first a window of the best of both, then what is left of the vectors. */
  phase: z.enum(["window", "rest"]),
  score: z.number().min(-1.01).max(1.01),
  id: z.uuid(),
  depth: z
    .int()
    .min(1)
    .max(imageLimits.searchDepthMax - 1),
  /** Which question it belongs to. */
  question: z.string().regex(/^[\w-]{16}$/),
  /** Whether what it must not be is a vector. */
  isMinusVector: z.boolean(),
  /** Whether anything before was a match. */
  isMatched: z.boolean(),
});
export type SearchCursor = z.infer<typeof SearchCursor>;

export function readSearchCursor(cursor: string | undefined, question: string): SearchCursor | undefined {
  if (cursor === undefined) return undefined;
  const read = decodeCursor(SearchCursor, cursor);
  if (read.question !== question) {
    throw new AppError("invalid_cursor", "The cursor belongs to another search; start without it.");
  }
  return read;
}

/** Sixteen characters that stand for a question: all that decides which hits come, in which order. */
export async function digestQuestion(question: Readonly<Record<string, unknown>>): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(question));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return btoa(String.fromCharCode(...digest.subarray(0, 12)))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
