/**
 * `POST /interactions` over HTTP: one by one from several senders, and many at once; by the rules that an account begins with, and by
 * twenty outlier rules more. Each case goes on for some seconds; the client is in the same process.
 */
import type { LoggedInteraction } from "../../../shared/interactions/contract.ts";
import { metricNames } from "../../../shared/interactions/metrics/registry.ts";
import { OutlierMethod } from "../../../shared/interactions/outliers/fence-types.ts";
import type { TestUser } from "../../helpers/app.ts";
import { seededRandom } from "../../helpers/pictures.ts";
import { costBetween } from "../queue/cpu.ts";
import { round } from "../sidecar/measure.ts";
import { drawTexts } from "./prose.ts";
import { type BenchApp, openBenchApp, summarizeTimes } from "./rig.ts";
import type { InteractionsScale } from "./scale.ts";

interface Case {
  readonly senders: number;
  /** Interactions of one request. */
  readonly batch: number;
}

const cases: readonly Case[] = [
  { senders: 1, batch: 1 },
  { senders: 8, batch: 1 },
  { senders: 32, batch: 1 },
  { senders: 1, batch: 100 },
  { senders: 1, batch: 1_000 },
  { senders: 4, batch: 100 },
];
const outlierRules = 20;
/** So many are in the log before: statistics are folded every ten seconds from two thousand on. */
const rowsBefore = 3_000;

export async function measureIngest({ quick }: InteractionsScale) {
  const bench = await openBenchApp();
  const seconds = quick ? 0.6 : 12;
  const rows: object[] = [];
  try {
    const draw = createSource();
    const run = async (user: TestUser, rules: string, one: Case) => {
      rows.push({ rules, ...one, ...(await measureCase(bench, user, { ...one, seconds, draw })) });
    };
    await run(bench.bob, "default, the log is empty", { senders: 1, batch: 1 });
    await fill(bench, draw);
    for (const one of cases) await run(bench.alice, "default", one);
    await addOutlierRules(bench);
    for (const one of cases) await run(bench.alice, `default and ${outlierRules} of outliers`, one);
  } finally {
    await bench.close();
  }
  return {
    settings: {
      secondsOfEach: seconds,
      connections: 4,
      texts: "200 characters in and 800 out in the mean; 3 apps of 2 models",
      rowsBefore,
    },
    tables: { "ingest: POST /interactions": rows },
  };
}

/** Texts are drawn before, and come again after some thousands. */
function createSource() {
  const random = seededRandom(11);
  const texts = Array.from({ length: 4_000 }, () => drawTexts(random));
  let next = 0;
  return () => {
    next += 1;
    return {
      ...texts[next % texts.length],
      app: ["shop", "support", "coach"][next % 3],
      model: ["gpt-4o", "gpt-4o-mini"][next % 2],
      latencyMs: 300 + (next % 977),
      sessionId: `session ${next >> 3}`,
    };
  };
}

type Draw = ReturnType<typeof createSource>;

const drawMany = (draw: Draw, count: number) => ({ items: Array.from({ length: count }, draw) });

async function fill(bench: BenchApp, draw: Draw): Promise<void> {
  for (let done = 0; done < rowsBefore; done += 500) {
    await bench.ask(bench.alice, "POST", "/interactions", drawMany(draw, 500));
  }
}

/** Of metrics that most texts have, by every method, apart for each app and model. */
async function addOutlierRules(bench: BenchApp): Promise<void> {
  const names = [...metricNames.values()].filter((name) => !/urls|e-mails|code|json|cost|tokens/.test(name));
  for (let index = 0; index < outlierRules; index++) {
    const [element, metric] = (names[index % names.length] ?? "").split(".");
    await bench.ask(bench.alice, "POST", "/rules", {
      name: `bench ${index}`,
      element,
      metric,
      condition: { type: "outlier", method: OutlierMethod.options[index % OutlierMethod.options.length] },
      groupBy: ["app", "model"],
    });
  }
}

interface CaseRun extends Case {
  readonly seconds: number;
  readonly draw: Draw;
}

async function measureCase(bench: BenchApp, user: TestUser, { senders, batch, seconds, draw }: CaseRun) {
  const tookMs: number[] = [];
  let fired = 0;
  const before = bench.sampleCpu();
  const endMs = performance.now() + seconds * 1000;
  const send = async () => {
    while (performance.now() < endMs) {
      const body = JSON.stringify(batch === 1 ? draw() : drawMany(draw, batch));
      const answer = await bench.ask(user, "POST", "/interactions", body);
      tookMs.push(answer.tookMs);
      fired += countFired(JSON.parse(answer.text));
    }
  };
  await Promise.all(Array.from({ length: senders }, send));
  const cost = costBetween(before, bench.sampleCpu());
  const interactions = tookMs.length * batch;
  return {
    requests: tookMs.length,
    "interactions/s": Math.round(interactions / cost.seconds),
    ...summarizeTimes(tookMs),
    "alerts of each": round(fired / interactions),
    "client CPU ms": round(cost.clientMs / interactions),
    "Postgres CPU ms": round(cost.postgresMs / interactions),
    foreignCores: round(cost.foreignCores),
  };
}

function countFired(answer: LoggedInteraction | { items: readonly LoggedInteraction[] }): number {
  const items = "items" in answer ? answer.items : [answer];
  return items.reduce((sum, { alerts }) => sum + alerts.length, 0);
}
