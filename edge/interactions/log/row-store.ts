/** SQL that reads the log as the caller: row level security decides what there is. */
import type { TransactionSql } from "postgres";
import type { InteractionAlert } from "../../../shared/interactions/alerts.ts";
import type { Interaction } from "../../../shared/interactions/contract.ts";
import type { ListedInteraction, SessionNeighbour } from "../../../shared/interactions/listing.ts";
import { nameValues } from "../../../shared/interactions/metrics/registry.ts";
import { listAlertsOf } from "../log-store.ts";

/** How many characters of each text are read; null: all of them. */
export type TextLength = number | null;

type ListedRow = Omit<Interaction, "metrics"> & {
  measured: string;
  inputIsCut: boolean;
  outputIsCut: boolean;
};

/** By their ids; what the caller may not see is not there. */
export async function readInteractions(
  sql: TransactionSql,
  ids: readonly string[],
  textLength: TextLength,
): Promise<ReadonlyMap<string, ListedInteraction>> {
  if (ids.length === 0) return new Map();
  const length = textLength ?? 2 ** 30;
  const rows = await sql<ListedRow[]>`
    select
      rows.id, rows.owner_id, groups.app, nullif(groups.environment, '') as environment, nullif(groups.model, '') as model,
      rows.session_id, rows.user_label, rows.provider, left(rows.input, ${length}::integer) as input,
      left(rows.output, ${length}::integer) as output, length(rows.input) > ${length}::integer as input_is_cut,
      length(rows.output) > ${length}::integer as output_is_cut, rows.input_tokens, rows.output_tokens, rows.latency_ms,
      rows.cost_usd, rows.tags, rows.occurred_at, rows.created_at, rows.metric_values::text as measured, rows.input_language,
      rows.output_language, rows.import_id
    from parlance.interactions as rows
    join parlance.interaction_groups as groups on groups.id = rows.group_id
    where rows.id = any(${`{${ids.join(",")}}`}::text::uuid[])
  `;
  const alerts = await listAlertsOf(sql, ids);
  return new Map(rows.map((row) => [row.id, toListed(row, alerts.get(row.id) ?? [])]));
}

/** A null in an array would become a number that is none. */
export const parseValues = (text: string): (number | null)[] =>
  text.length <= 2
    ? []
    : text
        .slice(1, -1)
        .split(",")
        .map((value) => (value === "NULL" ? null : Number(value)));

function toListed({ measured, ...row }: ListedRow, alerts: InteractionAlert[]): ListedInteraction {
  return { ...row, metrics: nameValues(parseValues(measured)), alerts };
}

const neighboursMax = 5;
const neighbourLength = 200;

/** What comes before an interaction in its session, or after it: the nearest first. */
export async function listNeighbours(
  sql: TransactionSql,
  { id, ownerId, sessionId, occurredAt }: Pick<Interaction, "id" | "ownerId" | "sessionId" | "occurredAt">,
  side: "before" | "after",
): Promise<SessionNeighbour[]> {
  const place = sql`(${occurredAt}::text::timestamptz, ${id}::uuid)`;
  return await sql<SessionNeighbour[]>`
    select
      rows.id, rows.occurred_at, nullif(groups.model, '') as model, left(rows.input, ${neighbourLength}) as input,
      left(rows.output, ${neighbourLength}) as output, length(rows.input) > ${neighbourLength} as input_is_cut,
      length(rows.output) > ${neighbourLength} as output_is_cut
    from (
      select *
      from parlance.interactions as rows
      where ${ownerId === null ? sql`rows.owner_id is null` : sql`rows.owner_id = ${ownerId}`}
        and rows.session_id = ${sessionId}
        and (rows.occurred_at, rows.id) ${side === "before" ? sql`<` : sql`>`} ${place}
      order by ${side === "before" ? sql`rows.occurred_at desc, rows.id desc` : sql`rows.occurred_at, rows.id`}
      limit ${neighboursMax}
    ) as rows
    join parlance.interaction_groups as groups on groups.id = rows.group_id
    order by ${side === "before" ? sql`rows.occurred_at desc, rows.id desc` : sql`rows.occurred_at, rows.id`}
  `;
}

/** As the service role. The batch goes with its last row. */
export async function deleteRows(sql: TransactionSql, ids: readonly string[]): Promise<number> {
  await holdBatchesOf(sql, ids);
  const removed = await sql<{ batchId: string }[]>`
    with wanted as (
      select id
      from parlance.interactions
      where id = any(${`{${ids.join(",")}}`}::text::uuid[])
      order by id
      for update
    )
    delete from parlance.interactions as rows
    using wanted
    where rows.id = wanted.id
    returning rows.batch_id
  `;
  const batches = [...new Set(removed.map(({ batchId }) => batchId))];
  // Its rows were written with it, and none comes later.
  await sql`
    delete from parlance.interaction_batches as batches
    where batches.id = any(${`{${batches.join(",")}}`}::text::uuid[])
      and not exists (select from parlance.interactions as rows where rows.batch_id = batches.id)
  `;
  return removed.length;
}

/** Two who remove the last rows of a batch at once would each see the other's row, and leave the batch behind for ever. */
async function holdBatchesOf(sql: TransactionSql, ids: readonly string[]): Promise<void> {
  await sql`
    select
    from parlance.interaction_batches as batches
    where batches.id in (
      select rows.batch_id
      from parlance.interactions as rows
      where rows.id = any(${`{${ids.join(",")}}`}::text::uuid[])
    )
    order by batches.id
    for update
  `;
}
