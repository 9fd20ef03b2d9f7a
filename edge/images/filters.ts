/** What pictures are filtered by: as a request asks it, and as SQL. */
import { z } from "@hono/zod-openapi";
import type { PendingQuery, Row, TransactionSql } from "postgres";
import { ImageColour, Keyword, SearchFilters } from "../../shared/images/contract.ts";
import type { Scope } from "./access.ts";

/** A parameter that may stand there several times. */
const repeated = <Item extends z.ZodType<string>>(item: Item, countMax: number, description: string) =>
  z
    .preprocess(
      (value: z.input<Item> | z.input<Item>[] | undefined) => (typeof value === "string" ? [value] : value),
      z.array(item).max(countMax).optional(),
    )
    .openapi({ type: "array", items: { type: "string" }, maxItems: countMax, description });

const { takenAfter, takenBefore, addedAfter, addedBefore, orientation, camera } = SearchFilters.shape;

/** The parameters of a request, to be spread into its query. */
export const filterParameters = {
  takenAfter,
  takenBefore,
  addedAfter,
  addedBefore,
  orientation,
  camera,
  keyword: repeated(Keyword, 10, "All of these keywords; case does not count."),
  colour: repeated(ImageColour, 10, "All of these colours.").openapi({
    items: { type: "string", enum: ImageColour.options },
  }),
  hasPlace: z
    .enum(["true", "false"])
    .optional()
    .describe("Whether its place is known to you: to owners and admins; of others' pictures it never is."),
};

type AskedFilters = z.infer<z.ZodObject<typeof filterParameters>>;

const ranges = [
  ["takenAfter", "takenBefore"],
  ["addedAfter", "addedBefore"],
] as const;

/** Refuses a range that can hold nothing. */
export function checkRanges(asked: AskedFilters, context: z.core.$RefinementCtx): void {
  for (const [after, before] of ranges) {
    const [from, to] = [asked[after], asked[before]];
    if (from === undefined || to === undefined || Date.parse(from) < Date.parse(to)) continue;
    context.addIssue({ code: "custom", path: [before], message: `must be later than ${after}` });
  }
}

export function readFilters(asked: AskedFilters): SearchFilters {
  const { keyword, colour, hasPlace, takenAfter, takenBefore, addedAfter, addedBefore, orientation, camera } =
    asked;
  const filters = {
    takenAfter,
    takenBefore,
    addedAfter,
    addedBefore,
    orientation,
    camera,
    keywords: keyword?.length ? keyword : undefined,
    colours: colour?.length ? colour : undefined,
    hasPlace: hasPlace === undefined ? undefined : hasPlace === "true",
  };
  return SearchFilters.parse(
    Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined)),
  );
}

export function isFiltering(filters: SearchFilters): boolean {
  return Object.keys(filters).length > 0;
}

type Fragment = PendingQuery<Row[]>;

/** The same conditions on `images` as `parlance.search_condition` makes; true without filters. */
export function passesFilters(sql: TransactionSql, filters: SearchFilters): Fragment {
  const { takenAfter, takenBefore, addedAfter, addedBefore, orientation, camera, keywords, colours } =
    filters;
  const terms: Fragment[] = [];
  if (takenAfter) terms.push(sql`images.taken_at >= ${takenAfter}::text::timestamptz`);
  if (takenBefore) terms.push(sql`images.taken_at < ${takenBefore}::text::timestamptz`);
  if (addedAfter) terms.push(sql`images.created_at >= ${addedAfter}::text::timestamptz`);
  if (addedBefore) terms.push(sql`images.created_at < ${addedBefore}::text::timestamptz`);
  if (orientation) terms.push(sql`images.orientation = ${orientation}`);
  if (camera) terms.push(sql`lower(images.camera) = lower(${camera})`);
  if (keywords) terms.push(sql`images.tags @> parlance.fold_keywords(${keywords}::text[])`);
  if (colours) terms.push(sql`images.colours @> ${colours}::text[]`);
  if (filters.hasPlace !== undefined) terms.push(sql`parlance.has_place(images.id) = ${filters.hasPlace}`);
  return terms.reduce((all, term) => sql`${all} and ${term}`, sql`true`);
}

export interface Matched {
  /** The pictures, where they are at most as many as asked for. */
  readonly ids: readonly string[] | null;
  readonly estimate: number;
}

/** What `matchImages` answers, to whoever needs it on this side. */
export async function findMatches(sql: TransactionSql, matching: Matching): Promise<Matched> {
  const [matched] = await sql<Matched[]>`select ids, estimate from ${matchImages(sql, matching)} as matched`;
  return matched ?? { ids: null, estimate: 0 };
}

export interface Matching {
  scope: Scope;
  filters: SearchFilters;
  rowsMax: number;
  /** Counts, whatever the planner guesses. */
  isSure: boolean;
}

/**
 * As a row of a query: `ids` are the pictures of a scope that the caller may see and that pass the filters, null
 * where they are more than `rowsMax`; `estimate` is how many they are, a guess where `ids` is null.
 */
export function matchImages(sql: TransactionSql, matching: Matching): Fragment {
  const { scope, filters, rowsMax, isSure } = matching;
  return sql`parlance.match_images(
    ${scope.kind}, ${ownerOf(scope)}::uuid, ${sql.json(filters)}, ${rowsMax}::integer, ${isSure}::boolean
  )`;
}

export function ownerOf(scope: Scope): string | null {
  return scope.kind === "own" ? scope.ownerId : null;
}
