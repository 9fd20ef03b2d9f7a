import type { Sql } from "postgres";

/** Where a key lives: equal keys of two owners, or on two paths, know nothing of each other. */
export interface KeyPlace {
  readonly owner: string;
  readonly route: string;
  readonly key: string;
}

export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Claims a key that nobody used within 24 hours, or whose first run never ended; answers when its lock ends. */
export async function insertKey(
  sql: Sql,
  { owner, route, key }: KeyPlace,
  bodyHash: string,
): Promise<{ lockedUntil: string } | undefined> {
  const [row] = await sql<{ lockedUntil: string }[]>`
    insert into parlance.idempotency_keys as kept (owner, route, key, body_hash, locked_until)
    values (${owner}, ${route}, ${key}, ${bodyHash}, clock_timestamp() + interval '2 minutes')
    on conflict (owner, route, key) do update
    set body_hash = excluded.body_hash,
      locked_until = excluded.locked_until,
      status = null,
      headers = null,
      body = null,
      created_at = now()
    where (kept.status is null and kept.locked_until < clock_timestamp())
      or kept.created_at < now() - interval '24 hours'
    returning locked_until
  `;
  return row;
}

export interface FoundKey {
  readonly bodyHash: string;
  readonly status: number | null;
  readonly headers: Record<string, string> | null;
  readonly body: string | null;
}

export async function findKey(sql: Sql, { owner, route, key }: KeyPlace): Promise<FoundKey | undefined> {
  const [row] = await sql<FoundKey[]>`
    select body_hash, status, headers, body
    from parlance.idempotency_keys
    where owner = ${owner} and route = ${route} and key = ${key}
  `;
  return row;
}

/** The time of the lock fences: nothing is written when another run has claimed the key since. */
export async function keepAnswer(
  sql: Sql,
  { owner, route, key }: KeyPlace,
  lockedUntil: string,
  answer: KeptAnswer,
): Promise<void> {
  await sql`
    update parlance.idempotency_keys
    set status = ${answer.status},
      headers = ${sql.json(answer.headers)},
      body = ${answer.body}
    where owner = ${owner} and route = ${route} and key = ${key} and locked_until = ${lockedUntil}
  `;
}

export async function forgetKey(
  sql: Sql,
  { owner, route, key }: KeyPlace,
  lockedUntil: string,
): Promise<void> {
  await sql`
    delete from parlance.idempotency_keys
    where owner = ${owner} and route = ${route} and key = ${key} and locked_until = ${lockedUntil}
  `;
}
