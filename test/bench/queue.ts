/**
 * `bun run bench queue`: job queues over the same Postgres, side by side, in turns. Each has a fresh database and a
 * process of its own; each job is handled once and ended in the database, or the table of verdicts says so.
 *
 * Options: `--jobs COUNT` a run, `--handlers 1,16,64`, `--rounds COUNT`, `--only ours,graphile`, `--runtime bun|node`.
 */
import { loadavg } from "node:os";
import { openField } from "./queue/field.ts";
import { versions } from "./queue/installing.ts";
import type { QueueOptions } from "./queue/options.ts";
import { measureEnqueues, measurePickups } from "./queue/pickup.ts";
import {
  tabulateCosts,
  tabulateEnqueues,
  tabulatePickups,
  tabulateRates,
  tabulateShapes,
  tabulateVerdicts,
} from "./queue/report.ts";
import { measureThroughput, type Outcome } from "./queue/throughput.ts";
import { median, round } from "./sidecar/measure.ts";

export async function benchQueue({ quick, queue }: { quick: boolean; queue: QueueOptions }) {
  const url = process.env.TEST_DATABASE_URL;
  if (!url) return { rows: [{ what: "not run", why: "TEST_DATABASE_URL names no Postgres 17" }] };
  const loadAtStart = loadavg()[0];
  const field = await openField(url, queue.runtimes);
  try {
    const pickups = await measurePickups(field, queue, quick ? 30 : 300);
    const enqueues = await measureEnqueues(field, queue, {
      ones: quick ? 300 : 2_000,
      bulk: quick ? 5_000 : 50_000,
    });
    const outcomes = await measureThroughput(field, queue, quick);
    const settings = {
      ...versions,
      ...field.settings,
      rounds: queue.rounds,
      runtimes: field.runtimes.join(", "),
      "1 ms of work took, ms": measureWork(outcomes),
      loadAtStart,
      loadAtEnd: loadavg()[0],
    };
    return {
      settings,
      tables: {
        "jobs a second, by work and handlers: median (least–most)": tabulateRates(outcomes),
        "seconds of processors for 1,000 jobs: client + Postgres": tabulateCosts(outcomes),
        "ran with": tabulateShapes(outcomes),
        "handled once and acknowledged": tabulateVerdicts(outcomes),
        "pickup when nothing runs": tabulatePickups(pickups),
        "jobs added a second": tabulateEnqueues(enqueues),
      },
    };
  } finally {
    await field.close();
  }
}

function measureWork(outcomes: readonly Outcome[]): number {
  const took = outcomes.flatMap(({ workMs, results }) =>
    workMs === 1 ? results.map(({ workMeanMs }) => workMeanMs) : [],
  );
  return round(median(took), 2);
}
