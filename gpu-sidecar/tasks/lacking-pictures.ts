/** SQL of a fill: what a space lacks, and what a fill writes, under the claim of its job. */
import type { Sql } from "postgres";
import { isTransientDatabaseError } from "../../shared/database.ts";
import { AppError } from "../../shared/errors.ts";
import type { ImageColour, ImageVariant } from "../../shared/images/contract.ts";
import { toVector } from "../../shared/images/landing.ts";
import { fromLacking, spaceLiteral } from "../../shared/images/space-landing.ts";
import { type Claim, reportProgress } from "../../shared/jobs/queue.ts";

export interface LackingPicture {
  readonly id: string;
  readonly ownerId: string | null;
  readonly variants: readonly ImageVariant[];
  readonly lacksColours: boolean;
  readonly lacksVector: boolean;
}

/** The next pictures after one, in the order of their ids. */
export async function listLacking(
  sql: Sql,
  spaceId: number,
  page: { readonly afterId: string; readonly limit: number },
): Promise<LackingPicture[]> {
  return await sql<LackingPicture[]>`
    select
      images.id,
      images.owner_id,
      images.variants,
      images.colours is null as lacks_colours,
      vectors.image_id is null as lacks_vector
    ${fromLacking(sql, spaceId)} and images.id > ${page.afterId}
    order by images.id
    limit ${page.limit}
  `;
}

export async function countLacking(sql: Sql, spaceId: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) ${fromLacking(sql, spaceId)}
  `;
  return row?.count ?? 0;
}

/** Vectors that came into the space since a time: what earlier claims of the same job have done, and pictures that landed. */
export async function countVectorsSince(sql: Sql, spaceId: number, sinceMs: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)
    from parlance.image_vectors
    where space_id = ${spaceLiteral(sql, spaceId)} and created_at >= ${new Date(sinceMs).toISOString()}
  `;
  return row?.count ?? 0;
}

/** What was found out about a picture; neither, where it could not be read. */
export interface FilledPicture {
  readonly id: string;
  readonly embedding: Float32Array | undefined;
  readonly colours: readonly ImageColour[] | undefined;
  /** The code of why it could not be read. */
  readonly failure: string | undefined;
}

export interface FillProgress {
  readonly done: number;
  readonly total: number;
  readonly message: string;
}

export interface WrittenBatch {
  readonly added: number;
  readonly coloured: number;
  /** Pictures that could not be read and are still there. */
  readonly failures: readonly { readonly imageId: string; readonly code: string }[];
}

const triesMax = 5;

/** Writes a batch and how far the job is in one transaction; throws where the claim is lost, and writes nothing. */
export async function writeBatch(
  sql: Sql,
  { claim, spaceId, progress }: { claim: Claim; spaceId: number; progress: FillProgress },
  pictures: readonly FilledPicture[],
): Promise<WrittenBatch> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await writeOnce(sql, { claim, spaceId, progress }, pictures);
    } catch (error) {
      if (tries === triesMax || !isTransientDatabaseError(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** tries));
    }
  }
}

function writeOnce(
  sql: Sql,
  { claim, spaceId, progress }: { claim: Claim; spaceId: number; progress: FillProgress },
  pictures: readonly FilledPicture[],
): Promise<WrittenBatch> {
  const embedded = pictures.flatMap(({ id, embedding }) => (embedding ? [{ id, embedding }] : []));
  const coloured = pictures.flatMap(({ id, colours }) => (colours ? [{ id, colours }] : []));
  return sql.begin(async (transaction) => {
    if (!(await reportProgress(transaction, claim, progress))) {
      throw new AppError("conflict", "The claim of this fill is lost.");
    }
    // Whose a picture is, and who may see it, must not change between the reading and the writing of it.
    const present = await transaction<{ id: string; spaceId: number | null }[]>`
      select id, (select spaces.id from parlance.embedding_spaces as spaces where spaces.id = ${spaceId}) as space_id
      from parlance.images
      where id = any (${pictures.map(({ id }) => id)}::uuid[]) and state = 'ready'
      order by id
      for no key update
    `;
    if (present[0]?.spaceId === null)
      throw new AppError("conflict", `There is no embedding space ${spaceId} any more.`);
    const vectors = await transaction`
      insert into parlance.image_vectors (space_id, image_id, owner_id, is_public, embedding)
      select ${spaceLiteral(transaction, spaceId)}, images.id, images.owner_id, images.is_public,
        fresh.embedding::extensions.vector
      from unnest(
        ${embedded.map(({ id }) => id)}::uuid[],
        ${embedded.map(({ embedding }) => toVector([...embedding]))}::text[]
      ) as fresh (id, embedding)
      join parlance.images on images.id = fresh.id
      where images.state = 'ready'
      on conflict (space_id, image_id) do nothing
    `;
    const named = await transaction`
      update parlance.images
      set colours = fresh.colours::text[]
      from unnest(
        ${coloured.map(({ id }) => id)}::uuid[],
        ${coloured.map(({ colours }) => `{${colours.join(",")}}`)}::text[]
      ) as fresh (id, colours)
      where images.id = fresh.id and images.state = 'ready' and images.colours is null
    `;
    const there = new Set(present.map(({ id }) => id));
    const failures = pictures.flatMap(({ id, failure }) =>
      failure !== undefined && there.has(id) ? [{ imageId: id, code: failure }] : [],
    );
    return { added: vectors.count, coloured: named.count, failures };
  }) as Promise<WrittenBatch>;
}
