/** The sidecar inside the process of the stack. */
import type { Sql } from "postgres";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Slot } from "../../../shared/gpu-stats.ts";
import { createLog } from "../../../shared/log.ts";
import type { LocalDatabase } from "../../../supabase/local/database.ts";
import { runInProcess } from "../../../supabase/local/sidecar-in-process.ts";
import { openTestDatabase } from "../../helpers/database.ts";
import { until } from "../../helpers/until.ts";

let database: LocalDatabase;
let sql: Sql;
let lines: string[];
let stop: (() => Promise<void>) | undefined;

beforeEach(async () => {
  database = await openTestDatabase();
  sql = database.connect({ max: 1 });
  lines = [];
});
afterEach(async () => {
  await stop?.();
  stop = undefined;
  await sql.end();
  await database.close();
});

async function start(settings: Record<string, string> = {}): Promise<void> {
  stop = await runInProcess({
    database,
    environment: {
      SUPABASE_URL: "http://127.0.0.1:1",
      SUPABASE_SECRET_KEY: "sb_secret_0123456789abcdefghijklmn",
      SUPABASE_DB_URL: "postgres://embedded",
      GPU_STATS_SECONDS: "1",
      ...settings,
    },
    log: createLog((line) => lines.push(line)),
  });
}

const countWorkers = async () => (await sql`select from parlance.workers`).count;

async function findSlots(): Promise<Slot[] | undefined> {
  const [row] = await sql<{ slots: Slot[] }[]>`select slots from parlance.supervisors`;
  return row?.slots;
}

test("works when it answers, is seen as a sidecar of one slot, and leaves no row", async () => {
  await start({ DEVICES: "cpu" });
  expect(await countWorkers()).toBe(1);
  await until("its slot is seen to run", async () => (await findSlots())?.[0]?.state === "running");
  expect(await findSlots()).toEqual([
    { slot: "cpu", device: "cpu", state: "running", deaths: 0, lastEnd: null },
  ]);
  await stop?.();
  stop = undefined;
  expect(await countWorkers()).toBe(0);
  expect(await findSlots()).toBeUndefined();
});

test.each([
  ["cpu,cpu", "there is one process, so name one"],
  ["cuda:63", "DEVICES names cuda:63, but"],
])("with DEVICES=%s it does not start, and says why", async (devices, reason) => {
  await expect(start({ DEVICES: devices })).rejects.toThrow(reason);
  expect(await countWorkers()).toBe(0);
});

test("whose first worker cannot start fails with its reason, and tries no more", async () => {
  await sql`revoke execute on function parlance.report_worker from parlance_sidecar`;
  await expect(start({ DEVICES: "cpu" })).rejects.toThrow("permission denied");
  expect(await findSlots()).toBeUndefined();
});

test("replaces a worker that cannot go on, as soon as another one can", async () => {
  await start({ DEVICES: "cpu" });
  const [before] = await sql<{ id: string }[]>`select id from parlance.workers`;
  await sql`revoke execute on function parlance.report_worker from parlance_sidecar`;
  await until("it died of it", async () => ((await findSlots())?.[0]?.deaths ?? 0) > 0);
  await sql`grant execute on function parlance.report_worker to parlance_sidecar`;
  await until("another one works", async () => {
    const rows = await sql<{ id: string }[]>`select id from parlance.workers`;
    return rows.some(({ id }) => id !== before?.id);
  });
  await until("it is seen to run", async () => (await findSlots())?.[0]?.state === "running");
  expect(lines.some((line) => line.includes('"event":"worker.broken"'))).toBe(true);
}, 40_000);
