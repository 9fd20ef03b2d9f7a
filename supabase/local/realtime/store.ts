import type { Sql } from "postgres";

/** A row of realtime.messages as it goes out. Topic without `realtime:`. */
export interface StoredMessage {
  readonly id: string;
  readonly topic: string;
  readonly event: string;
  readonly isPrivate: boolean;
  /** JSON as Postgres writes it, or null for bytes. */
  readonly payload: string | null;
  readonly binaryPayload: Uint8Array | null;
  /** When it was written: microseconds since 1970, in digits. */
  readonly insertedMicroseconds: string;
  /** Tells messages of the same time apart. */
  readonly writeOrder: number;
}

/** In no order: the caller knows the order that the ids were announced in. */
export async function listMessages(sql: Sql, ids: readonly string[]): Promise<StoredMessage[]> {
  return sql<StoredMessage[]>`
    select ${messageColumns(sql)}
    from realtime.messages
    where id = any(${ids as string[]}::uuid[])
      and extension = 'broadcast'
      and not skip_broadcast
      and event is not null
  `;
}

/** The time of the database, in the form of `insertedMicroseconds`. */
export async function readClock(sql: Sql): Promise<string> {
  const [row] = await sql<{ now: string }[]>`
    select (extract(epoch from clock_timestamp()) * 1000000)::bigint::text as now
  `;
  return row?.now ?? "0";
}

/** Oldest first, from a time on or after a row: what a lost connection may not have announced. */
export async function listMessagesAfter(
  sql: Sql,
  after: Pick<StoredMessage, "insertedMicroseconds" | "writeOrder">,
  limit: number,
): Promise<StoredMessage[]> {
  return sql<StoredMessage[]>`
    select ${messageColumns(sql)}
    from realtime.messages
    where (inserted_at, write_order) > (${fromMicroseconds(sql, after.insertedMicroseconds)}, ${after.writeOrder})
      and extension = 'broadcast'
      and not skip_broadcast
      and event is not null
    order by inserted_at, write_order
    limit ${limit}
  `;
}

/** The latest `limit` messages of a private topic since a time, oldest first. */
export async function listReplay(
  sql: Sql,
  replay: { topic: string; sinceMs: number; limit: number },
): Promise<StoredMessage[]> {
  return sql<StoredMessage[]>`
    select id, topic, event, is_private, payload, binary_payload, inserted_microseconds, write_order
    from (
      select ${messageColumns(sql)}, inserted_at
      from realtime.messages
      where topic = ${replay.topic}
        and extension = 'broadcast'
        and private is true
        and event is not null
        and inserted_at >= ${fromMicroseconds(sql, String(replay.sinceMs * 1000))}
      order by inserted_at desc, write_order desc
      limit ${replay.limit}
    ) as latest
    order by inserted_at, write_order
  `;
}

/** Removes at most `limit` messages older than `hours`; answers how many it removed. */
export async function deleteOldMessages(sql: Sql, hours: number, limit: number): Promise<number> {
  const { count } = await sql`
    delete from realtime.messages
    where (id, inserted_at) in (
      select id, inserted_at
      from realtime.messages
      where inserted_at < timezone('utc', now()) - make_interval(hours => ${hours})
      order by inserted_at
      limit ${limit}
    )
  `;
  return count;
}

function messageColumns(sql: Sql) {
  return sql`
    id,
    topic,
    event,
    private is true as is_private,
    payload::text as payload,
    binary_payload,
    (extract(epoch from inserted_at) * 1000000)::bigint::text as inserted_microseconds,
    write_order
  `;
}

/** Exact: a double holds microseconds for some centuries more. */
function fromMicroseconds(sql: Sql, microseconds: string) {
  return sql`(timestamp '1970-01-01' + ${microseconds}::bigint * interval '1 microsecond')`;
}
