/** What is asked of a log of `dataset.ts`: each question otherwise every time, by a seed. */
import type { Sql } from "postgres";
import type { Random } from "../../helpers/pictures.ts";
import { logApps, logModels, wordOf } from "./dataset.ts";

export interface FilledLog {
  readonly ownerId: string;
  readonly beginMs: number;
  readonly endMs: number;
  readonly ruleIds: readonly [common: string, rare: string];
  /** Of `output.characters`: one row of two, and one of ten thousand is longer. */
  readonly lengths: { readonly half: number; readonly rare: number };
  readonly sessions: readonly string[];
  readonly interactionIds: readonly string[];
}

export interface Question {
  readonly what: string;
  /** Parameters, but for the cursor. */
  readonly draw: (random: Random) => Readonly<Record<string, string>>;
  /** Few rows pass: there is no deep page. */
  readonly isNarrow?: boolean;
}

const dayMs = 86_400_000;
const toTime = (timeMs: number) => new Date(timeMs).toISOString();
const pick = <Item>(random: Random, items: readonly Item[]): Item =>
  items[Math.floor(random() * items.length)] as Item;

/** By the vocabulary's order: what so many rows have. */
const words = {
  common: (random: Random) => wordOf(Math.floor(random() * 20)),
  middle: (random: Random) => wordOf(300 + Math.floor(random() * 2_000)),
  rare: (random: Random) => wordOf(100_000 + Math.floor(random() * 100_000)),
};

export function listQuestions(log: FilledLog): Question[] {
  const longer = (length: number) => () => ({ metric: `output.characters:${length}..` });
  return [
    { what: "no filter", draw: () => ({}) },
    { what: "no filter, texts whole", draw: () => ({ texts: "full" }) },
    { what: "a week", draw: (random) => drawTimes(log, random, 7) },
    { what: "app", draw: (random) => ({ app: pick(random, logApps) }) },
    { what: "model", draw: (random) => ({ model: pick(random, logModels) }) },
    { what: "tag, half of the rows", draw: () => ({ tag: "chat" }) },
    { what: "tag, one of 20", draw: () => ({ tag: "beta" }) },
    { what: "tag, one of 20,000", draw: () => ({ tag: "incident-17" }) },
    { what: "session", draw: (random) => ({ sessionId: pick(random, log.sessions) }), isNarrow: true },
    { what: "person", draw: (random) => ({ userLabel: `user-${Math.floor(20_000 ** random())}` }) },
    { what: "word, most rows", draw: (random) => ({ q: words.common(random) }) },
    { what: "word, one of 100", draw: (random) => ({ q: words.middle(random) }) },
    { what: "word, one of 10,000", draw: (random) => ({ q: words.rare(random) }) },
    { what: "word, in no row", draw: (random) => ({ q: `zzz${Math.floor(random() * 1e9)}` }) },
    { what: "two words", draw: (random) => ({ q: `${words.middle(random)} ${words.middle(random)}` }) },
    { what: "metric, half of the rows", draw: longer(log.lengths.half) },
    { what: "metric, one of 10,000", draw: longer(log.lengths.rare) },
    { what: "has an alert", draw: () => ({ hasAlert: "true" }) },
    { what: "has none", draw: () => ({ hasAlert: "false" }) },
    { what: "a rule that rarely fired", draw: () => ({ ruleId: log.ruleIds[1] }) },
    {
      what: "app, tag, word and metric in a month",
      draw: (random) => ({
        ...drawTimes(log, random, 30),
        app: pick(random, logApps),
        tag: "chat",
        q: words.middle(random),
        metric: `output.characters:${log.lengths.half}..`,
      }),
    },
  ];
}

function drawTimes({ beginMs, endMs }: FilledLog, random: Random, days: number) {
  const from = beginMs + random() * Math.max(0, endMs - beginMs - days * dayMs);
  return { from: toTime(from), to: toTime(from + days * dayMs) };
}

/** Metrics of which most rows of the log have a value. */
const chartMetrics = ["input.characters", "output.characters", "input.words", "output.words", "pair.latency"];

export function listCharts({ endMs }: FilledLog): Question[] {
  const spans = [
    { what: "a month by hour", bucket: "hour", days: 30 },
    { what: "a year by day", bucket: "day", days: 365 },
    { what: "a year by week", bucket: "week", days: 365 },
  ];
  return spans.flatMap(({ what, bucket, days }) =>
    ["none", "app"].map((groupBy) => ({
      what: groupBy === "none" ? what : `${what}, each ${groupBy}`,
      draw: (random: Random) => ({
        metric: pick(random, chartMetrics),
        bucket,
        groupBy,
        from: toTime(endMs - days * dayMs),
        to: toTime(endMs),
      }),
    })),
  );
}

export function listAlertQuestions(log: FilledLog): Question[] {
  return [
    { what: "no filter", draw: () => ({}) },
    { what: "resolved", draw: () => ({ state: "resolved" }) },
    { what: "rule", draw: (random) => ({ ruleId: pick(random, log.ruleIds) }) },
    { what: "interaction", draw: (random) => ({ interactionId: pick(random, log.interactionIds) }) },
  ];
}

/** What the questions need to know of the log. */
export async function describeLog(
  sql: Sql,
  log: Pick<FilledLog, "ownerId" | "beginMs" | "endMs" | "ruleIds"> & { readonly lengthNumber: number },
): Promise<FilledLog> {
  const { ownerId, beginMs, endMs, ruleIds, lengthNumber } = log;
  const [lengths] = await sql<{ half: number; rare: number }[]>`
    select
      percentile_disc(0.5) within group (order by metric_values[${lengthNumber}::integer]) as half,
      percentile_disc(0.9999) within group (order by metric_values[${lengthNumber}::integer]) as rare
    from parlance.interactions
  `;
  const some = await sql<{ id: string; sessionId: string }[]>`
    select id, session_id
    from parlance.interactions tablesample bernoulli (${100 * Math.min(1, 2_000 / (await countRows(sql)))}::float4)
    where session_id is not null
  `;
  return {
    ownerId,
    beginMs,
    endMs,
    ruleIds,
    lengths: lengths ?? { half: 0, rare: 0 },
    sessions: some.map(({ sessionId }) => sessionId),
    interactionIds: some.map(({ id }) => id),
  };
}

async function countRows(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*) as count from parlance.interactions`;
  return row?.count ?? 1;
}
