/**
 * A log as a product with a model in it would have after some months: apps and models of unequal use, texts of random lengths whose
 * words are rare and common as in a language (Zipf), sessions, people, tags, alerts; written one by one, by exporters and by imports.
 * The same seed makes the same log. Rows are copied, so that a million take about a minute; metrics beside lengths and call figures
 * are drawn, not measured.
 */
import { once } from "node:events";
import type { Sql } from "postgres";
import { createId } from "../../../shared/ids.ts";
import { findMetricNumber, metricEdition } from "../../../shared/interactions/metrics/registry.ts";
import { hashWords, labelsOf } from "../../../shared/interactions/words.ts";
import { normal } from "../../helpers/draws.ts";
import { type Random, seededRandom } from "../../helpers/pictures.ts";

export interface LogOptions {
  readonly ownerId: string | null;
  readonly rows: number;
  readonly days?: number;
  readonly endMs?: number;
  readonly seed?: number;
}

export const logApps = ["shop", "support", "search", "coach", "internal"];
export const logModels = ["gpt-4o", "gpt-4o-mini", "llama-3.3-70b", "mistral-large"];
/** The vocabulary, the most common first: word n is about n times as rare as the first. */
export const wordOf = (rank: number): string => {
  let [rest, word] = [rank * 7 + 11, ""];
  do {
    word += "bcdfghklmnprstvz"[rest % 16];
    rest = Math.floor(rest / 16);
    word += "aeiou"[rest % 5];
    rest = Math.floor(rest / 5);
  } while (rest > 0);
  return word;
};
const vocabulary = 200_000;

interface DrawnRow {
  readonly id: string;
  readonly app: number;
  readonly model: number;
  readonly sessionId: string | null;
  readonly userLabel: string | null;
  readonly provider: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly latencyMs: number | null;
  readonly tags: readonly string[];
  readonly occurredAtMs: number;
}

/** Fills an empty log; batches are left to be folded. Answers the ids of two rules: of much that fired, and of little. */
export async function fillLog(
  sql: Sql,
  { ownerId, rows, days = 90, endMs = Date.now(), seed = 1 }: LogOptions,
): Promise<{ ruleIds: [common: string, rare: string] }> {
  const random = seededRandom(seed);
  await sql`select from parlance.ensure_interaction_settings(${ownerId})`;
  const groups = await makeGroups(sql, ownerId);
  const words = Array.from({ length: vocabulary }, (_, rank) => wordOf(rank));
  const draw = {
    random,
    words,
    stepMs: (days * 86_400_000) / rows,
    beginMs: endMs - days * 86_400_000,
    rows,
  };
  const fired: { id: string; occurredAtMs: number; isRare: boolean }[] = [];
  const makeIndex = await dropIndex(sql, "interaction_words_with");
  for (let done = 0; done < rows; ) {
    const { batches, words, interactions } = drawPart(draw, { done, ownerId, groups, fired });
    await copy(sql, "interaction_batches (id, owner_id, rows, first_at, last_at)", batches);
    await copy(sql, "interaction_words (batch_id, owner_id, rows, first_at, last_at, words)", words);
    await copy(sql, `interactions (${columns})`, interactions);
    done += interactions.length;
  }
  await makeIndex();
  const ruleIds = await raise(sql, ownerId, fired);
  await sql`analyze parlance.interactions, parlance.interaction_batches, parlance.interaction_words, parlance.alert_firings, parlance.interaction_groups`;
  return { ruleIds };
}

const columns =
  "id, owner_id, group_id, batch_id, session_id, user_label, provider, input, output, latency_ms, tags, occurred_at, " +
  "metric_values, metric_edition";

/** An index of words is made much faster than it grows. */
async function dropIndex(sql: Sql, name: string): Promise<() => Promise<unknown>> {
  const [index] = await sql<
    { made: string }[]
  >`select pg_get_indexdef(${`parlance.${name}`}::text::regclass) as made`;
  await sql.unsafe(`drop index parlance.${name}`);
  return () => sql.unsafe(index?.made ?? "");
}

async function makeGroups(sql: Sql, ownerId: string | null): Promise<number[][]> {
  const pairs = logApps.flatMap((app) => logModels.map((model) => ({ app, model })));
  const made = await sql<{ id: number; app: string; model: string }[]>`
    select id, app, model
    from parlance.ensure_interaction_groups(
      ${ownerId}, ${pairs.map(({ app }) => app)}::text[], ${pairs.map(() => "production")}::text[],
      ${pairs.map(({ model }) => model)}::text[]
    )
  `;
  return logApps.map((app) =>
    logModels.map((model) => made.find((group) => group.app === app && group.model === model)?.id ?? 0),
  );
}

interface Draw {
  readonly random: Random;
  readonly words: readonly string[];
  readonly beginMs: number;
  readonly stepMs: number;
  readonly rows: number;
}

interface Part {
  readonly done: number;
  readonly ownerId: string | null;
  readonly groups: readonly (readonly number[])[];
  readonly fired: { id: string; occurredAtMs: number; isRare: boolean }[];
}

/** About ten thousand rows: batches of one, of twenty and of a thousand, some of which are in no order of time. */
function drawPart(draw: Draw, { done, ownerId, groups, fired }: Part) {
  const [batches, words, interactions]: [string[], string[], string[]] = [[], [], []];
  while (interactions.length < 10_000 && done + interactions.length < draw.rows) {
    const size = Math.min(drawSize(draw.random), draw.rows - done - interactions.length);
    const isSpread = size === 1000 && draw.random() < 0.1;
    const id = createId();
    const rows = Array.from({ length: size }, (_, index) => {
      const place = isSpread ? draw.random() * draw.rows : done + interactions.length + index;
      return drawRow(draw, draw.beginMs + (place + draw.random()) * draw.stepMs);
    });
    const times = rows.map(({ occurredAtMs }) => occurredAtMs);
    const hashes = hashWords(
      rows.flatMap(({ input, output }) => [...input, ...output]),
      rows.flatMap(labelsOf),
    );
    const batch = [id, ownerId, size, toTime(Math.min(...times)), toTime(Math.max(...times))];
    batches.push(toLine(batch));
    words.push(toLine([...batch, `{${hashes.join(",")}}`]));
    for (const row of rows) {
      interactions.push(
        toInteraction(row, { ownerId, batchId: id, groupId: groups[row.app]?.[row.model] ?? 0 }),
      );
      const chance = draw.random();
      if (chance < 0.2) fired.push({ id: row.id, occurredAtMs: row.occurredAtMs, isRare: chance < 0.0002 });
    }
  }
  return { batches, words, interactions };
}

function drawSize(random: Random): number {
  const chance = random();
  // In rows about a tenth, three tenths and six.
  return chance < 0.861 ? 1 : chance < 0.9945 ? 20 : 1000;
}

/** Ranks by a density of 1 / rank. */
const drawWord = ({ random, words }: Draw): string => words[Math.floor(words.length ** random()) - 1] ?? "";

const drawWords = (draw: Draw, mean: number): string[] =>
  Array.from({ length: Math.max(1, Math.round(mean * Math.exp(0.6 * normal(draw.random) - 0.18))) }, () =>
    drawWord(draw),
  );

function drawRow(draw: Draw, occurredAtMs: number): DrawnRow {
  const { random } = draw;
  const skewed = (count: number) => Math.floor(count * random() ** 2);
  const hour = Math.floor(occurredAtMs / 3600_000);
  return {
    id: createId(Math.floor(occurredAtMs)),
    app: skewed(logApps.length),
    model: skewed(logModels.length),
    sessionId: random() < 0.8 ? `session-${hour}-${Math.floor(random() * 60)}` : null,
    userLabel: random() < 0.7 ? `user-${Math.floor(20_000 ** random())}` : null,
    provider: random() < 0.8 ? "openai" : random() < 0.995 ? "cerebras" : "mistral",
    input: drawWords(draw, 35),
    output: drawWords(draw, 140),
    latencyMs: random() < 0.8 ? Math.round(700 * Math.exp(0.7 * normal(random))) : null,
    tags: [
      ...(random() < 0.5 ? ["chat"] : []),
      ...(random() < 0.05 ? ["beta"] : []),
      ...(random() < 0.00005 ? ["incident-17"] : []),
    ],
    occurredAtMs,
  };
}

function toInteraction(
  row: DrawnRow,
  { ownerId, batchId, groupId }: { ownerId: string | null; batchId: string; groupId: number },
): string {
  const [input, output] = [row.input.join(" "), row.output.join(" ")];
  const measured: Record<string, number | null> = {
    "input.characters": input.length,
    "output.characters": output.length,
    "input.words": row.input.length,
    "output.words": row.output.length,
    "pair.latency": row.latencyMs,
  };
  const values = new Array<number | null>(metricEdition)
    .fill(null)
    .map((_, index) => (index % 3 === 0 ? (output.length % (7 + index)) / 8 : null));
  for (const [name, value] of Object.entries(measured)) values[(findMetricNumber(name) ?? 1) - 1] = value;
  return toLine([
    row.id,
    ownerId,
    groupId,
    batchId,
    row.sessionId,
    row.userLabel,
    row.provider,
    input,
    output,
    row.latencyMs,
    `{${row.tags.join(",")}}`,
    toTime(row.occurredAtMs),
    `{${values.map((value) => value ?? "NULL").join(",")}}`,
    metricEdition,
  ]);
}

const toTime = (timeMs: number) => new Date(timeMs).toISOString();
const toLine = (fields: readonly (string | number | null)[]) =>
  `${fields.map((field) => field ?? "\\N").join("\t")}\n`;

async function copy(sql: Sql, target: string, lines: readonly string[]): Promise<void> {
  const writable = await sql.unsafe(`copy parlance.${target} from stdin`).writable();
  for (let from = 0; from < lines.length; from += 500) {
    if (!writable.write(lines.slice(from, from + 500).join(""))) await once(writable, "drain");
  }
  writable.end();
  await once(writable, "finish");
}

/** Two rules: of one, two hundred alerts that a fifth of the rows made fire; of the other, five of few. */
async function raise(
  sql: Sql,
  ownerId: string | null,
  fired: readonly { id: string; occurredAtMs: number; isRare: boolean }[],
): Promise<[string, string]> {
  const rules = await sql<{ id: string }[]>`
    select id
    from parlance.interaction_rules
    where owner_id is not distinct from ${ownerId}
    order by id
    limit 2
  `;
  const [common, rare] = [rules[0]?.id ?? "", rules[1]?.id ?? ""];
  const add = async (ruleId: string, count: number) => {
    const ids = Array.from({ length: count }, () => createId());
    await sql`
      insert into parlance.interaction_alerts (
        id, owner_id, rule_id, rule_name, severity, fingerprint, first_seen_at, last_seen_at, evidence, state, resolved_at, resolution
      )
      select id, ${ownerId}, ${ruleId}, 'A rule', 'info', id::text, now(), now(), '{}', 'resolved', now(), 'quiet'
      from unnest(${ids}::uuid[]) as made (id)
    `;
    return ids;
  };
  const [many, few] = [await add(common, 200), await add(rare, 5)];
  const lines = fired.map(({ id, occurredAtMs, isRare }, index) =>
    toLine([
      (isRare ? few : many)[index % (isRare ? 5 : 200)] ?? "",
      id,
      ownerId,
      toTime(occurredAtMs),
      index % 100,
    ]),
  );
  await copy(sql, "alert_firings (alert_id, interaction_id, owner_id, occurred_at, value)", lines);
  return [common, rare];
}
