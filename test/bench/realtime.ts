import { type LocalDatabase, openPglite } from "../../supabase/local/database.ts";
import { openTestDatabase } from "../helpers/database.ts";
import { pgliteTemplate } from "../helpers/template.ts";
import { connectClient, type Listener, listen } from "../supabase/local/realtime/clients.ts";
import { openStandIn, type StandIn } from "../supabase/local/realtime/stand-in.ts";

/**
 * From `realtime.send` in SQL to the callback of supabase-js, on a private channel. The clock starts before the
 * statement is sent, so the time of the insert and of the commit is in every figure: an upper bound of what passes
 * after the commit. Server and client share one process, as in the embedded mode.
 */
export interface RealtimeBenchRow {
  database: LocalDatabase["kind"];
  pattern: string;
  events: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  eventsPerSecond: number;
}

interface Pattern {
  name: string;
  /** Starts the events and answers when each of them began. */
  send(standIn: StandIn, listener: Listener, topic: string, events: number): Promise<number[]>;
}

const patterns: Pattern[] = [
  { name: "one after the other", send: sendOneByOne },
  { name: "200 a second", send: sendSteadily },
  { name: "one transaction commits all", send: sendAtOnce },
];
const steadyIntervalMs = 5;
const warmUpEvents = 50;

/** PGlite always; Postgres as well where TEST_DATABASE_URL names one. */
export async function benchRealtime({ quick = false } = {}): Promise<{ rows: RealtimeBenchRow[] }> {
  const events = quick ? 200 : 1_000;
  const rows: RealtimeBenchRow[] = [];
  for (const open of [openBarePglite, ...(process.env.TEST_DATABASE_URL ? [openTestDatabase] : [])]) {
    const standIn = await openStandIn({ database: await open({ migrate: false }) });
    try {
      for (const pattern of patterns) rows.push(await measure(standIn, pattern, events));
    } finally {
      await standIn.close();
    }
  }
  return { rows };
}

async function openBarePglite(): Promise<LocalDatabase> {
  return openPglite({ template: await pgliteTemplate({ migrate: false }) });
}

async function measure(standIn: StandIn, pattern: Pattern, events: number): Promise<RealtimeBenchRow> {
  const user = crypto.randomUUID();
  const topic = `user:${user}`;
  const client = connectClient(standIn.url, standIn.keys.publishableKey, () => standIn.signToken(user));
  const listener = await listen(client, topic, { private: true });
  await sendOneByOne(standIn, listener, topic, warmUpEvents);
  await listener.heard(warmUpEvents);

  const heardMs: number[] = [];
  listener.channel.on("broadcast", { event: "*" }, () => heardMs.push(performance.now()));
  const startedMs = await pattern.send(standIn, listener, topic, events);
  await listener.heard(warmUpEvents + events);
  await client.removeAllChannels();

  const delays = startedMs.map((ms, index) => (heardMs[index] ?? Number.NaN) - ms).sort((a, b) => a - b);
  const tookMs = (heardMs.at(-1) ?? 0) - (startedMs[0] ?? 0);
  return {
    database: standIn.database.kind,
    pattern: pattern.name,
    events,
    p50Ms: quantile(delays, 0.5),
    p99Ms: quantile(delays, 0.99),
    maxMs: quantile(delays, 1),
    eventsPerSecond: Math.round(events / (tookMs / 1000)),
  };
}

async function sendOneByOne(standIn: StandIn, listener: Listener, topic: string, events: number) {
  const startedMs: number[] = [];
  const before = listener.received.length;
  for (let index = 1; index <= events; index += 1) {
    startedMs.push(performance.now());
    await sendEvent(standIn, topic, index);
    await listener.heard(before + index);
  }
  return startedMs;
}

/** Does not wait for what it sent: a slow event does not slow down the next. */
async function sendSteadily(standIn: StandIn, _listener: Listener, topic: string, events: number) {
  const startedMs: number[] = [];
  const sent: Promise<unknown>[] = [];
  for (let index = 1; index <= events; index += 1) {
    startedMs.push(performance.now());
    sent.push(sendEvent(standIn, topic, index));
    await Bun.sleep(steadyIntervalMs);
  }
  await Promise.all(sent);
  return startedMs;
}

/** The clock starts when everything is written and the commit is about to be sent. */
async function sendAtOnce(standIn: StandIn, _listener: Listener, topic: string, events: number) {
  const startedMs = await standIn.owner.begin(async (transaction) => {
    await transaction`
      select realtime.send(jsonb_build_object('step', step), 'progress', ${topic})
      from generate_series(1, ${events}) as step
    `;
    return performance.now();
  });
  return Array.from({ length: events }, () => startedMs);
}

/** A progress event of a job, about as long as ours. */
async function sendEvent(standIn: StandIn, topic: string, step: number): Promise<void> {
  const payload = {
    event: "job.progressed",
    jobId: crypto.randomUUID(),
    done: step,
    total: 1_000,
    message: "",
  };
  await standIn.owner`select realtime.send(${standIn.owner.json(payload)}, 'progress', ${topic})`;
}

function quantile(sorted: readonly number[], part: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
  return Math.round(value * 100) / 100;
}
