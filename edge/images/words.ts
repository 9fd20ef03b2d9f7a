/** SQL that finds pictures by their names, titles and keywords. */
import type { TransactionSql } from "postgres";
import type { SearchFilters } from "../../shared/images/contract.ts";
import type { Scope } from "./access.ts";
import { ownerOf } from "./filters.ts";
import type { Place } from "./nearest-query.ts";

export interface WordSearch {
  /** Normalized; any text is a question, none is an error. */
  query: string;
  /** Pictures whose words answer this are left out. */
  minus: string | undefined;
  scope: Scope;
  filters: SearchFilters;
  after: Place | undefined;
  limit: number;
}

/** Pictures whose words answer the query or whose name begins with it, best first; scores are 0 to 1. */
export async function findByWords(sql: TransactionSql, search: WordSearch): Promise<Place[]> {
  const { query, minus, scope, filters, after, limit } = search;
  // Joined with what the caller's role sees: the function decides for itself, and is not believed alone.
  return await sql<Place[]>`
    select found.id, found.score
    from parlance.match_words(
      ${query}, ${minus ?? null}::text, ${scope.kind}, ${ownerOf(scope)}::uuid, ${sql.json(filters)},
      ${after?.score ?? null}::double precision, ${after?.id ?? null}::uuid, ${limit}::integer
    ) as found
    join parlance.images on images.id = found.id
    order by found.score desc, found.id
  `;
}
