/** A log drawn from a seed, and what a list of it must answer, worked out by looking at every row. */
import type { Sql } from "postgres";
import { parseValues } from "../../../../edge/interactions/log/row-store.ts";
import { createId } from "../../../../shared/ids.ts";
import { nameValues } from "../../../../shared/interactions/metrics/registry.ts";
import { insertInteractions, type TestInteraction } from "../../../helpers/interactions.ts";
import type { Random } from "../../../helpers/pictures.ts";

export interface ModelRow extends Required<Pick<TestInteraction, "input" | "output" | "app">> {
  readonly id: string;
  readonly occurredAt: string;
  readonly environment: string;
  readonly model: string;
  readonly provider?: string | undefined;
  readonly tags: readonly string[];
  readonly sessionId?: string | undefined;
  readonly userLabel?: string | undefined;
  readonly metrics: Readonly<Record<string, number>>;
  readonly ruleIds: readonly string[];
}

const words = [
  "refund",
  "Invoice",
  "gpt-4o",
  "can't",
  "naïve",
  "漢字",
  "the",
  "the",
  "the",
  "and",
  "of",
  "Kelvin",
  "100%",
];
const pick = <Item>(random: Random, items: readonly Item[]): Item =>
  items[Math.floor(random() * items.length)] as Item;

function drawText(random: Random): string {
  const length = Math.floor(random() ** 3 * 30);
  const text = Array.from({ length }, () => pick(random, words)).join(pick(random, [" ", ", ", "\n"]));
  return random() < 0.03 ? `${text} unicorn` : text;
}

function drawRow(random: Random, baseMs: number, spanMs: number): TestInteraction {
  const sessions = [undefined, undefined, "s1", "s2", "% or 1=1", "ünï"];
  return {
    input: drawText(random),
    output: drawText(random),
    app: pick(random, ["shop", "shop", "shop", "support", 'a,"b']),
    environment: pick(random, ["", "production"]),
    model: pick(random, ["", "gpt-4o", "llama"]),
    provider: random() < 0.5 ? pick(random, ["openai", "openai", "cerebras"]) : undefined,
    tags: ["a", "b", "rare%"].filter((_, index) => random() < 0.4 / (index * 2 + 1)),
    sessionId: pick(random, sessions),
    userLabel: pick(random, [undefined, "u1", "u2"]),
    latencyMs: random() < 0.3 ? Math.round(random() * 1000) : undefined,
    // Few moments: many are at the same one.
    occurredAt: new Date(baseMs + Math.floor((random() * spanMs) / 1800_000) * 1800_000),
  } as TestInteraction;
}

/** Batches of many sizes, some spread over the whole time. */
export async function drawLog(
  sql: Sql,
  ownerId: string | null,
  {
    random,
    rows,
    beginMs = Date.UTC(2026, 0, 1),
    days = 20,
  }: { random: Random; rows: number; beginMs?: number; days?: number },
): Promise<ModelRow[]> {
  const made: ModelRow[] = [];
  while (made.length < rows) {
    const size = Math.min(rows - made.length, pick(random, [1, 1, 1, 5, 40]));
    const isSpread = random() < 0.3;
    const dayMs = 24 * 3600_000;
    const baseMs = isSpread ? beginMs : beginMs + random() * (days - 1) * dayMs;
    const batch = Array.from({ length: size }, () =>
      drawRow(random, baseMs, isSpread ? days * dayMs : dayMs / 4),
    );
    const { ids } = await insertInteractions(sql, ownerId, batch);
    made.push(...(await readBack(sql, ids)));
  }
  return made;
}

async function readBack(sql: Sql, ids: readonly string[]): Promise<ModelRow[]> {
  const rows = await sql`
    select rows.*, rows.metric_values::text as measured, groups.app, groups.environment, groups.model
    from parlance.interactions as rows
    join parlance.interaction_groups as groups on groups.id = rows.group_id
    where rows.id = any(${[...ids]}::uuid[])
  `;
  return rows.map((row) => ({
    id: row.id,
    occurredAt: row.occurredAt,
    input: row.input,
    output: row.output,
    app: row.app,
    environment: row.environment,
    model: row.model,
    provider: row.provider ?? undefined,
    tags: row.tags,
    sessionId: row.sessionId ?? undefined,
    userLabel: row.userLabel ?? undefined,
    metrics: nameValues(parseValues(row.measured)),
    ruleIds: [],
  }));
}

/** Alerts of these rules, several of each, that some of the rows made fire. */
export async function drawFirings(
  sql: Sql,
  ownerId: string | null,
  { random, rows, ruleIds }: { random: Random; rows: readonly ModelRow[]; ruleIds: readonly string[] },
): Promise<ModelRow[]> {
  const alerts: { id: string; ruleId: string }[] = [];
  for (const ruleId of ruleIds) {
    for (const fingerprint of ["x", "y"]) {
      const id = createId();
      await sql`
        insert into parlance.interaction_alerts
          (id, owner_id, rule_id, rule_name, severity, fingerprint, first_seen_at, last_seen_at, evidence)
        values (${id}, ${ownerId}, ${ruleId}, 'A rule', 'warning', ${`${ruleId} ${fingerprint}`}, now(), now(), '{}')
      `;
      alerts.push({ id, ruleId });
    }
  }
  const fired = rows.map((row) => ({ row, alerts: alerts.filter(() => random() < 0.07) }));
  for (const { row, alerts: ofRow } of fired) {
    for (const alert of ofRow) {
      await sql`
        insert into parlance.alert_firings (alert_id, interaction_id, owner_id, occurred_at, value)
        values (${alert.id}, ${row.id}, ${ownerId}, ${row.occurredAt}, 1)
      `;
    }
  }
  return fired.map(({ row, alerts: ofRow }) => ({ ...row, ruleIds: ofRow.map(({ ruleId }) => ruleId) }));
}

/** As the parameters of a request; several values stand in a list. */
export type Asked = Readonly<Record<string, string | readonly string[]>>;

const every = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === "string" ? [value] : value;

/** Whole words by a pattern of its own, so that it shares no mistake with what is tested. */
function holdsWords(row: ModelRow, q: string): boolean {
  const texts = [row.input, row.output].map((text) => text.toLowerCase());
  return q
    .toLowerCase()
    .split(/[\s%]+/)
    .filter((word) => word !== "")
    .every((word) =>
      /\p{Script=Han}/u.test(word)
        ? texts.some((text) => text.includes(word))
        : texts.some((text) => new RegExp(`(?<![\\p{L}\\p{N}])${word}(?![\\p{L}\\p{N}])`, "u").test(text)),
    );
}

function isInRange(row: ModelRow, range: string): boolean {
  const [name = "", bounds = ""] = range.split(":");
  const [low, high] = bounds.split("..");
  const value = row.metrics[name];
  if (value === undefined) return false;
  return (low === "" || value >= Number(low)) && (high === "" || value <= Number(high));
}

export function passesAll(row: ModelRow, asked: Asked): boolean {
  const equal = (name: "app" | "environment" | "model" | "provider" | "sessionId" | "userLabel") =>
    asked[name] === undefined || row[name] === asked[name];
  return (
    equal("app") &&
    equal("environment") &&
    equal("model") &&
    equal("provider") &&
    equal("sessionId") &&
    equal("userLabel") &&
    every(asked.tag).every((tag) => row.tags.includes(tag)) &&
    every(asked.metric).every((range) => isInRange(row, range)) &&
    (asked.from === undefined || Date.parse(row.occurredAt) >= Date.parse(String(asked.from))) &&
    (asked.to === undefined || Date.parse(row.occurredAt) < Date.parse(String(asked.to))) &&
    (asked.q === undefined || holdsWords(row, String(asked.q))) &&
    (asked.hasAlert === undefined || row.ruleIds.length > 0 === (asked.hasAlert === "true")) &&
    (asked.ruleId === undefined || row.ruleIds.includes(String(asked.ruleId)))
  );
}

/** The ids of the list. */
export function expectedIds(rows: readonly ModelRow[], asked: Asked): string[] {
  const keyOf = ({ occurredAt, id }: ModelRow) => `${occurredAt} ${id}`;
  const sign = asked.order === "occurredAt" ? 1 : -1;
  return rows
    .filter((row) => passesAll(row, asked))
    .sort((one, other) => (keyOf(one) < keyOf(other) ? -sign : sign))
    .map(({ id }) => id);
}

export function drawFilter(random: Random, ruleIds: readonly string[]): Asked {
  const number = (max: number) => String(Math.floor(random() * max));
  const choices: Record<string, () => string | string[]> = {
    from: () => new Date(Date.UTC(2026, 0, 1 + Math.floor(random() * 20), 5)).toISOString(),
    to: () => new Date(Date.UTC(2026, 0, 1 + Math.floor(random() * 20), 5, 30)).toISOString(),
    app: () => pick(random, ["shop", "support", 'a,"b', "other"]),
    environment: () => pick(random, ["", "production"]),
    model: () => pick(random, ["", "gpt-4o", "llama"]),
    provider: () => pick(random, ["openai", "cerebras", "nobody"]),
    tag: () => pick(random, [["a"], ["a", "b"], ["rare%"], ["none"]]),
    sessionId: () => pick(random, ["s1", "% or 1=1", "ünï", "s%"]),
    userLabel: () => pick(random, ["u1", "u2", "U1"]),
    q: () =>
      pick(random, [
        "unicorn",
        "the",
        "refund invoice",
        "gpt",
        "gpt-4o",
        "漢",
        "NAÏVE",
        "can't",
        "kelvin",
        "100%",
        "corn",
      ]),
    metric: () =>
      pick(random, [
        [`output.characters:${number(40)}..`],
        [`input.characters:..${number(60)}`],
        [`input.words:3..9`, `output.characters:10..${number(200)}`],
        [`pair.latency:900..`],
        [`output.characters:150..`],
      ]),
    hasAlert: () => pick(random, ["true", "false"]),
    ruleId: () => pick(random, ruleIds),
    order: () => "occurredAt",
  };
  const names = Object.keys(choices);
  const chosen = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(random, names));
  const asked = Object.fromEntries([...new Set(chosen)].map((name) => [name, choices[name]?.() ?? ""]));
  const { from, to } = asked;
  if (from !== undefined && to !== undefined && from >= to) delete asked.to;
  return asked;
}

export function toQuery(asked: Asked, more: Record<string, string> = {}): string {
  const query = new URLSearchParams(more);
  for (const [name, value] of Object.entries(asked)) for (const one of every(value)) query.append(name, one);
  return query.toString();
}
