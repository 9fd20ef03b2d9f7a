/** SQL of back-tests: read as the caller, under row level security; written as the service role. */
import type { TransactionSql } from "postgres";
import type { FindingsState } from "../../../shared/interactions/back-test-findings.ts";
import type { WindowJudgeState } from "../../../shared/interactions/back-test-judging.ts";
import { type BackTest, backTestsKept } from "../../../shared/interactions/back-tests.ts";
import type { SlidingHistoryState } from "../../../shared/interactions/outliers/rule-history.ts";
import type { RuleFields } from "../../../shared/interactions/rules.ts";
import { toArrayText } from "../statistics/hour-store.ts";
import { ownedBy } from "../statistics/settings-lock.ts";

type BackTestRow = Omit<BackTest, "state" | "job" | "error"> & {
  jobId: string;
  errorCode: string | null;
  errorMessage: string | null;
};

const backTestColumns = (sql: TransactionSql) => sql`
  id, owner_id, rule, from_at as from, to_at as to, job_id, result, error_code, error_message, created_at, finished_at
`;

/** After which one a page begins. */
export interface BackTestCursor {
  readonly createdAt: string;
  readonly id: string;
}

/** Newest first. */
export async function listBackTests(
  sql: TransactionSql,
  ownerId: string | null,
  { before, limit }: { readonly before: BackTestCursor | undefined; readonly limit: number },
): Promise<BackTest[]> {
  const rows = await sql<BackTestRow[]>`
    select ${backTestColumns(sql)}
    from parlance.rule_back_tests
    where ${ownedBy(sql, ownerId)}
      and ${before ? sql`(created_at, id) < (${before.createdAt}, ${before.id}::uuid)` : sql`true`}
    order by created_at desc, id desc
    limit ${limit}
  `;
  return rows.map(toBackTest);
}

export async function findBackTest(sql: TransactionSql, id: string): Promise<BackTest | undefined> {
  const [row] = await sql<BackTestRow[]>`
    select ${backTestColumns(sql)}
    from parlance.rule_back_tests
    where id = ${id}
  `;
  return row && toBackTest(row);
}

function toBackTest({ jobId, errorCode, errorMessage, ...row }: BackTestRow): BackTest {
  const hasEnded = row.finishedAt !== null;
  const ending = errorCode === null ? "done" : errorCode === "cancelled" ? "cancelled" : "failed";
  return {
    ...row,
    state: hasEnded ? ending : "running",
    job: { id: jobId },
    error: errorCode === null ? null : { code: errorCode, message: errorMessage ?? "" },
  };
}

export interface NewBackTestRow {
  readonly id: string;
  readonly ownerId: string | null;
  readonly rule: RuleFields;
  readonly from: string;
  readonly to: string;
  readonly jobId: string;
}

/** False where the id is there already: the same request came again. */
export async function insertBackTest(sql: TransactionSql, row: NewBackTestRow): Promise<boolean> {
  const added = await sql`
    insert into parlance.rule_back_tests (id, owner_id, rule, from_at, to_at, job_id)
    values (${row.id}, ${row.ownerId}, ${sql.json(row.rule as never)}, ${row.from}, ${row.to}, ${row.jobId})
    on conflict (id) do nothing
    returning id
  `;
  return added.length > 0;
}

/** Those that ended and are too many, the oldest first. */
export async function forgetOldBackTests(sql: TransactionSql, ownerId: string | null): Promise<void> {
  await sql`
    delete from parlance.rule_back_tests
    where ${ownedBy(sql, ownerId)}
      and finished_at is not null
      and (created_at, id) < (
        select created_at, id
        from parlance.rule_back_tests
        where ${ownedBy(sql, ownerId)}
        order by created_at desc, id desc
        offset ${backTestsKept - 1}
        limit 1
      )
  `;
}

/** When the newest interaction happened; undefined where there is none. */
export async function findNewestTime(
  sql: TransactionSql,
  ownerId: string | null,
): Promise<string | undefined> {
  const [row] = await sql<{ occurredAt: string }[]>`
    select occurred_at
    from parlance.interactions
    where ${ownedBy(sql, ownerId)}
    order by occurred_at desc, id desc
    limit 1
  `;
  return row?.occurredAt;
}

/** How far a back-test is. */
export interface BackTestProgress {
  /** Of what is judged apart. */
  readonly group: number;
  /** The last row that was looked at; null before the first. */
  readonly after: { readonly at: number; readonly id: string } | null;
  /** How many hours are looked through at once. */
  readonly spanHours: number;
  readonly windows: WindowJudgeState | null;
  readonly history: SlidingHistoryState | null;
  readonly findings: FindingsState;
}

export async function saveProgress(
  sql: TransactionSql,
  id: string,
  progress: BackTestProgress,
): Promise<void> {
  await sql`
    update parlance.rule_back_tests
    set state = ${sql.json(progress as never)}
    where id = ${id}
  `;
}

export async function findProgress(sql: TransactionSql, id: string): Promise<BackTestProgress | undefined> {
  const [row] = await sql<{ state: BackTestProgress | null }[]>`
    select state
    from parlance.rule_back_tests
    where id = ${id}
  `;
  return row?.state ?? undefined;
}

/** In microseconds since 1970, of these groups; null where there was none. */
export async function findLastBefore(
  sql: TransactionSql,
  { groupIds, tags }: { readonly groupIds: readonly number[]; readonly tags: readonly string[] | null },
  beforeMs: number,
): Promise<number | null> {
  const [row] = await sql<{ at: number | null }[]>`
    select (date_part('epoch', max(newest.occurred_at)) * 1000000)::int8 as at
    from unnest(${toArrayText(groupIds)}::text::integer[]) as wanted (group_id)
    cross join lateral (
      select interactions.occurred_at
      from parlance.interactions
      where interactions.group_id = wanted.group_id
        and interactions.occurred_at < ${new Date(beforeMs).toISOString()}::timestamptz
        and ${tags === null ? sql`true` : sql`interactions.tags && ${[...tags]}::text[]`}
      order by interactions.occurred_at desc, interactions.id desc
      limit 1
    ) as newest
  `;
  return row?.at ?? null;
}
