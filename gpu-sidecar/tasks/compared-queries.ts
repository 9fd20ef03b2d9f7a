/** SQL of a comparison: what was asked, the vectors of it, and what a space answers. */
import type { Sql, TransactionSql } from "postgres";
import { toVector } from "../../shared/images/landing.ts";
import { spaceLiteral } from "../../shared/images/space-landing.ts";

/** What was really asked, each once, the newest first. */
export async function listSearchedQueries(sql: Sql, queriesMax: number): Promise<string[]> {
  const rows = await sql<{ query: string }[]>`
    select query
    from (
      select query, created_at
      from parlance.searches
      where query is not null
      order by created_at desc
      limit 20000
    ) as recent
    group by query
    order by max(created_at) desc, query
    limit ${queriesMax}
  `;
  return rows.map(({ query }) => query);
}

/** What the library says of its newest pictures: titles, keywords and names, the most frequent first. */
export async function listLibraryWords(sql: Sql, wordsMax: number): Promise<string[]> {
  const rows = await sql<{ word: string }[]>`
    select word
    from (
      select trim(regexp_replace(lower(normalize(said.text, nfkc)), '[[:space:][:cntrl:]]+', ' ', 'g')) as word
      from (
        select name, title, keywords
        from parlance.images
        where state = 'ready'
        order by created_at desc
        limit 2000
      ) as newest
      cross join lateral (
        select unnest(keywords)
        union all select title
        union all select regexp_replace(regexp_replace(name, '[.][[:alnum:]]+$', ''), '[^[:alnum:]]+', ' ', 'g')
      ) as said (text)
      where said.text is not null
    ) as words
    where length(word) between 1 and 100
    group by word
    order by count(*) desc, word
    limit ${wordsMax}
  `;
  return rows.map(({ word }) => word);
}

/** What is known of these queries in a space: null where its model knows no word of one. */
export async function findQueryVectors(
  sql: Sql,
  spaceId: number,
  queries: readonly string[],
): Promise<Map<string, string | null>> {
  const rows = await sql<{ query: string; embedding: string | null }[]>`
    select query, embedding::text
    from parlance.query_vectors
    where space_id = ${spaceId} and query = any (${[...queries]}::text[])
  `;
  return new Map(rows.map(({ query, embedding }) => [query, embedding]));
}

/** Keeps vectors of queries for the searches to come. A space that was dropped meanwhile takes nothing. */
export async function keepQueryVectors(
  sql: Sql,
  spaceId: number,
  vectors: ReadonlyMap<string, readonly number[] | null>,
): Promise<void> {
  await sql`
    insert into parlance.query_vectors (space_id, query, embedding)
    select spaces.id, fresh.query, fresh.embedding::extensions.vector
    from parlance.embedding_spaces as spaces
    cross join unnest(
      ${[...vectors.keys()]}::text[],
      ${[...vectors.values()].map((vector) => vector && toVector(vector))}::text[]
    ) as fresh (query, embedding)
    where spaces.id = ${spaceId}
    on conflict (space_id, query) do nothing
  `;
}

export interface RankedSpace {
  readonly id: number;
  readonly dimensions: number;
}

export interface Ranked {
  readonly id: string;
  readonly score: number;
}

export const rankedMax = 10;

/** The nearest pictures, every one compared. */
export async function rankExactly(sql: Sql, space: RankedSpace, embedding: string): Promise<Ranked[]> {
  return await rank(sql, space, embedding, "exact");
}

/** The nearest pictures as the index finds them, with the reach that searches give it. */
export function rankByIndex(sql: Sql, space: RankedSpace, embedding: string): Promise<Ranked[]> {
  return sql.begin(async (transaction) => {
    await transaction`
      select
        set_config('enable_seqscan', 'off', true),
        set_config('enable_bitmapscan', 'off', true),
        set_config('enable_sort', 'off', true),
        set_config('hnsw.iterative_scan', 'strict_order', true),
        set_config('hnsw.ef_search', '100', true)
    `;
    return await rank(transaction, space, embedding, "index");
  }) as Promise<Ranked[]>;
}

async function rank(
  sql: Sql | TransactionSql,
  { id, dimensions }: RankedSpace,
  embedding: string,
  way: "exact" | "index",
): Promise<Ranked[]> {
  const vector = sql`extensions.vector(${spaceLiteral(sql, dimensions)})`;
  const distance = sql`(embedding::${vector} operator(extensions.<#>) ${embedding}::text::${vector})`;
  return await sql<Ranked[]>`
    select image_id as id, -${distance} as score
    from parlance.image_vectors
    where space_id = ${spaceLiteral(sql, id)}
    -- An expression that no index holds is compared one by one.
    order by ${way === "exact" ? sql`${distance} + 0, image_id` : distance}
    limit ${rankedMax}
  `;
}

/** Pictures that are ready, and how many of them have a vector in the space. */
export async function countHeld(sql: Sql, spaceId: number): Promise<{ vectors: number; missing: number }> {
  const [row] = await sql<{ pictures: number; vectors: number }[]>`
    select
      (select count(*) from parlance.images where state = 'ready') as pictures,
      (select count(*) from parlance.image_vectors where space_id = ${spaceLiteral(sql, spaceId)}) as vectors
  `;
  const { pictures = 0, vectors = 0 } = row ?? {};
  return { vectors, missing: Math.max(0, pictures - vectors) };
}
