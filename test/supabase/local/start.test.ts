import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { drawPicture } from "../../http/pictures.ts";

const program = (name: string) => fileURLToPath(new URL(`../../../supabase/local/${name}`, import.meta.url));
const started: Bun.Subprocess[] = [];

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "parlance-start-"));
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill("SIGKILL");
    await child.exited;
  }
});
afterAll(() => rm(root, { recursive: true }));

interface House {
  readonly child: Bun.Subprocess;
  /** What was printed up to a text, or to the end where it never comes. */
  readUntil(text: string): Promise<string>;
  readonly errors: Promise<string>;
}

/** A command of the embedded mode, in the folder `data` unless told otherwise. */
function run(
  name: string,
  { words = [], settings = {} }: { words?: readonly string[]; settings?: Record<string, string> } = {},
): House {
  const child = Bun.spawn([process.execPath, program(name), ...words], {
    cwd: root,
    env: { PATH: process.env.PATH, PORT: "0", DATA_DIR: join(root, "data"), ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  const reader = child.stdout.pipeThrough(new TextDecoderStream() as never).getReader();
  let printed = "";
  return {
    child,
    errors: new Response(child.stderr).text(),
    async readUntil(text) {
      while (!printed.includes(text)) {
        const { done, value } = await reader.read();
        if (done) break;
        printed += value;
      }
      return printed;
    },
  };
}

const lastLine = "Ctrl-C stops everything.";

/** The exit code and what was told of a start that is refused. */
async function refuse(settings: Record<string, string>): Promise<{ code: number; errors: string }> {
  const { child, errors } = run("start.ts", { settings: { SAMPLES: "false", ...settings } });
  return { code: await child.exited, errors: await errors };
}

test("a start makes the samples searchable; the next one finds them, and takes in a folder", {
  timeout: 60_000,
}, async () => {
  const first = run("start.ts");
  const printed = await first.readUntil(lastLine);
  expect(printed).toContain("12/12");
  expect(printed).toMatch(/“sunset colours”\n +\d\.\d\d {2}Sunset over the sea/);
  expect(printed).toMatch(/“dark night”\n +\d\.\d\d {2}City at night/);
  expect(printed).toMatch(/“pale green and white”\n +\d\.\d\d {2}Apple blossom/);
  // A terminal and `bun run` both hand the signal on.
  first.child.kill("SIGINT");
  first.child.kill("SIGINT");
  expect(await first.child.exited).toBe(0);
  expect(await first.readUntil("Stopped.")).toContain("Stopped. Your data is kept.");

  await mkdir(join(root, "pics"));
  await writeFile(join(root, "pics", "text.jpg"), "no picture");
  await writeFile(join(root, "pics", "teal.jpg"), await drawPicture("teal", 1));
  const second = run("start.ts", { words: [join(root, "pics")] });
  const again = await second.readUntil(lastLine);
  expect(again).not.toContain("sample pictures");
  expect(again).toContain("not taken: pics › text.jpg: The content is none of jpeg");
  expect(again).toMatch(/“sunset colours”\n +\d\.\d\d {2}Sunset over the sea/);

  const status = run("status.ts", { words: ["--json"] });
  const told = JSON.parse(await status.readUntil("}\n")) as Record<string, string>;
  expect(again).toContain(told.API_URL);
  const page = await fetch(`${told.FUNCTIONS_URL}/api/images?limit=50`, {
    headers: { apikey: told.SECRET_KEY ?? "" },
  });
  expect(((await page.json()) as { items: unknown[] }).items).toHaveLength(13);

  const third = await refuse({});
  expect(third).toEqual({
    code: 1,
    errors: expect.stringContaining(`is in use by process ${second.child.pid}. Stop it first`),
  });
  second.child.kill("SIGTERM");
  expect(await second.child.exited).toBe(0);
});

test("a port that something else has is refused", { timeout: 60_000 }, async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const address = other.address();
  const port = typeof address === "object" && address ? String(address.port) : "";
  const { code, errors } = await refuse({ PORT: port, DATA_DIR: join(root, "other") });
  other.close();
  expect(errors).toContain(
    `could not start: Port ${port} of 127.0.0.1 cannot be had: something else listens there. Stop it, or set PORT`,
  );
  expect(code).toBe(1);
});

test.each([
  [
    "a wrong setting",
    { MODEL_THREADS: "many" },
    "MODEL_THREADS is wrong; expected a whole number of threads",
  ],
  ["a data folder that is none", { DATA_DIR: fileURLToPath(import.meta.url) }, "Set DATA_DIR to a folder"],
  [
    "a database that is not there",
    { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" },
    "The database 127.0.0.1:1/none cannot be used",
  ],
])("%s is refused", { timeout: 30_000 }, async (_what, settings, message) => {
  const { code, errors } = await refuse(settings);
  expect(errors).toContain(message);
  expect(code).toBe(1);
});

test("Ctrl-C during the start ends it in order", { timeout: 60_000 }, async () => {
  const settings = { DATA_DIR: join(root, "data"), SAMPLES: "false" };
  const house = run("start.ts", { settings });
  await house.readUntil("Parlance starts");
  house.child.kill("SIGINT");
  expect(await house.child.exited).toBe(0);
  expect(await house.readUntil("Stopped.")).not.toContain("Ready");
  expect(await house.errors).toBe("");
});
