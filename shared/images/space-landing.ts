/**
 * What embedding spaces lack, in SQL that edge and sidecar share.
 *
 * A picture that lands asks for a fill of the other maintained spaces, and is given the open one where there is one; but
 * that may have looked for the last time just before the picture's commit. So landings of pictures share a lock of the
 * space until they commit, and a fill that ends while one holds it asks for another fill.
 */
import type { PendingQuery, Row, Sql, TransactionSql } from "postgres";
import type { FillSpaceOutcome } from "./outcomes.ts";

/** A space that a fill is to be added for. */
export interface FillableSpace {
  readonly id: number;
  readonly model: string;
}

/** The first half of the lock's name; the second is the space. */
const lockClass = 0x5ace;

/** Pictures that lack a vector in the space, or were never looked at for their colours: the end of a statement. */
export function fromLacking(sql: Sql | TransactionSql, spaceId: number): PendingQuery<Row[]> {
  return sql`
    from parlance.images
    left join parlance.image_vectors as vectors
      on vectors.space_id = ${spaceLiteral(sql, spaceId)} and vectors.image_id = images.id
    where images.state = 'ready' and (vectors.image_id is null or images.colours is null)
  `;
}

/** A number as part of the statement: a plan made for any value could not leave the other partitions out. */
export function spaceLiteral(sql: Sql | TransactionSql, value: number): PendingQuery<Row[]> {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no number of a space`);
  return sql.unsafe(String(value));
}

/** Maintained spaces besides `exceptId`; a fill of them that ends before the caller's commit is followed by another. */
export async function listSpacesToFill(
  transaction: TransactionSql,
  exceptId: number | undefined,
): Promise<FillableSpace[]> {
  const spaces = await transaction<FillableSpace[]>`
    select id, model
    from parlance.embedding_spaces
    where is_maintained and id is distinct from ${exceptId ?? null}
    order by id
    limit 100
  `;
  for (const { id } of spaces) {
    await transaction`select pg_advisory_xact_lock_shared(${lockClass}, ${id})`;
  }
  return spaces;
}

/** Beyond that many failures the hourly sweep is left to find what else is missing. */
const failuresMax = 1000;

/** The space of a fill that ends, where something is still missing that it did not try. */
export async function findSpaceToFillAgain(
  transaction: TransactionSql,
  { spaceId, failures }: FillSpaceOutcome,
): Promise<FillableSpace | undefined> {
  if (failures.length > failuresMax) return undefined;
  const [space] = await transaction<(FillableSpace & { isFree: boolean })[]>`
    select id, model, pg_try_advisory_xact_lock(${lockClass}, ${spaceId}) as is_free
    from parlance.embedding_spaces
    where id = ${spaceId} and is_maintained
  `;
  if (!space?.isFree) return space;
  const [lacking] = await transaction`
    select ${fromLacking(transaction, spaceId)}
      and images.id <> all (${failures.map(({ imageId }) => imageId)}::uuid[])
    limit 1
  `;
  return lacking && space;
}

/** Maintained spaces that lack something. */
export async function listLackingSpaces(transaction: TransactionSql): Promise<FillableSpace[]> {
  const lacking: FillableSpace[] = [];
  for (const space of await listSpacesToFill(transaction, undefined)) {
    const [found] = await transaction`
      select ${fromLacking(transaction, space.id)}
      limit 1
    `;
    if (found) lacking.push(space);
  }
  return lacking;
}

/** A fill that was cancelled is to stop for good. */
export async function stopMaintaining(transaction: TransactionSql, jobId: string): Promise<void> {
  await transaction`select parlance.stop_maintaining(${jobId})`;
}
