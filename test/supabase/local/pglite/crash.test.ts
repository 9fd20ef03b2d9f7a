import { existsSync } from "node:fs";
import { mkdtemp, rm, watch } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openPglite } from "../../../../supabase/local/database.ts";

const program = fileURLToPath(new URL("../../../helpers/write-until-killed.ts", import.meta.url));

let root: string;
let dataDir: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "parlance-crash-"));
  dataDir = join(root, "database");
});
afterEach(async () => {
  for (const process of started.splice(0)) {
    process.kill("SIGKILL");
    await process.exited;
  }
  await rm(root, { recursive: true });
});

const started: Bun.Subprocess[] = [];

/** Another process that writes into the folder until it is killed. */
function startWriter(): Bun.Subprocess<"ignore", "pipe", "pipe"> {
  const writer = Bun.spawn(["bun", program, dataDir], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  started.push(writer);
  return writer;
}

/** Kills a writer once it has told of `rows` committed rows; returns the last that it told. */
async function writeAndKill(rows: number): Promise<number> {
  const writer = startWriter();
  let printed = "";
  for await (const chunk of writer.stdout.pipeThrough(new TextDecoderStream())) {
    printed += chunk;
    if (printed.split("\n").length > rows) break;
  }
  writer.kill("SIGKILL");
  await writer.exited;
  return Number(printed.trimEnd().split("\n").at(-1));
}

test("what was committed survives SIGKILL, twice, and the open transaction does not", {
  timeout: 60_000,
}, async () => {
  for (const rows of [50, 100]) {
    const last = await writeAndKill(rows);
    expect(last).toBeGreaterThanOrEqual(rows);
    const database = await openPglite({ dataDir });
    const sql = database.connect({ role: "postgres" });
    const [row] = await sql<{ count: number; first: number; last: number; open: number }[]>`
      select count(*), min(id) as first, max(id) as last, count(*) filter (where id < 0) as open from public.things
    `;
    expect(row?.open).toBe(0);
    expect(row?.last).toBeGreaterThanOrEqual(last);
    expect(row?.count).toBe((row?.last ?? 0) - (row?.first ?? 0) + 1);
    await sql.end();
    await database.close();
  }
});

test("a first start that is killed half-way does not spoil the next", { timeout: 60_000 }, async () => {
  const changes = watch(root, { signal: AbortSignal.timeout(30_000) });
  const starting = startWriter();
  for await (const { filename } of changes) if (filename === "database.new") break;
  starting.kill("SIGKILL");
  await starting.exited;
  expect(existsSync(dataDir)).toBe(false);
  const database = await openPglite({ dataDir });
  const sql = database.connect({ role: "postgres" });
  expect(await sql`select 1 as one`).toEqual([{ one: 1 }]);
  await sql.end();
  await database.close();
});

test("two processes do not open one folder", { timeout: 60_000 }, async () => {
  const database = await openPglite({ dataDir });
  const second = startWriter();
  expect(await second.exited).not.toBe(0);
  expect(await new Response(second.stderr).text()).toContain(`in use by process ${process.pid}`);
  await database.close();
});
