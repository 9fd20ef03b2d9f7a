/** SQL that asks known queries among random pictures of a space. Needs the service role; answers figures only. */
import type { PendingQuery, Row, Sql } from "postgres";
import { calibrationLimits, cohortQuantiles } from "../../shared/images/calibration.ts";
import type { Block } from "../../shared/images/calibration-fit.ts";
import { probePhrases } from "../../shared/images/probes.ts";

/** The vectors of one space alone. */
function partitionOf(sql: Sql, spaceId: number): PendingQuery<Row[]> {
  if (!Number.isSafeInteger(spaceId) || spaceId < 1) throw new RangeError(`no space has the id ${spaceId}`);
  return sql.unsafe(`parlance.image_vectors_${spaceId}`);
}

/** Above this many vectors whole pages are drawn instead of rows: reading them all would take long. */
const drawnRowsMax = 20_000;

/** Random pictures of a space, `picturesMax` at most, in random order. */
export async function drawPictures(sql: Sql, spaceId: number, vectors: number): Promise<string[]> {
  const { picturesMax } = calibrationLimits;
  // Twice as many pages as are needed on average: few of them are nearly empty.
  const percent = Math.min(100, (200 * picturesMax) / vectors);
  const sample = vectors > drawnRowsMax ? sql`tablesample system (${percent}::float4)` : sql``;
  const rows = await sql<{ imageId: string }[]>`
    select image_id from ${partitionOf(sql, spaceId)} ${sample} order by random() limit ${picturesMax}
  `;
  return rows.map((row) => row.imageId);
}

export interface Question {
  readonly embedding: string;
  /** A picture that is not asked about itself. */
  readonly imageId: string | null;
}

/**
 * Queries that mean something in a space, drawn at random. At most half are what people asked: anyone may ask
 * anything, and nobody's questions shall decide alone what matches for everyone.
 */
export async function drawQueries(sql: Sql, spaceId: number): Promise<Question[]> {
  return await sql<Question[]>`
    select embedding::text, null::uuid as image_id
    from (
      select
        embedding,
        query = any (${[...probePhrases]}::text[]) as is_probe,
        row_number() over (partition by query = any (${[...probePhrases]}::text[]) order by random()) as turn
      from parlance.query_vectors
      where space_id = ${spaceId} and embedding is not null
    ) as known
    where is_probe or turn <= ${Math.floor(calibrationLimits.queriesMax / 2)}
    order by random()
    limit ${calibrationLimits.queriesMax}
  `;
}

/** Pictures as questions. */
export async function readPictures(sql: Sql, spaceId: number, ids: readonly string[]): Promise<Question[]> {
  return await sql<Question[]>`
    select embedding::text, image_id
    from ${partitionOf(sql, spaceId)}
    where image_id = any (${[...ids]}::uuid[])
  `;
}

/** Questions of one statement: each takes some ten milliseconds, and others wait for the connection. */
export const questionsAtOnce = 10;

/** The best score, and the middle and the spread of the scores, in each block of pictures. */
export async function measureBlocks(
  sql: Sql,
  spaceId: number,
  asked: { questions: readonly Question[]; pictureIds: readonly string[]; from: number },
): Promise<Block[]> {
  const { questions, pictureIds, from } = asked;
  const { blockSizes, blocksMax, cohortMax } = calibrationLimits;
  const sizes = blockSizes.filter((size) => 2 * size <= pictureIds.length);
  return await sql<Block[]>`
    with pictures as materialized (
      select drawn.place::integer - 1 as place, image_id, vectors.embedding
      from unnest(${[...pictureIds]}::uuid[]) with ordinality as drawn (image_id, place)
      join ${partitionOf(sql, spaceId)} as vectors using (image_id)
    ), questions as materialized (
      select place::integer as place, image_id, embedding::extensions.vector as embedding
      from unnest(
        ${questions.map((question) => question.embedding)}::text[],
        ${questions.map((question) => question.imageId)}::uuid[]
      ) with ordinality as questions (embedding, image_id, place)
    ), scores as materialized (
      select
        questions.place as query,
        pictures.place,
        -(pictures.embedding operator(extensions.<#>) questions.embedding) as score
      from questions
      join pictures on pictures.image_id is distinct from questions.image_id
    ), blocks as (
      select
        scores.query,
        size as pictures,
        percentile_cont(${[...cohortQuantiles]}::float8[]) within group (order by score)
          filter (where scores.place % size < ${cohortMax}) as quantiles,
        max(score) as top
      from scores
      join unnest(${sizes}::integer[]) as size
        on scores.place < least(size * ${blocksMax}::integer, ${pictureIds.length}::integer / size * size)
      group by scores.query, size, scores.place / size
    )
    select query + ${from}::integer as query, pictures, quantiles[1] as median, quantiles[2] as low, top
    from blocks
    where quantiles[1] is not null
  `;
}
