/**
 * The process that asks for work. A call that met an error may have been heard or not: it looks for its jobs and asks
 * again for what is not there, or asks for jobs of its own ids again, so that in the end it owns each of them once. What was accepted it writes down in a
 * file: the database is not asked what it took.
 */
import "./clock.ts";
import { appendFileSync } from "node:fs";
import postgres from "postgres";
import { databaseOptions, isTransientDatabaseError } from "../../../shared/database.ts";
import { addJob, addJobs, cancelJob, type NewJob } from "../../../shared/jobs/queue.ts";
import { chaosKinds, getKind, type Payload } from "./kinds.ts";
import { type Call, type Order, ownersMax, planCalls } from "./plan.ts";
import { type Accepted, ownerIds } from "./record.ts";

const { DATABASE_URL = "", SEED = "1", JOBS = "100", ARRIVE_MS = "0", RECORD = "" } = process.env;
const lanes = 4;

const sql = postgres(DATABASE_URL, { ...databaseOptions, max: lanes + 1 });
const plan = planCalls(Number(SEED), Number(JOBS));
const owners = ownerIds.slice(0, ownersMax - 1);
const startedAtMs = performance.now();
const cancels: Promise<void>[] = [];
let unclear = 0;

const sleep = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs));
const say = (event: string, details: object = {}) =>
  process.stderr.write(`${JSON.stringify({ event, ...details })}\n`);

function write(accepted: Accepted): void {
  appendFileSync(RECORD, `${JSON.stringify(accepted)}\n`);
}

function describe(call: Call, order: Order): NewJob<Payload> {
  return {
    payload: { order: order.number, workMs: order.workMs },
    ownerId: owners[call.owner - 1] ?? null,
    subjectId: order.subjectId,
    ...(order.isNamed ? { id: order.subjectId } : {}),
    delaySeconds: order.delaySeconds,
    ...(order.uniqueKey === undefined ? {} : { uniqueKey: order.uniqueKey }),
  };
}

/** The ids of its jobs, once the database said that it has them. */
async function submit(call: Call): Promise<string[]> {
  const [first] = call.orders;
  if (!first) return [];
  const kind = getKind(first.kind);
  if (call.way === "many") {
    return addJobs(
      sql,
      kind,
      call.orders.map((order) => describe(call, order)),
    );
  }
  if (call.way !== "with a row") return [await addJob(sql, kind, describe(call, first))];
  return sql.begin(async (transaction) => {
    const ids: string[] = [];
    for (const order of call.orders) {
      await transaction`insert into chaos.orders (number) values (${order.number})`;
      ids.push(await addJob(transaction, getKind(order.kind), describe(call, order)));
    }
    return ids;
  }) as Promise<string[]>;
}

/** What became of a call whose answer was not heard: all of it or nothing. */
async function recall(call: Call): Promise<string[] | undefined> {
  const rows = await sql<{ id: string; subjectId: string }[]>`
    select id, subject_id from parlance.jobs where subject_id = any (${call.orders.map((order) => order.subjectId)}::uuid[])
  `;
  if (rows.length === 0) return undefined;
  if (rows.length !== call.orders.length) say("torn", { call, found: rows });
  return call.orders.flatMap((order) => rows.find((row) => row.subjectId === order.subjectId)?.id ?? []);
}

/** Tries until the database has answered. */
async function insist<T>(ask: (isFirst: boolean) => Promise<T>): Promise<T> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await ask(isFirst);
    } catch (error) {
      if (!isTransientDatabaseError(error)) throw error;
      unclear += 1;
      await sleep(20 + Math.random() * 100);
    }
  }
}

async function place(call: Call): Promise<void> {
  const mayRepeat = call.orders.every((order) => order.isNamed);
  const ids = await insist(
    async (isFirst) => (isFirst || mayRepeat ? undefined : await recall(call)) ?? (await submit(call)),
  );
  for (const [index, order] of call.orders.entries()) {
    const id = ids[index];
    if (id === undefined) continue;
    write({ id, order: order.number, way: call.way });
    if (order.cancelAfterMs !== undefined) cancels.push(cancel(call, order, id));
  }
}

async function cancel(call: Call, order: Order, id: string): Promise<void> {
  await sleep(order.cancelAfterMs ?? 0);
  const ownerId = owners[call.owner - 1] ?? null;
  const job = { id, kind: order.kind, ownerId, subjectId: order.subjectId };
  await insist(() => sql.begin((transaction) => cancelJob(transaction, chaosKinds, job)));
}

const queue = plan.calls.entries();

/** Each call at its time, or as soon as the database has answered those before. */
async function walkLane(): Promise<void> {
  for (const [index, call] of queue) {
    const dueMs = (index / plan.calls.length) * Number(ARRIVE_MS);
    await sleep(Math.max(0, dueMs - (performance.now() - startedAtMs)));
    await place(call);
  }
}

// Whoever started it may be killed.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(1), 1_000).unref();
await Promise.all(Array.from({ length: lanes }, walkLane));
await Promise.all(cancels);
await sql.end({ timeout: 5 });
say("finished", { unclear });
process.exit(0);
