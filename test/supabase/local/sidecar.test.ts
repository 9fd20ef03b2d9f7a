/** The stack over a Postgres server, whose sidecar is a process of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findStatus } from "../../../supabase/local/status.ts";
import { until } from "../../helpers/until.ts";

const serverUrl = process.env.TEST_DATABASE_URL;
const script = join(import.meta.dirname, "../../../supabase/local/start.ts");

describe.runIf(serverUrl)("a stack over Postgres", () => {
  const name = `parlance_beside_${crypto.randomUUID().replaceAll("-", "")}`;
  let admin: Sql;
  let sql: Sql;
  let folder: string;
  let env: Record<string, string>;
  let stack: Bun.Subprocess;

  beforeEach(async () => {
    admin = postgres(serverUrl ?? "", { max: 1, onnotice: () => {} });
    await admin.unsafe(`create database ${name}`);
    const url = new URL(serverUrl ?? "");
    url.pathname = `/${name}`;
    sql = postgres(url.href, { max: 1, onnotice: () => {} });
    folder = await mkdtemp(join(tmpdir(), "parlance-beside-"));
    const settings = { PORT: "0", DATA_DIR: folder, DATABASE_URL: url.href, SAMPLES: "false" };
    env = { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...settings };
    stack = Bun.spawn([process.execPath, script], {
      cwd: folder,
      env,
      stdio: ["ignore", "ignore", "ignore"],
    });
    const isReady = async () => (await findStatus(folder)) !== undefined;
    await until("the stack is ready", isReady, { timeoutMs: 30_000, everyMs: 50 });
  }, 40_000);

  afterEach(async () => {
    stack.kill("SIGKILL");
    await stack.exited;
    await sql.end();
    await admin.unsafe(`drop database if exists ${name} with (force)`);
    await admin.end();
    await rm(folder, { recursive: true, force: true });
  });

  const countWorkers = async () => (await sql`select from parlance.workers where runner = 'sidecar'`).count;

  test.each(["SIGKILL", "SIGTERM"] as const)("that ends by %s takes its sidecar with it", async (signal) => {
    expect(await countWorkers()).toBe(1);
    stack.kill(signal);
    await stack.exited;
    // A sidecar that drains takes its row out of the table.
    await until("the sidecar has gone", async () => (await countWorkers()) === 0);
  });

  test("tells with what another sidecar logs in", async () => {
    const status = await findStatus(folder);
    const login = postgres(status?.SIDECAR_DB_URL ?? "", { max: 1 });
    expect(await login`select current_user as role`).toEqual([{ role: "parlance_sidecar" }]);
    await login.end();
  });

  test("whose sidecar cannot start says why at once, and ends", async () => {
    stack.kill("SIGTERM");
    await stack.exited;
    await until("the sidecar has gone", async () => (await countWorkers()) === 0);
    const second = Bun.spawn([process.execPath, script], {
      cwd: folder,
      env: { ...env, DEVICES: "cuda:63" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const errors = await new Response(second.stderr).text();
    expect(await second.exited).toBe(1);
    expect(errors).toContain("The sidecar did not start: DEVICES names cuda:63");
  });
});
