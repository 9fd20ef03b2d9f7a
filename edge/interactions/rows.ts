/** What is stored of an interaction: its texts as its owner wants them kept, and what was measured before. */
import { createId } from "../../shared/ids.ts";
import type { NewInteraction } from "../../shared/interactions/contract.ts";
import type { GroupLabels, JudgedRow } from "../../shared/interactions/judging.ts";
import { type MeasuredInteraction, measureInteraction } from "../../shared/interactions/metrics/registry.ts";
import { type PersonalDataKind, redactText } from "../../shared/interactions/personal-data.ts";

export interface PreparedRow extends JudgedRow {
  readonly group: GroupLabels;
  readonly interaction: NewInteraction;
  /** As they are stored. */
  readonly input: string;
  readonly output: string;
  readonly measured: MeasuredInteraction;
}

export interface PrepareOptions {
  readonly redact: readonly PersonalDataKind[];
  /** The time of what does not say its own. */
  readonly now: Date;
  readonly ids?: readonly string[];
}

/** Measures and redacts. Metrics are of the texts as they came: how much personal data there was is worth knowing. */
export function prepareRow(
  news: NewInteraction,
  { redact, now, id = createId() }: Omit<PrepareOptions, "ids"> & { readonly id?: string | undefined },
): PreparedRow {
  const interaction = { ...news, input: mendText(news.input), output: mendText(news.output) };
  const { inputTokens = null, outputTokens = null, latencyMs = null, costUsd = null } = interaction;
  const { input, output } = interaction;
  const measured = measureInteraction({ input, output, inputTokens, outputTokens, latencyMs, costUsd });
  return {
    id,
    interaction,
    group: { app: news.app, environment: news.environment ?? "", model: news.model ?? "" },
    tags: news.tags,
    input: redact.length === 0 ? input : redactText(input, redact),
    output: redact.length === 0 ? output : redactText(output, redact),
    occurredAt: news.occurredAt ?? now.toISOString(),
    measured,
    values: measured.values,
  };
}

export function prepareRows(news: readonly NewInteraction[], options: PrepareOptions): PreparedRow[] {
  return news.map((one, index) => prepareRow(one, { ...options, id: options.ids?.[index] }));
}

/** Postgres keeps neither a NUL nor half of a surrogate pair; what a model said is not lost for one. */
export function mendText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}

const futureMsMax = 24 * 3600 * 1000;

/** A clock may be a little wrong; a time that is to come would be the newest for ever. */
export function isInFuture({ occurredAt }: NewInteraction, now: Date): boolean {
  return occurredAt !== undefined && Date.parse(occurredAt) > now.getTime() + futureMsMax;
}
