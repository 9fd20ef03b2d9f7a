/** SQL that writes the log, as the service role. */
import type { TransactionSql } from "postgres";
import { databaseErrorCode } from "../../shared/database.ts";
import { AppError } from "../../shared/errors.ts";
import type { Firing, InteractionAlert } from "../../shared/interactions/alerts.ts";
import type { GroupLabels } from "../../shared/interactions/judging.ts";
import { metricEdition } from "../../shared/interactions/metrics/registry.ts";
import { MeasuredText } from "../../shared/interactions/metrics/text.ts";
import { hashWords, labelsOf } from "../../shared/interactions/words.ts";
import type { PreparedRow } from "./rows.ts";

export interface NewBatch {
  readonly id: string;
  readonly ownerId: string | null;
  readonly rows: readonly PreparedRow[];
  readonly importId?: string | undefined;
  /** What makes a row the same when it comes again, by its place among the rows. */
  readonly hashes?: readonly string[] | undefined;
}

/** All of it; or nothing, where the batch is there already: the same request came again. */
export async function insertBatch(transaction: TransactionSql, batch: NewBatch): Promise<boolean> {
  if (batch.rows.length === 0) return true;
  const groups = await findGroups(transaction, batch.ownerId, batch.rows);
  // The database's own reading of them: searches leap to batches by times that are exact to the microsecond.
  const times = batch.rows.map(({ occurredAt }) => occurredAt);
  const words = hashWords(
    storedWords(batch.rows),
    batch.rows.flatMap(({ interaction }) => labelsOf(interaction)),
  );
  const added = await transaction`
    with added as (
      insert into parlance.interaction_batches (id, owner_id, rows, first_at, last_at)
      select
        ${batch.id}::uuid, ${batch.ownerId}::uuid, ${batch.rows.length}::integer, min(times.at::timestamptz),
        max(times.at::timestamptz)
      from unnest(${times}::text[]) as times (at)
      on conflict (id) do nothing
      returning id, owner_id, rows, first_at, last_at
    )
    insert into parlance.interaction_words (batch_id, owner_id, rows, first_at, last_at, words)
    select id, owner_id, rows, first_at, last_at, ${toArrayText(words)}::text::integer[]
    from added
    returning batch_id
  `;
  if (added.length === 0) return false;
  await insertRows(transaction, batch, groups);
  return true;
}

/** Of the texts as they are stored: what was left out of them is not found, and leaves no hash behind. */
function* storedWords(rows: readonly PreparedRow[]): Generator<string> {
  for (const { input, output, interaction, measured } of rows) {
    yield* input === interaction.input ? measured.words.input : new MeasuredText(input).words;
    yield* output === interaction.output ? measured.words.output : new MeasuredText(output).words;
  }
}

const toArrayText = (numbers: readonly (number | null)[]) =>
  `{${numbers.map((number) => number ?? "null").join(",")}}`;

async function insertRows(
  transaction: TransactionSql,
  batch: NewBatch,
  groups: ReadonlyMap<string, number>,
): Promise<void> {
  const rows = batch.rows.map(({ interaction, measured, ...row }, index) => ({
    id: row.id,
    group_id: groups.get(keyOf(row.group)),
    session_id: interaction.sessionId,
    user_label: interaction.userLabel,
    provider: interaction.provider,
    input: row.input,
    output: row.output,
    input_tokens: interaction.inputTokens,
    output_tokens: interaction.outputTokens,
    latency_ms: interaction.latencyMs,
    cost_usd: interaction.costUsd,
    tags: interaction.tags,
    occurred_at: row.occurredAt,
    metric_values: measured.values,
    input_language: measured.inputLanguage,
    output_language: measured.outputLanguage,
    row_hash: batch.hashes?.[index],
  }));
  await transaction`
    insert into parlance.interactions (
      id, owner_id, group_id, batch_id, session_id, user_label, provider, input, output, input_tokens, output_tokens,
      latency_ms, cost_usd, tags, occurred_at, metric_values, metric_edition, input_language, output_language, import_id,
      row_hash
    )
    select
      id, ${batch.ownerId}::uuid, group_id, ${batch.id}::uuid, session_id, user_label, provider, input, output,
      input_tokens, output_tokens, latency_ms, cost_usd, tags, occurred_at, metric_values, ${metricEdition}::smallint,
      input_language, output_language, ${batch.importId ?? null}::uuid, row_hash
    from json_to_recordset(${JSON.stringify(rows)}::text::json) as new_rows (
      id uuid, group_id integer, session_id text, user_label text, provider text, input text, output text,
      input_tokens integer, output_tokens integer, latency_ms float8, cost_usd float8, tags text[],
      occurred_at timestamptz, metric_values float8[], input_language text, output_language text, row_hash uuid
    )
  `;
}

const keyOf = ({ app, environment, model }: GroupLabels) => JSON.stringify([app, environment, model]);

/** The numbers of the rows' groups, made where they are missing; until the transaction ends they are not removed. */
async function findGroups(
  transaction: TransactionSql,
  ownerId: string | null,
  rows: readonly PreparedRow[],
): Promise<ReadonlyMap<string, number>> {
  for (;;) {
    const groups = await ensureGroups(transaction, ownerId, rows);
    const held = await transaction`
      select
      from parlance.interaction_groups
      where id = any (${[...groups.values()]}::integer[])
      order by id
      for key share
    `;
    // One that was just being removed is made again.
    if (held.length === groups.size) return groups;
  }
}

async function ensureGroups(
  transaction: TransactionSql,
  ownerId: string | null,
  rows: readonly PreparedRow[],
): Promise<ReadonlyMap<string, number>> {
  const wanted = [...new Map(rows.map(({ group }) => [keyOf(group), group])).values()];
  const found = await transaction<(GroupLabels & { id: number })[]>`
    select id, app, environment, model
    from parlance.ensure_interaction_groups(
      ${ownerId}, ${wanted.map(({ app }) => app)}::text[], ${wanted.map(({ environment }) => environment)}::text[],
      ${wanted.map(({ model }) => model)}::text[]
    )
  `.catch((error: unknown) => {
    if (databaseErrorCode(error) !== "PI429") throw error;
    throw new AppError("quota_exceeded", (error as Error).message, { cause: error });
  });
  return new Map(found.map(({ id, ...group }) => [keyOf(group), id]));
}

export interface RaisedAlert {
  readonly alertId: string;
  readonly fingerprint: string;
  readonly opened: boolean;
}

/** So many travel at once, and some more where they are of one alert. */
const firingsAtOnce = 5_000;

/** Opens or counts alerts, in the transaction of the rows that they tell of. */
export async function raiseAlerts(
  transaction: TransactionSql,
  firings: readonly Firing[],
): Promise<ReadonlyMap<string, string>> {
  const raised = new Map<string, string>();
  for (const part of splitByAlert(firings)) {
    const alerts = await transaction<RaisedAlert[]>`
      select alert_id, fingerprint, opened
      from parlance.raise_alerts(${transaction.json(part as never)})
    `;
    for (const { alertId, fingerprint } of alerts) raised.set(fingerprint, alertId);
  }
  return raised;
}

/** In the order in which the function holds alerts: those that raise the same ones do not wait for each other in a circle. */
function splitByAlert(firings: readonly Firing[]): object[][] {
  const byAlert = [...Map.groupBy(firings, ({ fingerprint }) => fingerprint)];
  const parts: object[][] = [];
  for (const [, ofAlert] of byAlert.sort(([one], [other]) => (one < other ? -1 : 1))) {
    const last = parts.at(-1);
    if (last && last.length + ofAlert.length <= firingsAtOnce) last.push(...toFired(ofAlert));
    else parts.push(toFired(ofAlert));
  }
  return parts;
}

/** Of one alert: what it is is told by the newest one, which is the only one that has evidence. */
function toFired(firings: readonly Firing[]): object[] {
  const newest = firings.reduce((one, other) =>
    Date.parse(other.occurredAt) > Date.parse(one.occurredAt) ? other : one,
  );
  return firings.map((firing) => ({
    owner_id: firing.ownerId,
    rule_id: firing.ruleId,
    fingerprint: firing.fingerprint,
    value: firing.value,
    score: firing.score,
    occurred_at: firing.occurredAt,
    interaction_id: firing.interactionId ?? null,
    ...(firing === newest && {
      rule_name: firing.ruleName,
      severity: firing.severity,
      app: firing.app,
      environment: firing.environment,
      model: firing.model,
      element: firing.element,
      metric: firing.metric,
      evidence: firing.evidence,
    }),
  }));
}

/** What each of these interactions made fire. */
export async function listAlertsOf(
  transaction: TransactionSql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, InteractionAlert[]>> {
  const fired = await transaction<(InteractionAlert & { interactionId: string })[]>`
    select
      firings.interaction_id, firings.value, firings.score, alerts.id as alert_id, alerts.rule_id, alerts.rule_name,
      alerts.severity, alerts.state, alerts.element, alerts.metric
    from parlance.alert_firings as firings
    join parlance.interaction_alerts as alerts on alerts.id = firings.alert_id
    where firings.interaction_id = any (${[...ids]}::uuid[])
    order by alerts.severity desc, alerts.id
  `;
  const byInteraction = new Map<string, InteractionAlert[]>();
  for (const { interactionId, ...alert } of fired) {
    const known = byInteraction.get(interactionId);
    if (known) known.push(alert);
    else byInteraction.set(interactionId, [alert]);
  }
  return byInteraction;
}

/** Until the transaction ends, nobody else folds the owner's batches or looks for rows that are there. */
export async function holdSettings(transaction: TransactionSql, ownerId: string | null): Promise<void> {
  await transaction`
    select
    from parlance.interaction_settings
    where ${ownerId === null ? transaction`owner_id is null` : transaction`owner_id = ${ownerId}`}
    for update
  `;
}

export async function listKnownHashes(
  transaction: TransactionSql,
  ownerId: string | null,
  hashes: readonly string[],
): Promise<string[]> {
  const rows = await transaction<{ rowHash: string }[]>`
    select distinct row_hash
    from parlance.interactions
    where ${ownerId === null ? transaction`owner_id is null` : transaction`owner_id = ${ownerId}`}
      and row_hash = any (${[...hashes]}::uuid[])
  `;
  return rows.map(({ rowHash }) => rowHash);
}

export interface StoredRow {
  readonly id: string;
  readonly occurredAt: string;
  readonly inputLanguage: string | null;
  readonly outputLanguage: string | null;
  readonly values: readonly (number | null)[];
}

export async function listStored(
  transaction: TransactionSql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, StoredRow>> {
  const rows = await transaction<StoredRow[]>`
    select id, occurred_at, input_language, output_language, to_json(metric_values) as values
    from parlance.interactions
    where id = any (${[...ids]}::uuid[])
  `;
  return new Map(rows.map((row) => [row.id, row]));
}
