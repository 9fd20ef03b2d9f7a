/** Jobs that changed since a revision: each once, none missed, in pages. */
import type { TransactionSql } from "postgres";
import type { JobChanges } from "../../shared/jobs/following.ts";
import {
  decodeRevision,
  encodeRevision,
  formatSnapshot,
  parseSnapshot,
  type Revision,
  refused,
  type Snapshot,
} from "./revisions.ts";
import { type JobRow, jobColumns, ownedBy, toJob } from "./store.ts";

/** The present revision. What commits while the statement after it runs is not in it, and shown again by the next. */
export async function takeRevision(sql: TransactionSql): Promise<Required<Pick<Revision, "tag" | "after">>> {
  const [row] = await sql<{ snapshot: string; tag: string }[]>`
    select pg_current_snapshot()::text as snapshot, parlance.job_revision_tag() as tag
  `;
  return { tag: row?.tag ?? "", after: parseSnapshot(row?.snapshot ?? "3:3:") };
}

export interface ChangesFilter {
  /** Null: the house's jobs; undefined: everyone's that the caller may see. */
  readonly ownerId: string | null | undefined;
  readonly limit: number;
}

export async function listChanges(
  sql: TransactionSql,
  after: string | undefined,
  filter: ChangesFilter,
): Promise<JobChanges> {
  const present = await takeRevision(sql);
  if (after === undefined) return { items: [], revision: encodeRevision(present), hasMore: false };
  const seen = decodeRevision(after);
  checkOrigin(seen, present);
  const upTo = seen.walk?.upTo ?? present.after;
  const walk = { after: seen.after, upTo, changedIn: seen.walk?.changedIn ?? 0n, id: seen.walk?.id ?? noId };
  const rows = await listMissed(sql, walk, { ...filter, limit: filter.limit + 1 });
  const shown = rows.slice(0, filter.limit);
  const last = shown.at(-1);
  if (rows.length > shown.length && last) {
    const place = { upTo, changedIn: BigInt(last.changedIn), id: last.id };
    const revision = encodeRevision({ tag: present.tag, after: seen.after, walk: place });
    return { items: shown.map(toJob), revision, hasMore: true };
  }
  // A walk ends where it began to be shown: what changed since is yet to come.
  const hasMore = formatSnapshot(upTo) !== formatSnapshot(present.after);
  return {
    items: shown.map(toJob),
    revision: encodeRevision({ tag: present.tag, after: upTo }),
    hasMore,
  };
}

const noId = "00000000-0000-0000-0000-000000000000";

/** Of another database, or of this one before it was put back to an earlier time. */
function checkOrigin(seen: Revision, present: Pick<Revision, "tag" | "after">): void {
  const latest = [seen.after.end, seen.walk?.upTo.end ?? 0n];
  if (seen.tag !== present.tag || latest.some((end) => end > present.after.end)) throw refused();
}

interface Walk {
  readonly after: Snapshot;
  readonly upTo: Snapshot;
  readonly changedIn: bigint;
  readonly id: string;
}

/**
 * What was open at the one snapshot and what began after it, each by its index. Without an owner there are indexes of
 * jobs that ended and of those that run; those that wait are looked at one by one.
 */
async function listMissed(
  sql: TransactionSql,
  { after, upTo, changedIn, id }: Walk,
  { ownerId, limit }: ChangesFilter,
): Promise<(JobRow & { changedIn: string })[]> {
  const from = changedIn > after.end ? changedIn : after.end;
  const ranges = [
    sql`changed_in = any (${after.open.map(String)}::text[]::xid8[])`,
    sql`changed_in >= ${String(from)}::text::xid8 and changed_in < ${String(upTo.end)}::text::xid8`,
  ];
  const parts = ownerId
    ? [sql`true`]
    : [sql`finished_at is not null`, sql`state = 'running'`, sql`state = 'queued'`];
  const branches = ranges.flatMap((range) =>
    parts.map(
      (part) => sql`
        (
          select ${jobColumns(sql)}, changed_in
          from parlance.job_views
          where ${ownedBy(sql, ownerId)}
            and ${part}
            and ${range}
            and pg_visible_in_snapshot(changed_in, ${formatSnapshot(upTo)}::text::pg_snapshot)
            and (changed_in, id) > (${String(changedIn)}::text::xid8, ${id}::uuid)
          order by changed_in, id
          limit ${limit}
        )
      `,
    ),
  );
  const all = branches.reduce((one, other) => sql`${one} union all ${other}`);
  return await sql<(JobRow & { changedIn: string })[]>`
    select *
    from (${all}) as missed
    order by changed_in, id
    limit ${limit}
  `;
}
