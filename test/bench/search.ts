/**
 * Nearest pictures among many on Postgres 17: recall against comparing everything, the hits that come back, and times;
 * as role `authenticated` under the real policies, through the statements of the app.
 *
 * `--rows 1000000` asks another number than 100,000.
 */
import { readFileSync } from "node:fs";
import type { Sql } from "postgres";
import { findNearest, type Nearest } from "../../edge/images/search.ts";
import { type Caller, transactAs } from "../../shared/callers.ts";
import type { SearchFilters } from "../../shared/images/contract.ts";
import { openTestDatabase } from "../helpers/database.ts";
import { createSource, fewPictures, loadSet, owners, type SetOptions } from "./search-set.ts";

const dimensions = 512;
const index = { m: 16, efConstruction: 64, maintenanceWorkMem: "4GB", parallelWorkers: 2 };
const limit = 10;

interface Question {
  readonly what: string;
  readonly ownerId: string;
  readonly filters: SearchFilters;
}

const questions: readonly Question[] = [
  { what: "no filter", ownerId: owners.many, filters: {} },
  { what: "filter keeps 10 %", ownerId: owners.many, filters: { colours: ["red"] } },
  { what: "filter keeps 10 %, all near each other", ownerId: owners.many, filters: { colours: ["blue"] } },
  { what: "filter keeps 1 %", ownerId: owners.many, filters: { camera: "rare 1" } },
  { what: `an owner of ${fewPictures}`, ownerId: owners.few, filters: {} },
];

export async function benchSearch({ quick, rows }: { quick: boolean; rows?: number | undefined }) {
  if (!process.env.TEST_DATABASE_URL) {
    const why = "needs a Postgres 17 with pgvector: set TEST_DATABASE_URL to the URL of a superuser";
    return { rows: [{ "not run": why }] };
  }
  const set: SetOptions = {
    rows: rows ?? (quick ? 10_000 : 100_000),
    dimensions,
    intrinsic: 24,
    noise: 0.1,
    seed: 1,
  };
  const database = await openTestDatabase();
  const sql = database.connect({ max: 1 });
  try {
    const { spaceId, ...made } = await build(sql, set);
    // Comparing a million for each takes a second.
    const asked = drawQueries(set, quick ? 50 : set.rows > 200_000 ? 100 : 500);
    const measured = [];
    for (const question of questions) measured.push(await measure(sql, spaceId, question, asked));
    return { settings: { ...set, queries: asked.length, ...index, ...made }, rows: measured };
  } finally {
    await sql.end();
    await database.close();
  }
}

/** Rows first, then the index, which is faster than the other way round. */
async function build(sql: Sql, set: SetOptions) {
  const [space] = await sql<{ id: number }[]>`
    select parlance.create_embedding_space('bench', 'palette', 'built-in', ${dimensions}) as id
  `;
  const spaceId = space?.id ?? 0;
  const partition = `parlance.image_vectors_${spaceId}`;
  await sql.unsafe(`drop index ${partition}_nearest`);
  const loadSeconds = await seconds(() => loadSet(sql, set, spaceId));
  await sql.unsafe(`set maintenance_work_mem = '${index.maintenanceWorkMem}'`);
  await sql.unsafe(`set max_parallel_maintenance_workers = ${index.parallelWorkers}`);
  const indexSeconds = await seconds(() =>
    sql.unsafe(`
      create index image_vectors_${spaceId}_nearest on ${partition}
      using hnsw ((embedding::extensions.vector(${dimensions})) extensions.vector_ip_ops)
      with (m = ${index.m}, ef_construction = ${index.efConstruction})
    `),
  );
  await sql.unsafe("reset maintenance_work_mem");
  for (const table of ["parlance.images", partition]) await sql.unsafe(`vacuum analyze ${table}`);
  return { spaceId, loadSeconds, indexSeconds, indexSize: await sizeOf(sql, `${partition}_nearest`) };
}

async function sizeOf(sql: Sql, relation: string): Promise<string> {
  const [row] = await sql<{ size: string }[]>`select pg_size_pretty(pg_relation_size(${relation})) as size`;
  return row?.size ?? "";
}

/** From the same source as the pictures, after all of them: none of them is one. */
function drawQueries(set: SetOptions, count: number): string[] {
  const draw = createSource(set);
  for (let row = 0; row < set.rows; row++) draw();
  return Array.from({ length: count }, () => `[${draw().vector.join(",")}]`);
}

async function measure(
  sql: Sql,
  spaceId: number,
  question: Question,
  asked: readonly string[],
): Promise<object> {
  const ask = (embedding: string, isExact: boolean) =>
    search(sql, spaceId, { ...question, embedding, isExact });
  const truths: ReadonlySet<string>[] = [];
  for (const embedding of asked) truths.push(idsOf(await ask(embedding, true)));
  for (const embedding of asked.slice(0, 50)) await ask(embedding, false);
  const backend = await findBackend(sql);
  const tookMs: number[] = [];
  const cpuMs: number[] = [];
  const answers: Nearest[] = [];
  for (const embedding of asked) {
    const [askedAtMs, usedMs] = [performance.now(), cpuOf(backend)];
    answers.push(await ask(embedding, false));
    tookMs.push(performance.now() - askedAtMs);
    cpuMs.push(cpuOf(backend) - usedMs);
  }
  return {
    what: question.what,
    "recall@10": round(mean(answers.map((answer, at) => recallOf(answer, truths[at] ?? new Set()))), 4),
    "least hits": Math.min(...answers.map(({ hits }) => hits.length)),
    p50Ms: round(quantile(tookMs, 0.5), 1),
    p99Ms: round(quantile(tookMs, 0.99), 1),
    "p50 CPU": round(quantile(cpuMs, 0.5), 1),
    "p99 CPU": round(quantile(cpuMs, 0.99), 1),
    "by the index": `${Math.round(100 * mean(answers.map(({ path }) => (path === "index" ? 1 : 0))))} %`,
  };
}

/** One whole transaction, as a request makes it. */
function search(
  sql: Sql,
  spaceId: number,
  asked: Question & { embedding: string; isExact: boolean },
): Promise<Nearest> {
  const { ownerId, filters, embedding, isExact } = asked;
  const caller: Caller = { role: "authenticated", claims: { role: "authenticated", sub: ownerId } };
  return transactAs(sql, caller, (transaction) =>
    findNearest(transaction, {
      space: { id: spaceId, dimensions },
      embedding,
      scope: { kind: "own", ownerId },
      filters,
      after: undefined,
      limit,
      isExact,
    }),
  );
}

const idsOf = ({ hits }: Nearest) => new Set(hits.map((hit) => hit.id));

function recallOf({ hits }: Nearest, truth: ReadonlySet<string>): number {
  return hits.filter((hit) => truth.has(hit.id)).length / Math.max(1, truth.size);
}

async function findBackend(sql: Sql): Promise<number> {
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return row?.pid ?? 0;
}

/** Milliseconds of the processor that a process has used, where Linux tells: other work on the machine does not count. */
function cpuOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  } catch {
    return Number.NaN;
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return round((performance.now() - startedAtMs) / 1000, 1);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const quantile = (values: readonly number[], share: number) =>
  values.toSorted((one, other) => one - other)[
    Math.min(values.length - 1, Math.floor(share * values.length))
  ] ?? 0;
const round = (value: number, digits: number) => Number(value.toFixed(digits));
