/** What the cursors of this room hold. */
import { z } from "zod";
import { imageLimits } from "../../shared/images/contract.ts";

/** A time as the database writes it, with all its microseconds and no more, in years that Postgres knows too. */
const RowTime = z.iso.datetime().regex(/^(19|2\d)\d\d-[^.]+(\.\d{1,6})?Z$/);

/** After which picture of a list, newest first, the page goes on. */
export const ListCursor = z.strictObject({ createdAt: RowTime, id: z.uuid() });
export type ListCursor = z.infer<typeof ListCursor>;

/** How hits are found: by vectors, or by words alone for the reason named. */
export const Way = z.enum(["vectors", "no_sidecar", "too_slow", "unknown_words", "not_embedded"]);
export type Way = z.infer<typeof Way>;
export type NoVectorReason = Exclude<Way, "vectors">;

/** After which hit a search goes on, in the way it began, and how many hits were given before. */
export const SearchCursor = z.strictObject({
  way: Way,
  score: z.number().min(-1.01).max(1.01),
  id: z.uuid(),
  depth: z
    .int()
    .min(1)
    .max(imageLimits.searchDepthMax - 1),
});
export type SearchCursor = z.infer<typeof SearchCursor>;
