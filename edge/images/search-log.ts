/** A sample of what is really asked, by which recall is measured and models are compared. */
import type { TransactionSql } from "postgres";
import { createId } from "../../shared/ids.ts";
import type { SearchFilters } from "../../shared/images/contract.ts";
import type { Scope } from "./access.ts";
import type { SearchPath } from "./nearest-query.ts";
import type { FilterClass } from "./search.ts";

export interface LoggedSearch {
  spaceId: number;
  scope: Scope;
  /** The words, and those that it must not be; normalized. */
  query: string | null;
  minus: string | null;
  /** The picture whose like was looked for. */
  imageId: string | null;
  filters: SearchFilters;
  filterClass: FilterClass;
  path: SearchPath;
  /** The vector that was searched by. */
  embedding: string;
}

/** Who asks is read from the claims; beyond so many an hour nothing is kept. */
export async function logSearch(sql: TransactionSql, search: LoggedSearch): Promise<void> {
  await sql`
    select parlance.log_search(
      ${createId()}::uuid, ${search.spaceId}::smallint, ${search.scope.kind}, ${search.query}, ${search.minus},
      ${search.imageId}::uuid, ${sql.json(search.filters)}, ${search.filterClass}, ${search.path},
      ${search.embedding}::text::extensions.vector
    )
  `;
}

/** True for `share` of a hundred calls. */
export function isSampled(share: number): boolean {
  return Math.random() * 100 < share;
}
