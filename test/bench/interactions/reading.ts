/**
 * What is read of a log of a million over a year, over HTTP, one request after another: lists with every kind of filter, from the newest
 * on and from somewhere within, charts and alerts.
 *
 * A page of a list looks at a bounded number of rows and may have few or none. So it is also told how many pages it takes until fifty
 * were found or the log ends, and how long all of them take.
 */
import { encodeCursor } from "../../../edge/http/cursors.ts";
import { formatMs } from "../../../edge/interactions/log/keys.ts";
import { foldBatches } from "../../../edge/interactions/statistics/fold.ts";
import { createId } from "../../../shared/ids.ts";
import { findMetricNumber } from "../../../shared/interactions/metrics/registry.ts";
import { type Random, seededRandom } from "../../helpers/pictures.ts";
import type { InteractionsScale } from "../interactions.ts";
import { costBetween } from "../queue/cpu.ts";
import { median, round } from "../sidecar/measure.ts";
import { fillLog } from "./dataset.ts";
import {
  describeLog,
  type FilledLog,
  listAlertQuestions,
  listCharts,
  listQuestions,
  type Question,
} from "./questions.ts";
import { type BenchApp, openBenchApp, summarizeTimes, timeSeconds } from "./rig.ts";

const days = 365;

export async function measureReading({ quick, logRows }: InteractionsScale) {
  const bench = await openBenchApp();
  try {
    const { log, settings } = await prepareLog(bench, logRows);
    const asked = { bench, log, count: quick ? 8 : 200, walks: quick ? 1 : 20 };
    const lists: object[] = [];
    for (const question of listQuestions(log)) lists.push(await measureList(asked, question));
    const charts: object[] = [];
    for (const question of listCharts(log))
      charts.push(await measureOther(asked, "/interactions/series", question));
    const alerts: object[] = [];
    for (const question of listAlertQuestions(log))
      alerts.push(await measureOther(asked, "/alerts", question));
    return {
      settings: { ...settings, requestsOfEach: asked.count, limit: 50, walks: asked.walks, connections: 4 },
      tables: {
        "reading: GET /interactions": lists,
        "reading: GET /interactions/series": charts,
        "reading: GET /alerts": alerts,
      },
    };
  } finally {
    await bench.close();
  }
}

async function prepareLog(bench: BenchApp, rows: number) {
  const { sql, alice } = bench;
  const endMs = Date.now();
  let ruleIds: [string, string] = ["", ""];
  const fillSeconds = await timeSeconds(async () => {
    ({ ruleIds } = await fillLog(sql, { ownerId: alice.id, rows, days, endMs }));
  });
  const foldSeconds = await timeSeconds(() => foldEverything(bench));
  await vacuum(bench);
  const lengthNumber = findMetricNumber("output.characters") ?? 1;
  const beginMs = endMs - days * 86_400_000;
  const log = await describeLog(sql, { ownerId: alice.id, beginMs, endMs, ruleIds, lengthNumber });
  const [sizes] = await sql<object[]>`
    select
      pg_size_pretty(pg_total_relation_size('parlance.interactions')) as interactions,
      pg_size_pretty(pg_total_relation_size('parlance.interaction_batches')) as batches,
      pg_size_pretty(pg_total_relation_size('parlance.interaction_hours')) as hours,
      current_setting('shared_buffers') as shared_buffers
  `;
  const settings = {
    rows,
    days,
    fillSeconds: round(fillSeconds, 1),
    "folded a second": Math.round(rows / foldSeconds),
    ...sizes,
  };
  return { log, settings };
}

async function foldEverything({ sql, alice }: BenchApp): Promise<void> {
  while ((await foldBatches(sql, alice.id, { rowsMax: 4_000 })).batches > 0);
}

/** As autovacuum would, before the clock runs and not beside it. */
async function vacuum({ database }: BenchApp): Promise<void> {
  const sql = database.connect({ role: database.superuser, max: 1 });
  for (const table of ["interactions", "interaction_batches", "interaction_hours", "alert_firings"]) {
    await sql.unsafe(`vacuum analyze parlance.${table}`);
  }
  await sql.end();
}

interface Asked {
  readonly bench: BenchApp;
  readonly log: FilledLog;
  readonly count: number;
  readonly walks: number;
}

interface Page {
  readonly items: readonly unknown[];
  readonly nextCursor: string | null;
}

const toPath = (path: string, parameters: Readonly<Record<string, string>>) =>
  `${path}?${new URLSearchParams(parameters)}`;

async function measureList(asked: Asked, question: Question): Promise<object> {
  const random = seededRandom(7);
  const first = await askMany(asked, () => toPath("/interactions", question.draw(random)));
  const deep = question.isNarrow
    ? undefined
    : await askMany(asked, () =>
        toPath("/interactions", { ...question.draw(random), cursor: drawPlace(asked.log, random) }),
      );
  return {
    filter: question.what,
    p50Ms: first.p50Ms,
    p99Ms: first.p99Ms,
    "deep p50": deep?.p50Ms ?? null,
    "deep p99": deep?.p99Ms ?? null,
    items: median(first.pages.map(({ items }) => items.length)),
    ...(await walkPages(asked, question, random)),
    "client CPU ms": first.clientMs,
    "Postgres CPU ms": first.postgresMs,
  };
}

/** Somewhere between a tenth and nine tenths of the log. */
function drawPlace({ beginMs, endMs }: FilledLog, random: Random): string {
  const timeMs = Math.floor(endMs - (0.1 + 0.8 * random()) * (endMs - beginMs));
  return encodeCursor({ occurredAt: formatMs(timeMs), id: createId(timeMs) });
}

async function askMany({ bench, count }: Asked, drawPath: () => string) {
  // Once unmeasured: connections, plans.
  await bench.ask(bench.alice, "GET", drawPath());
  const tookMs: number[] = [];
  const texts: string[] = [];
  const before = bench.sampleCpu();
  for (let request = 0; request < count; request++) {
    const answer = await bench.ask(bench.alice, "GET", drawPath());
    tookMs.push(answer.tookMs);
    texts.push(answer.text);
  }
  const cost = costBetween(before, bench.sampleCpu());
  return {
    ...summarizeTimes(tookMs),
    pages: texts.map((text): Page => JSON.parse(text)),
    clientMs: round(cost.clientMs / count, 1),
    postgresMs: round(cost.postgresMs / count, 1),
  };
}

const found = 50;
const pagesMax = 500;

/** Until as many were found as a page may have, or the log ends. */
async function walkPages({ bench, walks }: Asked, { draw }: Question, random: Random) {
  const pages: number[] = [];
  const tookMs: number[] = [];
  for (let walk = 0; walk < walks; walk++) {
    const parameters = draw(random);
    let [cursor, items, asked]: [string | null, number, number] = [null, 0, 0];
    const seconds = await timeSeconds(async () => {
      do {
        const path = toPath("/interactions", { ...parameters, ...(cursor ? { cursor } : {}) });
        const page: Page = JSON.parse((await bench.ask(bench.alice, "GET", path)).text);
        items += page.items.length;
        cursor = page.nextCursor;
        asked += 1;
      } while (items < found && cursor !== null && asked < pagesMax);
    });
    pages.push(asked);
    tookMs.push(seconds * 1000);
  }
  return {
    "pages for 50": round(pages.reduce((sum, one) => sum + one, 0) / walks, 1),
    "ms for 50": round(median(tookMs), 1),
  };
}

async function measureOther(asked: Asked, path: string, question: Question): Promise<object> {
  const random = seededRandom(7);
  const { p50Ms, p99Ms, clientMs, postgresMs } = await askMany(asked, () =>
    toPath(path, question.draw(random)),
  );
  return { what: question.what, p50Ms, p99Ms, "client CPU ms": clientMs, "Postgres CPU ms": postgresMs };
}
