/** What a sidecar tells the database of itself, and what it does when it cannot. */
import type { Sql } from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Gauge } from "../../../gpu-sidecar/devices/gauge.ts";
import { type Reports, type ReportsOptions, startReports } from "../../../gpu-sidecar/devices/reports.ts";
import type { GpuReading, Slot } from "../../../shared/gpu-stats.ts";
import { createLog } from "../../../shared/log.ts";
import type { LocalDatabase } from "../../../supabase/local/database.ts";
import { openTestDatabase } from "../../helpers/database.ts";
import { until } from "../../helpers/until.ts";

let database: LocalDatabase;
let sql: Sql;
let sidecar: Sql;
beforeAll(async () => {
  database = await openTestDatabase();
  sql = database.connect({ max: 1 });
  sidecar = database.connect({ role: "parlance_sidecar", max: 1 });
});
afterAll(async () => {
  await sidecar.end();
  await sql.end();
  await database.close();
});

let reports: Reports | undefined;
let lines: Record<string, unknown>[];
beforeEach(async () => {
  lines = [];
  await sql`delete from parlance.gpu_devices`;
  await sql`delete from parlance.supervisors`;
});
afterEach(async () => {
  await reports?.stop();
  reports = undefined;
});

const card: GpuReading = {
  index: 0,
  uuid: "GPU-5d1a",
  name: "NVIDIA H200",
  driver: "580.95.05",
  memoryTotalBytes: 150_754_820_096,
  memoryUsedBytes: 6_442_450_944,
  gpuPercent: 87,
  memoryPercent: null,
  temperatureCelsius: 64,
  powerWatts: 412.5,
};
const slot: Slot = { slot: "cuda:0", device: "cuda:0", state: "running", deaths: 0, lastEnd: null };

function gaugeOf(read: () => readonly GpuReading[]): Gauge {
  return { source: "nvml", note: "a library", read, close: () => {} };
}

/** Reports when it is started, and then when it is asked to. */
function start(options: Partial<ReportsOptions> = {}): Reports {
  reports = startReports({
    sql: sidecar,
    gauge: gaugeOf(() => [card]),
    slots: () => [slot],
    deviceNote: "a reason",
    everyMs: 3_600_000,
    log: createLog((line) => lines.push(JSON.parse(line))),
    host: "one",
    ...options,
  });
  return reports;
}

test("every value of a card and of the slots arrives as it was read", async () => {
  const { id } = start();
  await reports?.report();
  const [device] = await sql`select * from parlance.gpu_devices`;
  const { lastSeenAt: _, ...values } = device ?? {};
  expect(values).toEqual({ host: "one", ...card });
  const [row] =
    await sql`select id, host, gpu_source, gpu_note, device_note, slots from parlance.supervisors`;
  expect(row).toEqual({
    id,
    host: "one",
    gpuSource: "nvml",
    gpuNote: "a library",
    deviceNote: "a reason",
    slots: [slot],
  });
});

test("it reports again and again until it is stopped, and then takes its row along", async () => {
  const started = start({ everyMs: 5 });
  const count = async () => (await sql`select from parlance.gpu_stats`).count;
  await until("it reported three times", async () => (await count()) >= 3);
  await started.stop();
  const [after, supervisors] = [await count(), (await sql`select from parlance.supervisors`).count];
  await started.report();
  expect([await count(), supervisors]).toEqual([after, 0]);
});

test("what is asked for during a report is reported after it", async () => {
  let state: Slot["state"] = "starting";
  const started = start({ slots: () => [{ ...slot, state }] });
  state = "crash-looping";
  await started.report();
  const [row] = await sql<{ slots: Slot[] }[]>`select slots from parlance.supervisors`;
  expect(row?.slots[0]?.state).toBe("crash-looping");
});

test("cards that cannot be read now are told of once, and the slots are reported all the same", async () => {
  const started = start({
    gauge: gaugeOf(() => {
      throw new Error("the driver is gone");
    }),
  });
  await started.report();
  await started.report();
  expect((await sql`select from parlance.supervisors`).count).toBe(1);
  expect((await sql`select from parlance.gpu_devices`).count).toBe(0);
  expect(lines).toEqual([expect.objectContaining({ event: "gpu-stats.trouble", doing: "read" })]);
});

test("a database that refuses is told of once until it takes a report again", async () => {
  await sql`revoke execute on function parlance.report_supervisor from parlance_sidecar`;
  const started = start();
  await started.report();
  await started.report();
  expect(lines).toEqual([expect.objectContaining({ event: "gpu-stats.trouble", doing: "report" })]);
  await sql`grant execute on function parlance.report_supervisor to parlance_sidecar`;
  await started.report();
  expect((await sql`select from parlance.supervisors`).count).toBe(1);
  await sql`revoke execute on function parlance.report_supervisor from parlance_sidecar`;
  await started.report();
  expect(lines).toHaveLength(2);
  await sql`grant execute on function parlance.report_supervisor to parlance_sidecar`;
});

test("names that are too long are cut, not refused", async () => {
  const started = start({ host: "h".repeat(300), deviceNote: "n".repeat(2_000) });
  await started.report();
  const [row] = await sql<
    { host: string; deviceNote: string }[]
  >`select host, device_note from parlance.supervisors`;
  expect([row?.host.length, row?.deviceNote.length]).toEqual([255, 1_000]);
  expect(lines).toEqual([]);
});
