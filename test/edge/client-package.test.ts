/** What programs outside this repository are given: docs/client, and the export `parlance/client` that names it. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestApp, type TestApp } from "../helpers/app.ts";
import { openapiPath } from "../helpers/openapi.ts";
import { buildClient, clientFolder } from "../helpers/published-client.ts";
import { type Document, listRoutes } from "../helpers/reference/document.ts";
import { writeCall } from "../helpers/reference/examples.ts";

const root = join(import.meta.dirname, "../..");
const bundleBytesMax = 10_000;

test("docs/client is the client of these routes; `bun run openapi` writes it", {
  timeout: 60_000,
}, async () => {
  for (const [path, text] of Object.entries(await buildClient())) {
    expect(await readFile(join(clientFolder, path), "utf8"), path).toBe(text);
  }
});

test(`a browser is sent the client and hono's, below ${bundleBytesMax} bytes, and nothing of the server`, async () => {
  for (const entry of [join(root, "edge/client.ts"), join(clientFolder, "client.js")]) {
    const build = await Bun.build({
      entrypoints: [entry],
      target: "browser",
      minify: true,
      sourcemap: "external",
    });
    const [code, map] = build.outputs;
    if (!code || !map) throw new Error("no bundle was made");
    const { sources }: { sources: string[] } = JSON.parse(await map.text());
    expect(
      sources.filter((path) => !/node_modules\/hono\/dist\/(client|utils)\/|client\.(ts|js)$/.test(path)),
    ).toEqual([]);
    expect(code.size).toBeLessThan(bundleBytesMax);
    expect(code.size).toBeGreaterThan(1_000);
    expect(await code.text()).not.toMatch(/postgres|sharp|onnxruntime|jose|zod|node:/);
  }
});

/** A program as an app's developer writes it, and what the compiler must refuse of it. */
const program = (client: string) => `
import { ApiProblem, type Client, createClient, unwrap } from "${client}";

const [url = "", publishableKey = ""] = process.argv.slice(2);
const client: Client = createClient({ url, publishableKey });
const page = await unwrap(client.images.search.$get({ query: { q: "blue sea", limit: 5 } }));
const method: string = page.method;
const problem = await unwrap(client.images[":id"].$get({ param: { id: "none" } })).catch((error: unknown) => error);
if (!(problem instanceof ApiProblem)) throw problem;
console.log(JSON.stringify({ method, hits: page.items.length, code: problem.code }));

export const wrong = async () => {
  const hits: string = page.items;
  await client.images.search.$get({ query: { q: "sea", flavour: "sour" } });
  return hits;
};

declare const process: { argv: string[] };
`;

const consumerConfig = (resolution: "bundler" | "nodenext") => ({
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2022", "DOM", "DOM.Iterable"],
    module: resolution === "bundler" ? "ESNext" : "NodeNext",
    moduleResolution: resolution,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUnusedLocals: true,
    skipLibCheck: false,
    types: [],
  },
  files: ["main.ts"],
});

describe("a program outside this repository", { timeout: 120_000 }, () => {
  let house: TestApp;
  let server: { port?: number | undefined; stop(force: boolean): Promise<void> };
  let folder: string;
  beforeAll(async () => {
    house = await openTestApp();
    const serve = (request: Request) =>
      house.app.fetch(new Request(request.url.replace("/functions/v1", ""), request));
    server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: serve });
    folder = await mkdtemp(join(tmpdir(), "parlance-consumer-"));
  });
  afterAll(async () => {
    await server?.stop(true);
    await house?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(command: readonly string[], cwd: string): Promise<string> {
    const child = Bun.spawn([...command], { cwd, stdout: "pipe", stderr: "pipe", timeout: 60_000 });
    const [said, wrong] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    await child.exited;
    return said + wrong;
  }

  /** A project of its own that has nothing but what `link` puts there. */
  async function createConsumer(name: string, client: string, link: (path: string) => Promise<unknown>) {
    const path = join(folder, name);
    await mkdir(join(path, "node_modules"), { recursive: true });
    await link(path);
    await writeFile(join(path, "package.json"), JSON.stringify({ name, type: "module" }));
    await writeFile(join(path, "main.ts"), program(client));
    return path;
  }

  const given = () => [`http://127.0.0.1:${server.port}`, house.keys.publishableKey];
  const told = { method: "keywords", hits: 0, code: "invalid_request" };

  const copyClient = async (path: string) => {
    await cp(clientFolder, join(path, "client"), { recursive: true });
    await symlink(join(root, "node_modules/hono"), join(path, "node_modules/hono"));
  };

  async function checkConsumer(path: string): Promise<void> {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    for (const resolution of ["bundler", "nodenext"] as const) {
      await writeFile(join(path, "tsconfig.json"), JSON.stringify(consumerConfig(resolution)));
      const said = await run([process.execPath, tsc, "-p", "."], path);
      const mistakes = [...said.matchAll(/^(.+?)\((\d+),\d+\): error (TS\d+)/gm)].map((match) =>
        match.slice(1),
      );
      expect(mistakes, said).toEqual([
        ["main.ts", "13", "TS2322"],
        ["main.ts", "14", "TS2353"],
      ]);
    }
    const runtimes = [process.execPath, Bun.which("node")].filter((runtime) => runtime !== null);
    for (const runtime of runtimes) {
      const said = await run([runtime, "main.js", ...given()], path);
      expect(JSON.parse(said), said).toEqual(told);
    }
  }

  test("that depends on `parlance` imports `parlance/client`, with types, on Bun and Node", async () => {
    const path = await createConsumer("linked", "parlance/client", (path) =>
      symlink(root, join(path, "node_modules/parlance")),
    );
    await checkConsumer(path);
  });

  test("that copied docs/client needs hono beside it and nothing else", async () => {
    const path = await createConsumer("copied", "./client/client.js", copyClient);
    await checkConsumer(path);
  });

  const { DENO_BINARY } = process.env;
  if (DENO_BINARY) {
    test("that runs on Deno 2.1 finds the types of the copied folder too", async () => {
      const path = await createConsumer("deno", "./client/client.js", copyClient);
      const deno = (command: string, ...words: string[]) =>
        run([DENO_BINARY, command, "--no-lock", "--node-modules-dir=manual", ...words], path);
      const said = await deno("check", "main.ts");
      expect([...said.matchAll(/TS\d{4}/g)].map(String), said).toEqual(["TS2322", "TS2353"]);
      const ran = await deno("run", "--allow-all", "main.ts", ...given());
      expect(ran).toContain(JSON.stringify(told));
    });
  }

  test("may call every route as the reference page shows it", async () => {
    const path = await createConsumer("examples", "parlance/client", (path) =>
      symlink(root, join(path, "node_modules/parlance")),
    );
    const document: Document = JSON.parse(await readFile(openapiPath, "utf8"));
    const calls = listRoutes(document).map((route) => `  ${writeCall(document, route)}`);
    const opening = 'import { type Client, unwrap } from "parlance/client";';
    const text = `${opening}\nexport async function callAll(client: Client, file: File) {\n${calls.join("\n")}\n}\n`;
    await writeFile(join(path, "main.ts"), text);
    await writeFile(join(path, "tsconfig.json"), JSON.stringify(consumerConfig("bundler")));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    expect(calls.length).toBeGreaterThan(10);
    expect(await run([process.execPath, tsc, "-p", "."], path)).toBe("");
  });
});
