/** The process of one slot: how it ends, and what it leaves when it is killed. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../helpers/until.ts";
import { createLibraryUrl, drawJpeg, drawJpegs, type Library, openLibrary } from "../library.ts";

const script = new URL("../../../gpu-sidecar/slot.ts", import.meta.url).pathname;
const key = "sb_secret_0123456789abcdefghijklmn";
const nowhere = {
  SUPABASE_URL: "http://127.0.0.1:1",
  SUPABASE_SECRET_KEY: key,
  SIDECAR_DB_URL: "postgres://parlance_sidecar@127.0.0.1:1/none",
};

const children: Sidecar[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
    await child.exited;
  }
});

interface Sidecar {
  readonly exited: Promise<number>;
  kill(signal: NodeJS.Signals): void;
  /** What it has logged so far. */
  text(): string;
}

function start(environment: Record<string, string>): Sidecar {
  let text = "";
  const child = Bun.spawn([process.execPath, script], {
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const reading = (async () => {
    for await (const part of child.stderr) text += new TextDecoder().decode(part);
  })();
  const sidecar = {
    exited: child.exited.then(async (code) => {
      await reading;
      return code;
    }),
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    text: () => text,
  };
  children.push(sidecar);
  return sidecar;
}

describe("a slot ends with 78", () => {
  test("when settings are wrong, naming each and telling no secret", async () => {
    const sidecar = start({
      SUPABASE_URL: "localhost",
      SUPABASE_SECRET_KEY: "hunter2-hunter2-hunter2-hunter2",
      DEVICES: "abacus",
      SLOTS_BULK: "0",
    });
    expect(await sidecar.exited).toBe(78);
    for (const name of ["SUPABASE_URL", "SUPABASE_SECRET_KEYS", "SIDECAR_DB_URL", "DEVICES", "SLOTS_BULK"]) {
      expect(sidecar.text()).toContain(`  ${name} is `);
    }
    expect(sidecar.text()).not.toContain("hunter2");
  });

  test("when DEVICES names several, for it is only one", async () => {
    const sidecar = start({ ...nowhere, DEVICES: "cpu,cpu" });
    expect(await sidecar.exited).toBe(78);
    expect(sidecar.text()).toContain("DEVICES names several");
  });

  test("when no model can be run on the device, before it claims anything", async () => {
    const sidecar = start({ ...nowhere, DEVICES: "cuda:63" });
    expect(await sidecar.exited).toBe(78);
    expect(sidecar.text()).toContain("No model can be run on cuda:63");
    expect(sidecar.text()).toContain("bun run doctor");
  });
});

describe("a slot ends with 1", () => {
  test("when the database stays away", async () => {
    const sidecar = start({ ...nowhere, DATABASE_PATIENCE_SECONDS: "1" });
    expect(await sidecar.exited).toBe(1);
    expect(sidecar.text()).toContain("worker.waits-for-database");
    expect(sidecar.text()).toContain("did not answer for 1 s");
  });
});

// A database that another process can reach is needed.
describe.runIf(process.env.TEST_DATABASE_URL)("a slot", () => {
  let library: Library;
  beforeAll(async () => {
    library = await openLibrary();
  });
  afterAll(() => library.close());

  function startHere(environment: Record<string, string> = {}): Sidecar {
    return start({
      SUPABASE_URL: library.house.config.supabaseUrl,
      SUPABASE_SECRET_KEY: library.house.keys.secretKey,
      SIDECAR_DB_URL: createLibraryUrl(library, "parlance_sidecar"),
      ...environment,
    });
  }

  async function countWorkers(): Promise<number> {
    const [row] = await library.house.sql<{ count: number }[]>`select count(*) from parlance.workers`;
    return row?.count ?? -1;
  }

  async function countImages(state: string): Promise<number> {
    const [row] = await library.house.sql<{ count: number }[]>`
      select count(*) from parlance.images where state = ${state}::parlance.image_state
    `;
    return row?.count ?? -1;
  }

  /** A storage that takes requests and never answers, to hold a job where it is. */
  async function withSilentStorage(work: (url: string, asked: Promise<void>) => Promise<void>) {
    const asked = Promise.withResolvers<void>();
    const fetch = () => {
      asked.resolve();
      return new Promise<Response>(() => {});
    };
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
    try {
      await work(`http://127.0.0.1:${server.port}`, asked.promise);
    } finally {
      await server.stop(true);
    }
  }

  test("ends with 78 at once when its login is refused", async () => {
    const sidecar = startHere({ SIDECAR_DB_URL: createLibraryUrl(library, "nobody_at_all") });
    expect(await sidecar.exited).toBe(78);
    expect(sidecar.text()).toContain("nobody_at_all");
    expect(sidecar.text()).not.toContain("worker.waits-for-database");
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "works until %s, then ends with 0 and leaves no row",
    async (signal) => {
      const { imageId } = await library.send(await drawJpeg());
      const sidecar = startHere();
      await until("the picture is ready", async () => (await library.find(imageId))?.state === "ready");
      expect(await countWorkers()).toBe(1);
      sidecar.kill(signal);
      expect(await sidecar.exited).toBe(0);
      expect(await countWorkers()).toBe(0);
      expect(sidecar.text()).toContain('"event":"worker.stopped"');
    },
  );

  test("hands back what does not end in its drain", async () => {
    await withSilentStorage(async (url, asked) => {
      const { imageId, jobId } = await library.send(undefined);
      const sidecar = startHere({ SUPABASE_URL: url, DRAIN_SECONDS: "0" });
      await asked;
      sidecar.kill("SIGTERM");
      expect(await sidecar.exited).toBe(0);
      const [job] = await library.house
        .sql`select state, attempts from parlance.job_views where id = ${jobId}`;
      expect(job).toEqual({ state: "queued", attempts: 0 });
      await library.remove(imageId, jobId);
    });
  });

  test("ends with 1 at once at the second signal", async () => {
    await withSilentStorage(async (url, asked) => {
      const { imageId, jobId } = await library.send(undefined);
      const sidecar = startHere({ SUPABASE_URL: url, DRAIN_SECONDS: "600" });
      await asked;
      sidecar.kill("SIGTERM");
      await until("it heard the first", () => sidecar.text().includes("worker.signal"));
      sidecar.kill("SIGTERM");
      expect(await sidecar.exited).toBe(1);
      await library.house.sql`delete from parlance.workers`;
      await library.remove(imageId, jobId);
    });
  });

  test("that is killed in a batch costs nothing: another one finishes all, each once", async () => {
    const sent = await Promise.all((await drawJpegs(60)).map((jpeg) => library.send(jpeg)));
    const ready = await countImages("ready");
    const first = startHere({ LEASE_SECONDS: "3" });
    await until("one is ready", async () => (await countImages("ready")) > ready);
    first.kill("SIGKILL");
    await first.exited;
    const [held] = await library.house.sql`select count(*) from parlance.job_views where state = 'running'`;
    expect(held?.count).toBeGreaterThan(0);
    const second = startHere({ LEASE_SECONDS: "3" });
    await until("all are ready", async () => {
      // Without the wait before the next try.
      await library.house.sql`update parlance.jobs set run_after = now() where state = 'queued'`;
      return (await countImages("ready")) === ready + sent.length;
    });
    for (const { imageId, jobId } of sent) {
      expect(await library.vectorLengths(imageId)).toEqual([expect.closeTo(1, 5)]);
      expect(await library.stateOfJob(jobId)).toBe("done");
    }
    second.kill("SIGTERM");
    expect(await second.exited).toBe(0);
  });
});
