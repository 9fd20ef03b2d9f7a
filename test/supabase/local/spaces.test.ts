import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../../../edge/client.ts";
import { builtInCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import { createPictureStore } from "../../../gpu-sidecar/storage.ts";
import { runWorker } from "../../../gpu-sidecar/worker.ts";
import { SpaceComparison } from "../../../shared/images/space-contract.ts";
import { createLog } from "../../../shared/log.ts";
import { parseSpacesArguments } from "../../../supabase/local/spaces/arguments.ts";
import { explainRefusal, runSpaces } from "../../../supabase/local/spaces.ts";
import { openInference } from "../../gpu-sidecar/library.ts";
import { storePictures } from "../../gpu-sidecar/stored-pictures.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";
import { until } from "../../helpers/until.ts";

let house: TestApp;
let url: string;
let modelsFolder: string;
const closing: (() => Promise<unknown>)[] = [];
const stopping: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  house = await openTestApp();
  closing.push(() => house.close());
  await house.deps.objects.ensureBucket();
  const fetch = (request: Request) => {
    const path = request.url.slice(new URL(request.url).origin.length).replace("/functions/v1", "");
    return house.app.fetch(new Request(`http://127.0.0.1${path}`, request));
  };
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch });
  closing.push(() => server.stop(true));
  url = `http://127.0.0.1:${server.port}`;
  modelsFolder = await mkdtemp(join(tmpdir(), "parlance-models-"));
  closing.push(() => rm(modelsFolder, { recursive: true }));
  await storePictures({ house }, 12, { keywords: ["red", "dark blue"] });
}, 60_000);

afterEach(async () => {
  for (const stop of stopping.splice(0).reverse()) await stop();
  await house.sql`select parlance.switch_embedding_space(1::smallint)`;
  const others = await house.sql<{ id: number }[]>`select id from parlance.embedding_spaces where id <> 1`;
  for (const { id } of others) await house.sql`select parlance.drop_embedding_space(${id}::smallint)`;
  await house.sql`delete from parlance.jobs`;
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

async function startSidecar(): Promise<void> {
  const sql = house.database.connect({ role: "parlance_sidecar", max: 1 });
  const worker = await runWorker({
    sql,
    catalog: builtInCatalog,
    inference: openInference(),
    store: createPictureStore({ ...house.config, sizeBytesMax: house.config.uploadBytesMax }),
    device: "cpu",
    log: createLog(() => {}, "error"),
    slots: { interactive: 1, bulk: 1 },
    pixelsMax: 2_000_000,
    drainMs: 0,
  });
  stopping.push(async () => {
    await worker.stop();
    await sql.end({ timeout: 1 });
  });
}

/** Types the command; answers what it said, and what it drew beside. */
async function type(line: string, options: { signal?: AbortSignal; isTTY?: boolean } = {}) {
  const said: string[] = [];
  const drawn: string[] = [];
  await runSpaces(line === "" ? [] : line.split(" "), {
    client: createClient({ url, secretKey: house.keys.secretKey }),
    modelsFolder,
    print: (text) => said.push(text),
    terminal: { isTTY: options.isTTY ?? false, write: (text) => drawn.push(text) },
    signal: options.signal ?? new AbortController().signal,
    pollMs: 20,
    offerMs: 0,
  });
  return { said: said.join("\n"), drawn: drawn.join("") };
}

function refusalOf(line: string): Promise<string> {
  return type(line).then(
    ({ said }) => `nothing was refused: ${said}`,
    (error) => explainRefusal(error) ?? `not explained: ${error}`,
  );
}

describe("the words", () => {
  test("are a list where there are none", () => {
    expect(parseSpacesArguments([])).toMatchObject({ command: "list", asJson: false });
    expect(parseSpacesArguments(["--json"])).toMatchObject({ command: "list", asJson: true });
    expect(parseSpacesArguments(["list", "--json"])).toMatchObject({ command: "list", asJson: true });
  });

  test("name a space and what is to be done with it", () => {
    expect(parseSpacesArguments(["add", "clip", "--name", "new"])).toMatchObject({
      target: "clip",
      name: "new",
    });
    expect(parseSpacesArguments(["fill", "--wait", "new"])).toMatchObject({ target: "new", waits: true });
    expect(parseSpacesArguments(["compare", "new"])).toMatchObject({ queries: 200, asJson: false });
    expect(parseSpacesArguments(["compare", "new", "--queries", "7", "--json"])).toMatchObject({
      queries: 7,
      asJson: true,
    });
    expect(parseSpacesArguments(["switch", "new", "--force"])).toMatchObject({ forces: true });
  });

  test.each([
    "help",
    "--help",
    "list new",
    "add",
    "add a b",
    "add a --name",
    "add a --name --wait",
    "add a --force",
    "fill",
    "fill a --force",
    "fill a --wait --wait",
    "compare a --queries 0",
    "compare a --queries 1001",
    "compare a --queries many",
    "switch",
    "drop",
    "drop a --json",
  ])("%s: it is said how the command is used", (line) => {
    expect(() => parseSpacesArguments(line.split(" "))).toThrow("Usage: bun run spaces");
  });
});

test("a model is replaced: added, filled, compared, switched to, switched back, dropped", async () => {
  await startSidecar();
  await type("fill palette --wait");
  const added = await type("add palette --name second");
  expect(added.said).toContain("bun run spaces fill second --wait");
  expect(added.drawn).toBe("");
  expect((await type("")).said).toMatch(/second +palette +128 +0 of 12 +empty: bun run spaces fill \d+/);

  const filled = await type("fill second --wait");
  expect(filled.said).toContain(`"second" got 12 vectors.`);
  expect(filled.drawn).toContain("12/12");
  expect((await type("list")).said).toMatch(
    /▶ +1 +palette .* searches\n.*second .* 12 of 12 +complete, kept so/,
  );

  const compared = await type("compare second --queries 20");
  expect(compared.said).toContain("second beside palette, which searches now");
  expect(compared.said).toMatch(/the same among the ten best +\d+\.\d %/);
  expect(compared.said).toMatch(/recall@10 of second's index +100\.0 %/);
  const json = await type("compare second --json");
  expect(SpaceComparison.parse(JSON.parse(json.said)).queries.compared).toBeGreaterThan(0);

  expect((await type("switch second")).said).toContain("bun run spaces switch palette");
  expect((await type("switch second")).said).toContain("already");
  expect((await type("switch 1")).said).toContain(`"palette" searches from now on.`);
  expect(await refusalOf("drop second")).toMatch(/within the last hour.*--force drops it now/);
  expect((await type("drop second --force")).said).toContain("with 12 vectors");
  expect((await type("")).said).not.toContain("second");
}, 60_000);

test("the list as JSON is what the API says", async () => {
  const { body } = await house.call("secret", "GET", "/spaces");
  expect(JSON.parse((await type("list --json")).said)).toEqual(body.items);
});

describe("without a sidecar", () => {
  test("a fill waits and says for whom; Ctrl-C ends the watching, not the job", async () => {
    expect((await type("add palette --name second")).drawn).toContain("No sidecar that runs now offers");
    const watching = new AbortController();
    const watched = type("fill second --wait", { signal: watching.signal });
    const isThere = async () =>
      (await house.sql`select from parlance.jobs where state = 'queued'`).length === 1;
    await until("the job is there", isThere);
    watching.abort();
    const { said, drawn } = await watched;
    expect(said).toContain("without you");
    expect(drawn).toContain("No sidecar that runs now offers");
    expect(await isThere()).toBe(true);
    expect((await type("")).said).toMatch(/second .*waits to be filled · no sidecar has its model/);
  });

  test("a fill that is not watched is told how to be", async () => {
    await type("add palette --name second");
    expect((await type("fill second")).said).toMatch(
      /12 of 12 pictures are missing.\nWatch it: bun run spaces fill second --wait/,
    );
  });
});

describe("what goes wrong says what to do next", () => {
  test("a model that is not installed", async () => {
    expect(await refusalOf("add clip")).toMatch(/No model "clip" is installed in .*bun run models pull clip/);
  });

  test("a space that is not there", async () => {
    for (const line of ["fill x", "compare x", "switch x", "drop x"]) {
      expect(await refusalOf(line)).toBe('There is no space "x". There is: palette (1).');
    }
  });

  test("a name that is taken, or none", async () => {
    expect(await refusalOf("add palette")).toContain("body.name is taken by another space");
    expect(await refusalOf("add palette --name No!")).toMatch(/body\.name must be/);
  });

  test("a switch to a space that lacks vectors, and a drop of the one that searches", async () => {
    await type("add palette --name second");
    expect(await refusalOf("switch second")).toMatch(
      /has no vector of 12 of 12 pictures.*bun run spaces fill \d+ --wait.*--force switches all the same/,
    );
    expect(await refusalOf("drop palette")).toContain("Switch to another one first");
    expect(await refusalOf("compare palette")).toContain("compare another one with it");
  });

  test("a job that is cancelled", async () => {
    await type("add palette --name second");
    const watched = refusalOf("fill second --wait");
    let id: string | undefined;
    await until("the job is there", async () => {
      [{ id } = { id: undefined }] = await house.sql<{ id: string }[]>`select id from parlance.jobs`;
      return id !== undefined;
    });
    await house.call("secret", "POST", `/jobs/${id}/cancellation`);
    expect(await watched).toBe("It was cancelled.");
  });

  test("a server that is not there", async () => {
    const client = createClient({ url: "http://127.0.0.1:1", secretKey: "sb_secret_x" });
    const asking = runSpaces([], {
      client,
      modelsFolder,
      print: () => {},
      terminal: { write: () => {} },
      signal: new AbortController().signal,
    });
    const error = await asking.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(explainRefusal(error)).toContain("bun run status");
  });
});
