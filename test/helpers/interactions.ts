/** Interactions in a log without the API: for tests and benches of what is made of them. */
import type { Sql } from "postgres";
import { createId } from "../../shared/ids.ts";
import { measureInteraction, metricEdition } from "../../shared/interactions/metrics/registry.ts";
import { hashWords, labelsOf } from "../../shared/interactions/words.ts";

export interface TestInteraction {
  readonly input?: string;
  readonly output?: string;
  readonly app?: string;
  readonly environment?: string;
  readonly model?: string;
  /** Default: now. */
  readonly occurredAt?: string | Date;
  readonly latencyMs?: number;
  readonly costUsd?: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly tags?: readonly string[];
  readonly sessionId?: string;
  readonly userLabel?: string;
  readonly provider?: string;
  /** Instead of what is measured of the texts: that of metric n at n - 1. */
  readonly values?: readonly (number | null)[];
  /** Measured up to this number. Default: all. */
  readonly edition?: number;
}

/** Writes one batch as the owner of the tables; answers the ids in their order. Nothing is folded or judged. */
export async function insertInteractions(
  sql: Sql,
  ownerId: string | null,
  rows: readonly TestInteraction[],
): Promise<{ batchId: string; ids: string[] }> {
  const batchId = createId();
  const prepared = rows.map(prepare);
  await sql.begin(async (transaction) => {
    await transaction`select from parlance.ensure_interaction_settings(${ownerId})`;
    const json = JSON.stringify(prepared);
    await transaction`
      with added as (
        insert into parlance.interaction_batches (id, owner_id, rows, first_at, last_at)
        select ${batchId}, ${ownerId}, ${rows.length}, min(occurred_at), max(occurred_at)
        from json_to_recordset(${json}::text::json) as rows (occurred_at timestamptz)
        returning id, owner_id, rows, first_at, last_at
      )
      insert into parlance.interaction_words (batch_id, owner_id, rows, first_at, last_at, words)
      select id, owner_id, rows, first_at, last_at, ${`{${hashWords(wordsOf(rows), rows.flatMap(labelsOf)).join(",")}}`}::text::integer[]
      from added
    `;
    await transaction`
      with named as (
        select *
        from json_to_recordset(${json}::text::json) as rows (
          id uuid, app text, environment text, model text, session_id text, user_label text, provider text, input text,
          output text, input_tokens integer, output_tokens integer, latency_ms float8, cost_usd float8, tags text[],
          occurred_at timestamptz, metric_values float8[], metric_edition smallint
        )
      ), groups as (
        select groups.*
        from (
          select array_agg(app) as apps, array_agg(environment) as environments, array_agg(model) as models from named
        ) as wanted, parlance.ensure_interaction_groups(${ownerId}, apps, environments, models) as groups
      )
      insert into parlance.interactions (
        id, owner_id, group_id, batch_id, session_id, user_label, provider, input, output, input_tokens, output_tokens,
        latency_ms, cost_usd, tags, occurred_at, metric_values, metric_edition
      )
      select named.id, ${ownerId}, groups.id, ${batchId}, session_id, user_label, provider, input, output, input_tokens,
        output_tokens, latency_ms, cost_usd, tags, occurred_at, metric_values, metric_edition
      from named
      join groups using (app, environment, model)
    `;
  });
  return { batchId, ids: prepared.map(({ id }) => id) };
}

function prepare(row: TestInteraction) {
  const { input = "", output = "", edition = metricEdition } = row;
  const figures = {
    inputTokens: row.inputTokens ?? null,
    outputTokens: row.outputTokens ?? null,
    latencyMs: row.latencyMs ?? null,
    costUsd: row.costUsd ?? null,
  };
  const values = row.values ?? measureInteraction({ input, output, ...figures }).values.slice(0, edition);
  return {
    id: createId(),
    app: row.app ?? "default",
    environment: row.environment ?? "",
    model: row.model ?? "",
    session_id: row.sessionId,
    user_label: row.userLabel,
    provider: row.provider,
    input,
    output,
    input_tokens: figures.inputTokens,
    output_tokens: figures.outputTokens,
    latency_ms: figures.latencyMs,
    cost_usd: figures.costUsd,
    tags: row.tags ?? [],
    occurred_at: new Date(row.occurredAt ?? Date.now()).toISOString(),
    metric_values: values,
    metric_edition: edition,
  };
}

function* wordsOf(rows: readonly TestInteraction[]): Generator<string> {
  for (const { input = "", output = "" } of rows) {
    for (const word of `${input} ${output}`.toLowerCase().matchAll(/[\p{L}\p{M}\p{N}]+/gu)) yield word[0];
  }
}
