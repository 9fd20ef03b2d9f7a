/** Spaces change under a steady load of searches: no error, no page that mixes two spaces, and back again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import { makeModel } from "../../../gpu-sidecar/models/clip/make.ts";
import { addModel } from "../../../gpu-sidecar/models/files/install.ts";
import type { ModelLock } from "../../../gpu-sidecar/models/files/lock.ts";
import { createInference } from "../../../gpu-sidecar/models/inference.ts";
import { createPictureStore } from "../../../gpu-sidecar/storage.ts";
import { runWorker } from "../../../gpu-sidecar/worker.ts";
import { SearchPage } from "../../../shared/images/contract.ts";
import { createLog } from "../../../shared/log.ts";
import { storePictures } from "../../gpu-sidecar/stored-pictures.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";
import { until } from "../../helpers/until.ts";

const tiny = "tiny-clip";
const picturesCount = 40;
const closing: (() => Promise<unknown>)[] = [];
let house: TestApp;
/** Of the space of the tiny model. */
let tinyId: number;
let url: string;

beforeAll(async () => {
  house = await openTestApp({
    environment: { SEARCH_WAIT_MS: "15000", RATE_LIMIT_SEARCH: "100000", RATE_LIMIT_WRITE: "100000" },
  });
  closing.push(() => house.close());
  await house.deps.objects.ensureBucket();
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => house.app.fetch(request) });
  closing.push(() => server.stop(true));
  url = `http://127.0.0.1:${server.port}/api`;
  await startSidecar();
  await storePictures({ house }, picturesCount, { keywords: ["drawn"] });
  tinyId = await addTinySpace();
  for (const id of [1, tinyId]) await fillSpace(id);
}, 60_000);

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** The tiny model as it is installed. */
let lock: ModelLock;

/** A worker with the built-in model and a tiny one with random weights. */
async function startSidecar(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "parlance-models-"));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const [source, modelsFolder] = [join(folder, "made"), join(folder, "models")];
  await makeModel(source, { isTiny: true });
  lock = await addModel(source, { modelsFolder, name: tiny, variant: "fp32" });
  const catalog = await openCatalog(modelsFolder);
  const sql = house.database.connect({ role: "parlance_sidecar", max: 1 });
  const worker = await runWorker({
    sql,
    catalog,
    inference: createInference({ catalog, modelsFolder }),
    store: createPictureStore({ ...house.config, sizeBytesMax: house.config.uploadBytesMax }),
    device: "cpu",
    log: createLog(() => {}, "error"),
    slots: { interactive: 4, bulk: 2 },
    pixelsMax: 2_000_000,
    reportMs: 200,
    drainMs: 0,
  });
  closing.push(async () => {
    await worker.stop();
    await sql.end({ timeout: 1 });
  });
}

async function send(method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${url}${path}`, {
    method,
    headers: { apikey: house.keys.secretKey, "content-type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
}

async function addTinySpace(name = "tiny"): Promise<number> {
  const { digest: modelDigest, dimensions } = lock;
  const answer = await send("POST", "/spaces", { name, model: tiny, modelDigest, dimensions });
  const space = await answer.json();
  expect(answer.status, JSON.stringify(space)).toBe(201);
  return space.id;
}

async function fillSpace(id: number): Promise<void> {
  await send("POST", `/spaces/${id}/fills`);
  await until(`space ${id} is filled`, async () => {
    const space = await (await send("GET", `/spaces/${id}`)).json();
    return space.missing === 0 && space.isOffered;
  });
}

interface Answer {
  readonly query: string;
  readonly status: number;
  readonly text: string;
  /** Undefined for what was no success. */
  readonly page: SearchPage | undefined;
}

async function search(query: string, rest = ""): Promise<Answer> {
  const answer = await send("GET", `/images/search?q=${encodeURIComponent(query)}&limit=5&scope=all${rest}`);
  const text = await answer.text();
  return {
    query,
    status: answer.status,
    text,
    page: answer.ok ? SearchPage.parse(JSON.parse(text)) : undefined,
  };
}

const words = ["red", "blue", "green sea", "dark", "yellow stripes", "calm", "sunset", "forest"];

/** Asks for words asked before and for new ones, each time with a second page, until it is told to stop. */
function startLoad(clients: number): { readonly answers: Answer[]; stop(): Promise<void> } {
  const answers: Answer[] = [];
  let isOver = false;
  const ask = async (client: number) => {
    for (let turn = 0; !isOver; turn++) {
      const word = words[turn % words.length] ?? "red";
      const query = turn % 3 === 0 ? `${word} ${client} ${turn}` : word;
      const first = await search(query);
      answers.push(first);
      const cursor = first.page?.nextCursor;
      if (!cursor) continue;
      const second = await search(query, `&cursor=${encodeURIComponent(cursor)}`);
      answers.push(second);
      if (second.page && first.page) expect(second.page.space).toBe(first.page.space);
    }
  };
  const asking = Promise.all(Array.from({ length: clients }, (_, client) => ask(client)));
  return {
    answers,
    async stop() {
      isOver = true;
      await asking;
    },
  };
}

async function switchTo(spaceId: number): Promise<void> {
  const answer = await send("PUT", "/spaces/current", { spaceId });
  expect(answer.status, await answer.text()).toBe(200);
}

/** The inner products of a query with all pictures in a space, by the vectors that lie there. */
async function scoresIn(space: string, query: string): Promise<Map<string, number>> {
  const rows = await house.sql<{ id: string; score: number }[]>`
    select vectors.image_id as id, -(vectors.embedding operator(extensions.<#>) queries.embedding) as score
    from parlance.embedding_spaces as spaces
    join parlance.query_vectors as queries on queries.space_id = spaces.id and queries.query = ${query}
    join parlance.image_vectors as vectors on vectors.space_id = spaces.id
    where spaces.name = ${space}
  `;
  return new Map(rows.map(({ id, score }) => [id, score]));
}

/** Whether every hit of a page has the similarity that it has in a space. */
async function isFrom(space: string, { query, page }: Answer): Promise<boolean> {
  const scores = await scoresIn(space, query);
  const items = page?.items ?? [];
  return items.every(
    ({ id, similarity }) => Math.abs((scores.get(id) ?? Number.NaN) - (similarity ?? 9)) < 1e-4,
  );
}

test("a switch there and back under load: no error, and each page is of the space that it names", async () => {
  const load = startLoad(6);
  for (let round = 0; round < 6; round++) {
    const before = load.answers.length;
    await until("some searches were answered", () => load.answers.length >= before + 40);
    const [id, name] = round % 2 === 0 ? [tinyId, "tiny"] : [1, "palette"];
    await switchTo(id);
    expect((await search("red")).page?.space).toBe(name);
  }
  await load.stop();
  expect(load.answers.filter(({ status }) => status !== 200)).toEqual([]);
  const pages = load.answers.map(({ page }) => page);
  for (const page of pages) expect(page).toMatchObject({ method: "vectors", reason: null });
  const count = (name: string) => pages.filter((page) => page?.space === name).length;
  expect(count("tiny")).toBeGreaterThan(50);
  expect(count("palette")).toBeGreaterThan(50);
  expect(count("tiny") + count("palette")).toBe(pages.length);
  for (const answer of load.answers) {
    expect(await isFrom(answer.page?.space ?? "", answer), answer.query).toBe(true);
  }
  // The check can tell the two apart: the same page is not of the other space.
  const known = load.answers.filter(({ query }) => words.includes(query)).slice(0, 50);
  for (const answer of known) {
    expect(await isFrom(answer.page?.space === "tiny" ? "palette" : "tiny", answer)).toBe(false);
  }
}, 60_000);

test("a search that began before a switch ends in its own space, one that begins after in the new one", async () => {
  await switchTo(1);
  const first = await search("blue");
  await switchTo(tinyId);
  const seen = new Set(first.page?.items.map(({ id }) => id));
  let cursor = first.page?.nextCursor ?? null;
  while (cursor !== null) {
    const next = await search("blue", `&cursor=${encodeURIComponent(cursor)}`);
    expect(next).toMatchObject({ status: 200, page: { space: "palette" } });
    expect(await isFrom("palette", next)).toBe(true);
    for (const { id } of next.page?.items ?? []) seen.add(id);
    cursor = next.page?.nextCursor ?? null;
  }
  expect(seen.size).toBe(picturesCount);
  expect((await search("blue")).page?.space).toBe("tiny");
  await switchTo(1);
});

test("a search cannot go on in a space that was dropped, and says so", async () => {
  const id = await addTinySpace("short-lived");
  await fillSpace(id);
  await switchTo(id);
  const first = await search("dark");
  expect(first.page?.space).toBe("short-lived");
  await switchTo(1);
  expect((await send("DELETE", `/spaces/${id}?force=true`)).status).toBe(204);
  const next = await search("dark", `&cursor=${encodeURIComponent(first.page?.nextCursor ?? "")}`);
  expect(next.status).toBe(400);
  expect(JSON.parse(next.text)).toMatchObject({ code: "invalid_cursor" });
  expect((await search("dark")).page?.space).toBe("palette");
});

test("spaces are added and dropped under load: no search fails", async () => {
  const load = startLoad(4);
  for (let round = 0; round < 3; round++) {
    const before = load.answers.length;
    const id = await addTinySpace(`passing-${round}`);
    await fillSpace(id);
    await until("some searches were answered", () => load.answers.length >= before + 20);
    expect((await send("DELETE", `/spaces/${id}`)).status).toBe(204);
  }
  await load.stop();
  expect(load.answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(new Set(load.answers.map(({ page }) => page?.space))).toEqual(new Set(["palette"]));
}, 60_000);
