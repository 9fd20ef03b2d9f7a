/**
 * What is read of a log of a million over a year, over HTTP, one request after another: lists with every kind of filter, from the newest
 * on and from somewhere within, charts and alerts.
 *
 * A page of a list looks at a bounded number of rows and may have few or none. So it is also told how many pages it takes until fifty
 * were found or the log ends, and how long all of them take.
 */
import { encodeCursor } from "../../../edge/http/cursors.ts";
import { formatMs } from "../../../edge/interactions/log/keys.ts";
import { createId } from "../../../shared/ids.ts";
import { type Random, seededRandom } from "../../helpers/pictures.ts";
import { costBetween } from "../queue/cpu.ts";
import { median, round } from "../sidecar/measure.ts";
import { prepareLog } from "./filled-log.ts";
import { type FilledLog, listAlertQuestions, listCharts, listQuestions, type Question } from "./questions.ts";
import { type BenchApp, openBenchApp, summarizeTimes, timeSeconds } from "./rig.ts";
import type { InteractionsScale } from "./scale.ts";

export async function measureReading({ quick, logRows }: InteractionsScale) {
  const bench = await openBenchApp();
  try {
    const { log, settings } = await prepareLog(bench, logRows);
    const asked = { bench, log, count: quick ? 8 : 200, walks: quick ? 1 : 20 };
    return {
      settings: { ...settings, requestsOfEach: asked.count, limit: 50, walks: asked.walks, connections: 4 },
      tables: await measureLog(asked),
    };
  } finally {
    await bench.close();
  }
}

export async function measureLog(asked: Asked): Promise<Record<string, object[]>> {
  const [lists, charts, alerts]: [object[], object[], object[]] = [[], [], []];
  for (const question of listQuestions(asked.log)) lists.push(await measureList(asked, question));
  for (const question of listCharts(asked.log)) {
    charts.push(await measureOther(asked, "/interactions/series", question));
  }
  for (const question of listAlertQuestions(asked.log)) {
    alerts.push(await measureOther(asked, "/alerts", question));
  }
  return {
    "reading: GET /interactions": lists,
    "reading: GET /interactions/series": charts,
    "reading: GET /alerts": alerts,
  };
}

export interface Asked {
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
    : await askMany(asked, () => {
        const parameters = question.draw(random);
        return toPath("/interactions", { ...parameters, cursor: drawPlace(asked.log, parameters, random) });
      });
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

/** Somewhere between a tenth and nine tenths of the time that is asked for. */
function drawPlace(log: FilledLog, { from, to }: Readonly<Record<string, string>>, random: Random): string {
  const [beginMs, endMs] = [from ? Date.parse(from) : log.beginMs, to ? Date.parse(to) : log.endMs];
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
