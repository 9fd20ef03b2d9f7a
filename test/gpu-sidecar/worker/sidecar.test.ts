/** The whole sidecar: a supervisor and its slots as processes, over a real database. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openNvml } from "../../../gpu-sidecar/devices/nvml.ts";
import { GpuStats } from "../../../shared/gpu-stats.ts";
import { until } from "../../helpers/until.ts";
import { createLibraryUrl, drawJpeg, drawJpegs, type Library, openLibrary } from "../library.ts";

const script = new URL("../../../gpu-sidecar/main.ts", import.meta.url).pathname;
const nowhere = {
  SUPABASE_URL: "http://127.0.0.1:1",
  SUPABASE_SECRET_KEY: "sb_secret_0123456789abcdefghijklmn",
  SIDECAR_DB_URL: "postgres://parlance_sidecar@127.0.0.1:1/none",
};

interface LogLine {
  readonly event: string;
  readonly slot?: string;
  readonly pid?: number;
  readonly [detail: string]: unknown;
}

interface Sidecar {
  /** The exit code, once its children are gone too. */
  readonly exited: Promise<number>;
  /** The end of it alone. */
  readonly ended: Promise<number>;
  kill(signal: NodeJS.Signals): void;
  endInput(): void;
  text(): string;
  /** What it and its slots have logged under this name. */
  lines(event: string): LogLine[];
}

const sidecars: Sidecar[] = [];
afterEach(async () => {
  for (const sidecar of sidecars.splice(0)) {
    for (const { pid } of sidecar.lines("slot.started")) kill(pid, "SIGKILL");
    sidecar.kill("SIGKILL");
    await sidecar.exited;
  }
});

/** False where there is no such process any more. */
function kill(pid: number | undefined, signal: NodeJS.Signals | 0): boolean {
  try {
    return pid !== undefined && process.kill(pid, signal);
  } catch {
    return false;
  }
}

function start(environment: Record<string, string>, ...options: string[]): Sidecar {
  let text = "";
  const child = Bun.spawn([process.execPath, script, ...options], {
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdio: ["pipe", "ignore", "pipe"],
  });
  const reading = (async () => {
    for await (const part of child.stderr) text += new TextDecoder().decode(part);
  })();
  const parse = (line: string): LogLine[] => (line.startsWith("{") ? [JSON.parse(line)] : []);
  const sidecar: Sidecar = {
    ended: child.exited,
    // Its slots write to the same pipe: it ends with the last of them.
    exited: child.exited.then(async (code) => {
      await reading;
      return code;
    }),
    kill: (signal) => child.kill(signal),
    endInput: () => void child.stdin.end(),
    text: () => text,
    lines: (event) =>
      text
        .split("\n")
        .slice(0, -1)
        .flatMap(parse)
        .filter((line) => line.event === event),
  };
  sidecars.push(sidecar);
  return sidecar;
}

describe("a sidecar ends with 78, before it starts anything,", () => {
  test("when settings are wrong, naming each", async () => {
    const sidecar = start({ ...nowhere, DEVICES: "abacus", SLOTS_BULK: "0" });
    expect(await sidecar.exited).toBe(78);
    expect(sidecar.text()).toContain("  DEVICES is wrong");
    expect(sidecar.text()).toContain("  SLOTS_BULK is wrong");
    expect(sidecar.lines("slot.started")).toEqual([]);
  });

  test("when a named device is not to be had, saying what is missing: there is no falling back", async () => {
    const sidecar = start({ ...nowhere, DEVICES: "cpu,cuda:63" });
    expect(await sidecar.exited).toBe(78);
    expect(sidecar.text()).toContain("DEVICES names cuda:63, but");
    expect(sidecar.lines("slot.started")).toEqual([]);
  });
});

// A database that other processes can reach is needed.
describe.runIf(process.env.TEST_DATABASE_URL)("a sidecar", () => {
  let library: Library;
  beforeAll(async () => {
    library = await openLibrary();
  });
  afterAll(() => library.close());

  function startHere(environment: Record<string, string> = {}, ...options: string[]): Sidecar {
    return start(
      {
        SUPABASE_URL: library.house.config.supabaseUrl,
        SUPABASE_SECRET_KEY: library.house.keys.secretKey,
        SIDECAR_DB_URL: createLibraryUrl(library, "parlance_sidecar"),
        GPU_STATS_SECONDS: "1",
        ...environment,
      },
      ...options,
    );
  }

  async function count(table: "workers" | "supervisors"): Promise<number> {
    const [row] = await library.house.sql<{ count: number }[]>`
      select count(*) from ${library.house.sql(`parlance.${table}`)}
    `;
    return row?.count ?? -1;
  }

  const work = (workers: number) =>
    until(`${workers} work`, async () => (await count("workers")) === workers);

  async function nothingIsLeft(): Promise<void> {
    expect(await count("workers")).toBe(0);
    expect(await count("supervisors")).toBe(0);
  }

  test.each(["SIGTERM", "SIGINT"] as const)("drains at %s, ends with 0 and leaves no row", async (signal) => {
    const sidecar = startHere();
    await work(1);
    const { imageId } = await library.send(await drawJpeg());
    await until("the picture is ready", async () => (await library.find(imageId))?.state === "ready");
    sidecar.kill(signal);
    expect(await sidecar.exited).toBe(0);
    await nothingIsLeft();
  });

  test("says in one line which devices it chose, and why", async () => {
    const sidecar = startHere({ DEVICES: "cpu" });
    await work(1);
    expect(sidecar.lines("devices.chosen")).toEqual([
      expect.objectContaining({ devices: ["cpu"], why: "DEVICES names it" }),
    ]);
    sidecar.kill("SIGTERM");
    expect(await sidecar.exited).toBe(0);
  });

  test("on cpu,cpu has two processes that share the work, and each line of theirs names its slot", async () => {
    const sidecar = startHere({ DEVICES: "cpu,cpu", SLOTS_BULK: "1" });
    await work(2);
    const sent = await Promise.all((await drawJpegs(24)).map((jpeg) => library.send(jpeg)));
    await until("all are ready", async () => {
      const found = await Promise.all(sent.map(({ imageId }) => library.find(imageId)));
      return found.every((image) => image?.state === "ready");
    });
    sidecar.kill("SIGTERM");
    expect(await sidecar.exited).toBe(0);
    const ended = sidecar.lines("job.ended");
    expect(new Set(ended.map(({ slot }) => slot))).toEqual(new Set(["cpu", "cpu#2"]));
    expect(ended.map(({ jobId }) => jobId).toSorted()).toEqual(sent.map(({ jobId }) => jobId).toSorted());
    await nothingIsLeft();
  });

  test("starts again what was killed, while the other process goes on; operators see it", async () => {
    const sidecar = startHere({ DEVICES: "cpu,cpu" });
    await work(2);
    const [first] = sidecar.lines("slot.started");
    kill(first?.pid, "SIGKILL");
    const slots = async () =>
      (await library.house.call("secret", "GET", "/gpu-stats")).body.supervisors[0]?.slots;
    await until("it is told and runs again", async () => {
      const found = (await slots())?.find(({ slot }: LogLine) => slot === first?.slot);
      return found?.deaths === 1 && found.lastEnd === "SIGKILL" && found.state === "running";
    });
    const ofOther = (event: string) => sidecar.lines(event).filter(({ slot }) => slot !== first?.slot);
    expect(ofOther("slot.started")).toHaveLength(1);
    expect(ofOther("worker.stopped")).toHaveLength(0);
    sidecar.kill("SIGTERM");
    expect(await sidecar.exited).toBe(0);
    // The row of the killed one goes with its age.
    await library.house.sql`delete from parlance.workers`;
  });

  test.runIf("error" in openNvml())("shows what nvidia-smi prints, where there is no NVML", async () => {
    const folder = await mkdtemp(join(tmpdir(), "parlance-smi-"));
    const card = "0, GPU-5d1a, NVIDIA H200, 580.95.05, 143771, 6144, 87, [N/A], 64, [N/A]";
    await writeFile(join(folder, "nvidia-smi"), `#!/bin/sh\necho '${card}'\nexec sleep 60\n`, {
      mode: 0o755,
    });
    const sidecar = startHere({ DEVICES: "cpu", PATH: `${folder}:${process.env.PATH}` });
    await work(1);
    const read = async () => GpuStats.parse((await library.house.call("secret", "GET", "/gpu-stats")).body);
    await until("the card is there", async () => (await read()).items.length === 1);
    const { source, items } = await read();
    expect(source).toBe("nvidia-smi");
    expect(items[0]).toMatchObject({ uuid: "GPU-5d1a", gpuPercent: 87, powerWatts: null, isStale: false });
    await until("it has a history", async () => ((await read()).items[0]?.history.length ?? 0) > 1);
    sidecar.kill("SIGTERM");
    expect(await sidecar.exited).toBe(0);
    await rm(folder, { recursive: true });
  });

  test("that is killed takes its processes with it: they drain", async () => {
    const sidecar = startHere({ DEVICES: "cpu,cpu" });
    await work(2);
    const pids = sidecar.lines("slot.started").map(({ pid }) => pid);
    sidecar.kill("SIGKILL");
    await sidecar.exited;
    expect(
      sidecar
        .lines("worker.stopped")
        .map(({ slot }) => slot)
        .toSorted(),
    ).toEqual(["cpu", "cpu#2"]);
    await until("both are gone", () => pids.every((pid) => !kill(pid, 0)));
    expect(await count("workers")).toBe(0);
    await library.house.sql`delete from parlance.supervisors`;
  });

  test("that is held drains when its input ends, and else does not care for it", async () => {
    const sidecars = [startHere({}, "--held"), startHere({})] as const;
    await work(2);
    for (const sidecar of sidecars) sidecar.endInput();
    expect(await sidecars[0].exited).toBe(0);
    expect(await count("workers")).toBe(1);
    sidecars[1].kill("SIGTERM");
    expect(await sidecars[1].exited).toBe(0);
  });

  test("ends with 78 at once when its login is refused, and starts nothing twice", async () => {
    const sidecar = startHere({
      SIDECAR_DB_URL: createLibraryUrl(library, "nobody_at_all"),
      DEVICES: "cpu,cpu",
    });
    expect(await sidecar.exited).toBe(78);
    expect(sidecar.text()).toContain("nobody_at_all");
    expect(sidecar.lines("slot.started")).toHaveLength(2);
  });

  test("takes the same signal twice at once for one: Ctrl-C comes from the terminal and from bun run", async () => {
    const sidecar = startHere({ DEVICES: "cpu" });
    await work(1);
    sidecar.kill("SIGINT");
    sidecar.kill("SIGINT");
    await until("it heard it", () => sidecar.lines("supervisor.signal").length > 0);
    sidecar.kill("SIGINT");
    expect(await sidecar.exited).toBe(0);
    expect(sidecar.lines("supervisor.signal")).toHaveLength(1);
    await nothingIsLeft();
  });

  test("that is told to end before its processes could listen ends with 0 all the same", async () => {
    const sidecar = startHere({ DEVICES: "cpu,cpu" });
    await until("its processes are started", () => sidecar.lines("slot.started").length === 2);
    sidecar.kill("SIGTERM");
    expect(await sidecar.exited).toBe(0);
    await nothingIsLeft();
  });

  test("waits for nobody at the second signal", async () => {
    const asked = Promise.withResolvers<void>();
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => {
        asked.resolve();
        return new Promise<Response>(() => {});
      },
    });
    try {
      const { imageId, jobId } = await library.send(undefined);
      const sidecar = startHere({ SUPABASE_URL: `http://127.0.0.1:${server.port}`, DRAIN_SECONDS: "600" });
      await asked.promise;
      sidecar.kill("SIGTERM");
      await until("its slot heard the first", () => sidecar.lines("worker.signal").length === 1);
      sidecar.kill("SIGINT");
      expect(await sidecar.exited).toBe(1);
      await library.house.sql`delete from parlance.workers`;
      await library.house.sql`delete from parlance.supervisors`;
      await library.remove(imageId, jobId);
    } finally {
      await server.stop(true);
    }
  });
});
