/** When a worker asks for a fresh process: memory held for nothing, a model installed while it ran. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import { makeModel } from "../../../gpu-sidecar/models/clip/make.ts";
import { addModel } from "../../../gpu-sidecar/models/files/install.ts";
import { createInference } from "../../../gpu-sidecar/models/inference.ts";
import { runWorker, type WorkerOptions } from "../../../gpu-sidecar/worker.ts";
import { embedQuery } from "../../../shared/images/kinds.ts";
import { addJob } from "../../../shared/jobs/queue.ts";
import { createLog } from "../../../shared/log.ts";
import { until } from "../../helpers/until.ts";
import { createLibraryUrl, type Library, openLibrary } from "../library.ts";

let library: Library;
/** Where the model comes from. */
let source: string;
let digest: string;
let folders: string[] = [];

beforeAll(async () => {
  library = await openLibrary();
  source = await makeFolder();
  await makeModel(source, { isTiny: true });
  ({ digest } = await install(await makeFolder()));
});
afterAll(async () => {
  await library.close();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  folders = [];
});

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await library.house
    .sql`select parlance.drop_embedding_space(id) from parlance.embedding_spaces where not is_current`;
});

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parlance-renewal-"));
  folders.push(folder);
  return folder;
}

function install(modelsFolder: string) {
  return addModel(source, { modelsFolder, name: "tiny", variant: "fp32" });
}

async function addSpace(): Promise<number> {
  const [row] = await library.house.sql<{ id: number }[]>`
    select parlance.create_embedding_space('shadow', 'tiny', ${digest}, 32) as id
  `;
  return row?.id ?? -1;
}

async function start(modelsFolder: string, options: Partial<WorkerOptions> = {}) {
  const sql = library.house.database.connect({ role: "parlance_sidecar", max: 1 });
  const catalog = await openCatalog(modelsFolder);
  const inference = createInference({ catalog, modelsFolder });
  closers.push(() => sql.end({ timeout: 1 }));
  const worker = await runWorker({
    sql,
    inference,
    store: library.store,
    catalog,
    reopenCatalog: () => openCatalog(modelsFolder),
    device: "cpu",
    log: createLog(() => {}),
    slots: { interactive: 1, bulk: 1 },
    pixelsMax: 1_000_000,
    drainMs: 0,
    reportMs: 5,
    ...options,
  });
  closers.push(() => worker.stop());
  return worker;
}

/** Has the worker embed these words, and waits for it. */
async function search(spaceId: number, query: string, model = "tiny"): Promise<void> {
  const job = { payload: { spaceId, query }, ownerId: null, model };
  const id = await addJob(library.house.sql, embedQuery, job);
  await until("the words are embedded", async () => (await library.stateOfJob(id)) === "done");
}

/** How often this worker has reported. */
async function lastSeen(id: string): Promise<string | undefined> {
  const [row] = await library.house.sql<{ lastSeenAt: string }[]>`
    select last_seen_at from parlance.workers where id = ${id}
  `;
  return row?.lastSeenAt;
}

/** What the worker asks for before it has reported twice more. */
async function renewalOf(worker: Awaited<ReturnType<typeof start>>): Promise<string | undefined> {
  const twice = async () => {
    for (const _ of [1, 2]) {
      const before = await lastSeen(worker.id);
      await until("it reports again", async () => (await lastSeen(worker.id)) !== before);
    }
    return undefined;
  };
  return Promise.race([worker.renewal, twice()]);
}

test("a model that was used, and then not for longer than it may, asks for it", async () => {
  const folder = await makeFolder();
  await install(folder);
  const spaceId = await addSpace();
  const worker = await start(folder, { modelIdleMs: 50 });
  expect(await renewalOf(worker)).toBeUndefined();
  await search(spaceId, "red");
  expect(await worker.renewal).toMatch(/^tiny was not used for \d+ s$/);
});

test("the built-in model, which is small, never does", async () => {
  const worker = await start(await makeFolder(), { modelIdleMs: 1 });
  await search(1, "green", "palette");
  expect(await renewalOf(worker)).toBeUndefined();
});

test("nothing does where the operator wants models kept", async () => {
  const folder = await makeFolder();
  await install(folder);
  const spaceId = await addSpace();
  const worker = await start(folder, { modelIdleMs: 0 });
  await search(spaceId, "blue");
  expect(await renewalOf(worker)).toBeUndefined();
});

test("a model that a space waits for asks for it when it is installed, and not before", async () => {
  const folder = await makeFolder();
  await addSpace();
  const worker = await start(folder);
  expect(await renewalOf(worker)).toBeUndefined();
  await install(folder);
  expect(await worker.renewal).toBe("tiny was installed");
});

test("a model that no space waits for does not", async () => {
  const folder = await makeFolder();
  const worker = await start(folder);
  await install(folder);
  expect(await renewalOf(worker)).toBeUndefined();
});

test("a model of that name with other files does not", async () => {
  const folder = await makeFolder();
  const other = await makeFolder();
  await makeModel(other, { isTiny: true, seed: 2 });
  await addSpace();
  const worker = await start(folder);
  await addModel(other, { modelsFolder: folder, name: "tiny", variant: "fp32" });
  expect(await renewalOf(worker)).toBeUndefined();
});

// A database that another process can reach is needed.
describe.runIf(process.env.TEST_DATABASE_URL)("a sidecar", () => {
  test("starts a fresh process at once, and then runs what was installed", async () => {
    const folder = await makeFolder();
    const spaceId = await addSpace();
    let text = "";
    const child = Bun.spawn(
      [process.execPath, new URL("../../../gpu-sidecar/main.ts", import.meta.url).pathname],
      {
        env: {
          PATH: process.env.PATH ?? "",
          SUPABASE_URL: library.house.config.supabaseUrl,
          SUPABASE_SECRET_KEY: library.house.keys.secretKey,
          SIDECAR_DB_URL: createLibraryUrl(library, "parlance_sidecar"),
          MODELS_DIR: folder,
          DEVICES: "cpu",
        },
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    const reading = (async () => {
      for await (const part of child.stderr) text += new TextDecoder().decode(part);
    })();
    closers.push(async () => {
      child.kill("SIGTERM");
      await child.exited;
      await reading;
    });
    await until("it works", () => text.includes("worker.started"));
    await install(folder);
    await search(spaceId, "yellow");
    expect(text).toContain('"event":"slot.recycled"');
    expect(text).not.toContain('"event":"slot.died"');
  }, 30_000);
});
