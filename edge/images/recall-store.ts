/** SQL of the recall meter. Needs the service role. */
import type { Sql } from "postgres";
import type { SearchFilters } from "../../shared/images/contract.ts";
import type { RecallFigures } from "../../shared/images/recall.ts";

/** A search as it was logged; see `parlance.searches`. */
export interface SampledSearch {
  readonly id: string;
  readonly spaceId: number;
  readonly dimensions: number;
  readonly asker: "anon" | "user" | "admin" | "service";
  readonly ownerId: string | null;
  readonly scope: "own" | "public" | "all";
  readonly minus: string | null;
  readonly imageId: string | null;
  readonly filters: SearchFilters;
  readonly filterClass: string;
  readonly embedding: string;
}

/** The time up to which searches are drawn: that of the database, whose times they bear. */
export async function readDrawingTime(sql: Sql): Promise<string> {
  const [now] = await sql<{ at: string }[]>`select now() as at`;
  return now?.at ?? new Date().toISOString();
}

/**
 * Searches since the last measurement, but of a day at most: as many of each space, class of filters and path as there
 * are, one of each in turn.
 */
export async function sampleSearches(
  sql: Sql,
  { drawnAt, searchesMax, exceptIds }: { drawnAt: string; searchesMax: number; exceptIds: readonly string[] },
): Promise<SampledSearch[]> {
  return await sql<SampledSearch[]>`
    select id, space_id, dimensions, asker, owner_id, scope, minus, image_id, filters, filter_class, embedding::text
    from (
      select
        searches.*,
        spaces.dimensions,
        row_number() over (partition by space_id, filter_class, path order by random()) as turn
      from parlance.searches
      join parlance.embedding_spaces as spaces on spaces.id = searches.space_id
      where searches.created_at <= ${drawnAt}
        and searches.created_at > greatest(
          ${drawnAt}::timestamptz - interval '1 day',
          (select max(measured_at) from parlance.recall_measures)
        )
        and searches.id <> all (${[...exceptIds]}::uuid[])
    ) as drawn
    order by turn, random()
    limit ${searchesMax}
  `;
}

export interface RecallSums extends Omit<RecallFigures, "recall" | "lowerBound"> {
  readonly space: string;
  readonly filterClass: string;
  readonly path: "exact" | "index";
  readonly recallSum: number;
}

/** By space, class of filters and path, of the last `hours`. */
export async function sumRecall(sql: Sql, hours: number): Promise<RecallSums[]> {
  return await sql<RecallSums[]>`
    select
      spaces.name as space,
      measures.filter_class,
      measures.path,
      sum(measures.searches)::integer as searches,
      sum(measures.recall_sum) as recall_sum,
      min(measures.recall_min) as worst,
      percentile_cont(0.5) within group (order by measures.served_ms) as served_ms,
      percentile_cont(0.5) within group (order by measures.exact_ms) as exact_ms,
      max(measures.measured_at) as measured_at
    from parlance.recall_measures as measures
    join parlance.embedding_spaces as spaces on spaces.id = measures.space_id
    where measures.measured_at > now() - make_interval(hours => ${hours}::integer)
    group by spaces.name, measures.filter_class, measures.path
    order by spaces.name, measures.filter_class, measures.path
    limit 1000
  `;
}
