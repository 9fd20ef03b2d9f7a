import type { Sql } from "postgres";
import { afterEach, describe, expect, test } from "vitest";
import { houseSchedules } from "../../../edge/tasks.ts";
import { expireKeys } from "../../../shared/jobs/maintenance.ts";
import { until } from "../../helpers/until.ts";
import { createDatabase, type OpenStack, openStack } from "../../http/targets.ts";

const serverUrl = process.env.TEST_DATABASE_URL;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** The house without a sidecar, as a person starts it: over PGlite, or on the server. */
async function open(settings: Record<string, string>): Promise<{ house: OpenStack; sql: Sql }> {
  const database = serverUrl ? await createDatabase(serverUrl) : undefined;
  if (database) closers.push(() => database.drop());
  const house = await openStack(database?.url, { SIDECAR: "false", SAMPLES: "false", ...settings });
  closers.push(() => house.close());
  const sql = house.stack.database.connect({ max: 1 });
  closers.push(() => sql.end());
  return { house, sql };
}

async function post({ stack }: OpenStack, path: string): Promise<Record<string, unknown>> {
  const url = `${stack.publicUrl}/functions/v1/api${path}`;
  const answer = await fetch(url, { method: "POST", headers: { apikey: stack.keys.secretKey } });
  expect(answer.ok).toBe(true);
  return (await answer.json()) as Record<string, unknown>;
}

const addRun = (house: OpenStack) => post(house, `/jobs/schedules/${expireKeys.name}/runs`);

async function listStates(sql: Sql): Promise<string[]> {
  const rows = await sql<{ state: string }[]>`
    select state from parlance.jobs where kind = ${expireKeys.name} order by id
  `;
  return rows.map(({ state }) => state);
}

const areDone = async (sql: Sql, count: number) =>
  (await listStates(sql)).join() === Array(count).fill("done").join();

describe("the house as one process", { timeout: 120_000 }, () => {
  test("runs edge jobs as they are added, and is seen to do so", async () => {
    const { house, sql } = await open({});
    await until("its own schedules have run", () => areDone(sql, 1), { timeoutMs: 60_000 });
    await addRun(house);
    await until("the added one has run", () => areDone(sql, 2), { timeoutMs: 60_000 });
    const isAlive = sql<{ alive: boolean }[]>`select parlance.worker_is_alive(${expireKeys.name}) as alive`;
    expect(await isAlive).toEqual([{ alive: true }]);
    expect(await sql`select runner, kinds from parlance.workers`).toMatchObject([{ runner: "edge" }]);
  });

  test("leaves the clock to a timer outside where it is told to, and runs what requests add all the same", async () => {
    const { house, sql } = await open({ EDGE_RUNNER: "false" });
    const count = houseSchedules.length;
    expect(await post(house, "/jobs/ticks?cpuMs=60000")).toMatchObject({ added: count, done: count });
    expect(await sql`select from parlance.workers`).toHaveLength(0);
    await addRun(house);
    await until("the added one has run", () => areDone(sql, 2), { timeoutMs: 60_000 });
    await sql`update parlance.job_schedules set next_at = now(), due_at = now() where name = ${expireKeys.name}`;
    // What is due every minute may be, too.
    await post(house, "/jobs/ticks");
    await until("the scheduled one has run", () => areDone(sql, 3), { timeoutMs: 60_000 });
  });
});
