/** SQL of the pictures that are searched by. Needs the service role: whose a query is, is part of each question. */
import type { Sql, TransactionSql } from "postgres";
import { type Caller, callerUserId } from "../../shared/callers.ts";
import { embedPicture } from "../../shared/images/picture-queries.ts";
import type { JobState } from "../../shared/jobs/contract.ts";

/** Whose a query is. What strangers ask belongs to whoever knows its id, which nobody can guess. */
export interface Asker {
  readonly kind: "guest" | "user" | "house";
  readonly ownerId: string | null;
  /** The first part of the path of its object. */
  readonly folder: string;
}

export function askerOf(caller: Caller): Asker {
  if (caller.role === "service_role") return { kind: "house", ownerId: null, folder: "house" };
  const ownerId = callerUserId(caller);
  if (caller.role === "authenticated" && ownerId) return { kind: "user", ownerId, folder: ownerId };
  return { kind: "guest", ownerId: null, folder: "guests" };
}

export interface EmbeddedQuery {
  readonly id: string;
  readonly spaceId: number;
  readonly embedding: string;
}

/** Younger by as much than its end, so that the pages that follow are still to be had. */
const reusedSecondsLeft = 600;

/** The same picture, asked with before by the same one, in the space that is searched now. */
export async function findSameQuery(
  sql: Sql,
  asker: Asker,
  sha256: string,
): Promise<EmbeddedQuery | undefined> {
  if (asker.kind === "guest") return undefined;
  const [query] = await sql<EmbeddedQuery[]>`
    select queries.id, queries.space_id, queries.embedding::text
    from parlance.picture_queries as queries
    join parlance.embedding_spaces as spaces on spaces.id = queries.space_id and spaces.is_current
    where queries.asker = ${asker.kind}
      and queries.owner_id is not distinct from ${asker.ownerId}::uuid
      and queries.sha256 = ${sha256}
      and queries.embedding is not null
      and queries.expires_at > now() + make_interval(secs => ${reusedSecondsLeft})
    order by queries.created_at desc
    limit 1
  `;
  return query;
}

/** A query that was embedded and has not ended; another's does not exist. */
export async function findOwnQuery(sql: Sql, asker: Asker, id: string): Promise<EmbeddedQuery | undefined> {
  const [query] = await sql<EmbeddedQuery[]>`
    select id, space_id, embedding::text
    from parlance.picture_queries
    where id = ${id}
      and asker = ${asker.kind}
      and owner_id is not distinct from ${asker.ownerId}::uuid
      and embedding is not null
      and expires_at > now()
  `;
  return query;
}

export interface AskedSpace {
  readonly id: number;
  readonly model: string;
  /** Whether a sidecar is there that could embed a picture in it. */
  readonly isServed: boolean;
}

export async function findAskedSpace(sql: Sql): Promise<AskedSpace | undefined> {
  const [space] = await sql<AskedSpace[]>`
    select id, model, parlance.worker_can(${embedPicture.name}, model) as is_served
    from parlance.embedding_spaces
    where is_current
  `;
  return space;
}

export async function insertQuery(
  transaction: TransactionSql,
  query: { id: string; asker: Asker; spaceId: number; sha256: string },
): Promise<void> {
  const { id, asker, spaceId, sha256 } = query;
  await transaction`
    insert into parlance.picture_queries (id, asker, owner_id, space_id, sha256)
    values (${id}, ${asker.kind}, ${asker.ownerId}, ${spaceId}, ${sha256})
  `;
}

export async function deleteQuery(transaction: TransactionSql, id: string): Promise<void> {
  await transaction`delete from parlance.picture_queries where id = ${id}`;
}

/** What is known of a query that somebody waits for. */
export interface Sighting extends Omit<EmbeddedQuery, "embedding"> {
  readonly embedding: string | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly isServed: boolean;
  readonly jobState: JobState | null;
}

/** One statement of the login role and no transaction: it is asked again and again while the request waits. */
export async function lookUpQuery(sql: Sql, id: string, jobId: string): Promise<Sighting | undefined> {
  const [seen] = await sql<Sighting[]>`
    select
      queries.id,
      queries.space_id,
      queries.embedding::text,
      queries.error_code,
      queries.error_message,
      parlance.worker_can(${embedPicture.name}, spaces.model) as is_served,
      jobs.state as job_state
    from parlance.picture_queries as queries
    join parlance.embedding_spaces as spaces on spaces.id = queries.space_id
    left join parlance.job_views as jobs on jobs.id = ${jobId}
    where queries.id = ${id}
  `;
  return seen;
}
