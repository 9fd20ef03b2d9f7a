/** Sidecars and their graphics cards: written by report_supervisor alone, read by admins and the secret key. */
import type { JSONValue, Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { transactAs } from "../../../shared/callers.ts";
import { GpuStats } from "../../../shared/gpu-stats.ts";
import { createId } from "../../../shared/ids.ts";
import { openTestApp, type TestApp, type Who } from "../../helpers/app.ts";

let house: TestApp;
let sidecar: Sql;
beforeAll(async () => {
  house = await openTestApp();
  sidecar = house.database.connect({ role: "parlance_sidecar", max: 1 });
});
afterAll(async () => {
  await sidecar.end();
  await house.close();
});
beforeEach(async () => {
  await house.sql`delete from parlance.gpu_devices`;
  await house.sql`delete from parlance.supervisors`;
});

const card = {
  uuid: "GPU-1",
  index: 0,
  name: "NVIDIA H200",
  driver: "580.95",
  memory_total_bytes: 150_754_820_096,
  memory_used_bytes: 1_000_000,
  gpu_percent: 40,
  memory_percent: 10,
  temperature_celsius: 41,
  power_watts: 120.5,
};

interface Report {
  id?: string;
  host?: string;
  source?: string;
  gpus?: JSONValue[];
  slots?: JSONValue;
}

async function report({
  id = createId(),
  host = "one",
  source = "nvml",
  gpus = [card],
  slots = [],
}: Report = {}) {
  await sidecar`
    select parlance.report_supervisor(
      ${id}, ${host}, ${source}, 'a library', 'a reason', ${sidecar.json(slots)}, ${sidecar.json(gpus)}
    )
  `;
  return id;
}

async function read(query = "", who: Who = "secret"): Promise<GpuStats> {
  const answer = await house.call(who, "GET", `/gpu-stats${query}`);
  expect(answer.status, answer.text).toBe(200);
  return GpuStats.parse(answer.body);
}

/** Puts what a card did into the past. */
async function addSample(secondsAgo: number, percent: number | null = 0, uuid = card.uuid, host = "one") {
  await house.sql`
    insert into parlance.gpu_stats (host, uuid, sampled_at, gpu_percent)
    values (${host}, ${uuid}, now() - make_interval(secs => ${secondsAgo}), ${percent})
  `;
}

test("without a sidecar there is nothing, and nothing is read from", async () => {
  expect(await read()).toEqual({ source: "none", items: [], supervisors: [] });
});

test("a machine without a graphics card says why, and what runs there", async () => {
  const slots = [{ slot: "cpu", device: "cpu", state: "running", deaths: 0, lastEnd: null }];
  const id = await report({ source: "none", gpus: [], slots });
  const stats = await read();
  expect(stats).toMatchObject({ source: "none", items: [] });
  expect(stats.supervisors).toEqual([
    expect.objectContaining({
      id,
      host: "one",
      gpuSource: "none",
      gpuNote: "a library",
      slots,
      isStale: false,
    }),
  ]);
});

test("a card is shown with its newest values and its history", async () => {
  const id = await report();
  await report({ id, gpus: [{ ...card, gpu_percent: 80, temperature_celsius: 52 }] });
  const { source, items } = await read();
  expect(source).toBe("nvml");
  expect(items).toHaveLength(1);
  expect(items[0]).toMatchObject({
    host: "one",
    index: 0,
    uuid: "GPU-1",
    name: "NVIDIA H200",
    driver: "580.95",
    memoryTotalBytes: 150_754_820_096,
    memoryUsedBytes: 1_000_000,
    gpuPercent: 80,
    memoryPercent: 10,
    temperatureCelsius: 52,
    powerWatts: 120.5,
    isStale: false,
  });
  const rows = await house.sql`select gpu_percent from parlance.gpu_stats order by sampled_at`;
  expect(rows.map((row) => row.gpuPercent)).toEqual([40, 80]);
});

test("what a driver does not tell is null", async () => {
  await report({ gpus: [{ uuid: "MIG-1", index: 1, name: "a slice" }] });
  expect((await read()).items[0]).toMatchObject({
    driver: null,
    memoryTotalBytes: null,
    memoryUsedBytes: null,
    gpuPercent: null,
    temperatureCelsius: null,
    powerWatts: null,
  });
});

test("two sidecars of one machine share its card; two machines with a card of the same id do not", async () => {
  await report({ id: createId(), host: "one" });
  await report({ id: createId(), host: "one", gpus: [{ ...card, gpu_percent: 1 }] });
  await report({ id: createId(), host: "two", source: "nvidia-smi", gpus: [{ ...card, gpu_percent: 99 }] });
  const { items, supervisors } = await read();
  expect(items.map(({ host, gpuPercent }) => [host, gpuPercent])).toEqual([
    ["one", 1],
    ["two", 99],
  ]);
  expect(supervisors).toHaveLength(3);
});

test("cards and sidecars of which nothing was heard for a minute are stale, and those of a day ago are gone", async () => {
  await report({ id: createId(), host: "fresh" });
  await report({ id: createId(), host: "late" });
  await report({ id: createId(), host: "gone" });
  for (const [host, seconds] of [
    ["late", 61],
    ["gone", 86_401],
  ] as const) {
    await house.sql`update parlance.gpu_devices set last_seen_at = now() - make_interval(secs => ${seconds}) where host = ${host}`;
    await house.sql`update parlance.supervisors set last_seen_at = now() - make_interval(secs => ${seconds}) where host = ${host}`;
  }
  await report({ id: createId(), host: "fresh" });
  const { items, supervisors } = await read();
  expect(items.map(({ host, isStale }) => [host, isStale])).toEqual([
    ["fresh", false],
    ["late", true],
  ]);
  expect(new Set(supervisors.map(({ host, isStale }) => `${host} ${isStale}`))).toEqual(
    new Set(["fresh false", "late true"]),
  );
});

test("a stale sidecar's source is no source", async () => {
  await report();
  await house.sql`update parlance.supervisors set last_seen_at = now() - interval '2 minutes'`;
  expect((await read()).source).toBe("none");
});

describe("the history", () => {
  test("reaches as far back as was asked", async () => {
    await report();
    await house.sql`delete from parlance.gpu_stats`;
    for (const secondsAgo of [30, 90, 500, 3_000]) await addSample(secondsAgo);
    const count = async (query: string) => (await read(query)).items[0]?.history.length;
    expect(await count("?minutes=1")).toBe(1);
    expect(await count("?minutes=2")).toBe(2);
    expect(await count("")).toBe(3);
    expect(await count("?minutes=60")).toBe(4);
  });

  test("has 120 points at most, oldest first, each the mean of its span", async () => {
    await report();
    await house.sql`delete from parlance.gpu_stats`;
    await house.sql`
      insert into parlance.gpu_stats (host, uuid, sampled_at, gpu_percent)
      select 'one', 'GPU-1', now() - make_interval(secs => second), (second % 2) * 100
      from generate_series(1, 3590) as second
    `;
    const history = (await read("?minutes=60")).items[0]?.history ?? [];
    expect(history.length).toBe(120);
    expect(history.map(({ at }) => at)).toEqual(history.map(({ at }) => at).toSorted());
    for (const { gpuPercent } of history.slice(1, -1)) expect(gpuPercent).toBeCloseTo(50, -1);
  });

  test("skips over what was not told", async () => {
    await report();
    await house.sql`delete from parlance.gpu_stats`;
    await addSample(31, null);
    await addSample(30, 60);
    expect((await read("?minutes=60")).items[0]?.history).toEqual([
      expect.objectContaining({ gpuPercent: 60 }),
    ]);
  });

  test("is kept for an hour: what is older goes with the next report", async () => {
    const id = await report();
    await addSample(3_700, 1);
    await addSample(3_500, 2);
    await report({ id });
    const rows =
      await house.sql`select gpu_percent from parlance.gpu_stats where gpu_percent < 40 order by sampled_at`;
    expect(rows.map((row) => row.gpuPercent)).toEqual([2]);
  });

  test("of one report that removes 1,000 rows at most", async () => {
    const id = await report();
    await house.sql`
      insert into parlance.gpu_stats (host, uuid, sampled_at)
      select 'one', 'GPU-1', now() - interval '2 hours' from generate_series(1, 1500)
    `;
    const countOld = async () => {
      const [row] = await house.sql<{ count: number }[]>`
        select count(*) from parlance.gpu_stats where sampled_at < now() - interval '1 hour'
      `;
      return row?.count;
    };
    await report({ id });
    expect(await countOld()).toBe(500);
    await report({ id });
    expect(await countOld()).toBe(0);
  });
});

test.each(["minutes=0", "minutes=61", "minutes=ten", "minutes=1.5"])("?%s is refused", async (query) => {
  const answer = await house.call("secret", "GET", `/gpu-stats?${query}`);
  expect([answer.status, answer.body.code]).toEqual([400, "invalid_request"]);
});

test("admins and the secret key read it, others are told so", async () => {
  await report();
  expect((await read("", house.admin)).items).toHaveLength(1);
  expect((await read("", "secret")).items).toHaveLength(1);
  for (const [who, status, code] of [
    [house.alice, 403, "forbidden"],
    ["publishable", 401, "unauthenticated"],
    ["nobody", 401, "unauthenticated"],
  ] as const) {
    const answer = await house.call(who, "GET", "/gpu-stats");
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
  }
});

test("a user who is no admin finds no row, whatever they ask the database", async () => {
  await report();
  for (const table of ["supervisors", "gpu_devices", "gpu_stats"]) {
    const count = (who: { sub: string; app_metadata?: { role: string } }) =>
      transactAs(
        house.sql,
        { role: "authenticated", claims: { role: "authenticated", ...who } },
        async (sql) => {
          const rows = await sql.unsafe(`select from parlance.${table}`);
          return rows.count;
        },
      );
    expect(await count({ sub: house.alice.id })).toBe(0);
    expect(await count({ sub: house.admin.id, app_metadata: { role: "admin" } })).toBe(1);
  }
});

describe("a sidecar", () => {
  test.each(["supervisors", "gpu_devices", "gpu_stats"])(
    "cannot touch %s but by its report",
    async (table) => {
      await report();
      for (const statement of [`select from parlance.${table}`, `delete from parlance.${table}`]) {
        await expect(sidecar.unsafe(statement)).rejects.toThrow("permission denied");
      }
    },
  );

  test("takes its own row along and leaves the cards", async () => {
    const [first, second] = [await report(), await report()];
    await sidecar`select parlance.remove_supervisor(${first})`;
    const { items, supervisors } = await read();
    expect(supervisors.map(({ id }) => id)).toEqual([second]);
    expect(items).toHaveLength(1);
  });

  test.each<[string, Report]>([
    ["source", { source: "guess" }],
    ["host", { host: "" }],
    ["name of a card", { gpus: [{ ...card, name: "" }] }],
    ["share", { gpus: [{ ...card, gpu_percent: 101 }] }],
    [
      "number of cards",
      { gpus: Array.from({ length: 257 }, (_, index) => ({ ...card, uuid: `GPU-${index}` })) },
    ],
    ["list of slots", { slots: { a: 1 } }],
    ["length of the slots", { slots: ["x".repeat(65_537)] }],
  ])("with an impossible %s is refused whole", async (_what, wrong) => {
    await expect(report(wrong)).rejects.toThrow(/violates check constraint|graphics cards/);
    expect(await read()).toEqual({ source: "none", items: [], supervisors: [] });
  });

  test("that names a card twice is understood", async () => {
    await report({ gpus: [card, card] });
    expect((await read()).items).toHaveLength(1);
  });
});
