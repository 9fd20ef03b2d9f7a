/** SQL of embedding spaces, as the service role: who may ask is decided before. */
import type { PendingQuery, Row, TransactionSql } from "postgres";
import { embedQuery } from "../../shared/images/kinds.ts";
import type { EmbeddingSpace, NewEmbeddingSpace, SpaceJob } from "../../shared/images/space-contract.ts";
import { compareSpaces, fillSpace } from "../../shared/images/space-kinds.ts";

interface SpaceRow extends Omit<EmbeddingSpace, "fill" | "missing"> {
  readonly fillId: string | null;
  readonly fillState: SpaceJob["state"];
  readonly fillDone: number;
  readonly fillTotal: number | null;
  readonly fillMessage: string | null;
}

export async function listSpaces(sql: TransactionSql): Promise<EmbeddingSpace[]> {
  return (await selectSpaces(sql, sql`true`)).map(toSpace);
}

export async function findSpace(sql: TransactionSql, id: number): Promise<EmbeddingSpace | undefined> {
  const [row] = await selectSpaces(sql, sql`spaces.id = ${id}`);
  return row && toSpace(row);
}

async function selectSpaces(sql: TransactionSql, condition: PendingQuery<Row[]>): Promise<SpaceRow[]> {
  return await sql<SpaceRow[]>`
    select
      spaces.id, spaces.name, spaces.model, spaces.model_digest, spaces.dimensions,
      spaces.is_current, spaces.is_maintained, spaces.created_at, spaces.switched_at,
      parlance.worker_can(${embedQuery.name}, spaces.model) as is_offered,
      library.pictures,
      held.vectors,
      case when spaces.calibration is not null then jsonb_build_object(
        'threshold', spaces.calibration -> 'threshold',
        'falsePositiveRate', spaces.calibration -> 'falsePositiveRate',
        'measuredAt', spaces.calibration -> 'measuredAt'
      ) end as calibration,
      fills.id as fill_id,
      fills.state as fill_state,
      fills.progress_done as fill_done,
      fills.progress_total as fill_total,
      fills.progress_message as fill_message
    from parlance.embedding_spaces as spaces
    cross join (select count(*) as pictures from parlance.images where state = 'ready') as library
    cross join lateral (
      select count(*) as vectors
      from parlance.image_vectors
      join parlance.images on images.id = image_vectors.image_id
      where image_vectors.space_id = spaces.id and images.state = 'ready'
    ) as held
    left join parlance.open_jobs(${[fillSpace.name]}::text[]) as open on open.unique_key = spaces.id::text
    left join parlance.job_views as fills on fills.id = open.id
    where ${condition}
    order by spaces.id
    limit 1000
  `;
}

function toSpace(row: SpaceRow): EmbeddingSpace {
  const { fillId, fillState: state, fillDone: done, fillTotal: total, fillMessage: message, ...space } = row;
  const fill = fillId === null ? null : { id: fillId, state, progress: { done, total, message } };
  return { ...space, missing: Math.max(0, space.pictures - space.vectors), fill };
}

/** Answers its number. */
export async function createSpace(sql: TransactionSql, space: NewEmbeddingSpace): Promise<number> {
  const { model, modelDigest, dimensions, name = model } = space;
  const [row] = await sql<{ id: number }[]>`
    select parlance.create_embedding_space(${name}, ${model}, ${modelDigest}, ${dimensions}) as id
  `;
  return row?.id ?? 0;
}

export async function maintainSpace(sql: TransactionSql, id: number): Promise<void> {
  await sql`
    update parlance.embedding_spaces
    set is_maintained = true
    where id = ${id} and not is_maintained
  `;
}

export async function switchSpace(sql: TransactionSql, id: number): Promise<void> {
  await sql`select parlance.switch_embedding_space(${id}::smallint)`;
}

export async function dropSpace(sql: TransactionSql, id: number): Promise<void> {
  await sql`select parlance.drop_embedding_space(${id}::smallint)`;
}

/** The open jobs that work for a space. */
export async function listOpenJobs(sql: TransactionSql, id: number): Promise<{ id: string; kind: string }[]> {
  return await sql<{ id: string; kind: string }[]>`
    select id, kind
    from parlance.open_jobs(${[fillSpace.name, compareSpaces.name]}::text[])
    where unique_key = ${String(id)}
  `;
}

/** Whether the space searched within the last hour: cursors and running searches of then may still need it. */
export async function hasJustSearched(sql: TransactionSql, id: number): Promise<boolean> {
  const [row] = await sql<{ recent: boolean | null }[]>`
    select switched_at > now() - interval '1 hour' as recent
    from parlance.embedding_spaces
    where id = ${id}
  `;
  return row?.recent ?? false;
}
