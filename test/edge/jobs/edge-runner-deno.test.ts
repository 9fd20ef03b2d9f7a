import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { houseSchedules } from "../../../edge/tasks.ts";
import { databaseOptions } from "../../../shared/database.ts";
import { loginUrl } from "../../../supabase/local/logins.ts";
import { until } from "../../helpers/until.ts";
import { createDatabase, type OpenStack, openStack } from "../../http/targets.ts";

const root = join(import.meta.dirname, "../../..");
const serverUrl = process.env.TEST_DATABASE_URL ?? "";
const deno = process.env.DENO_BINARY ?? "";

/** The function on Deno, with a stand-in for the edge runtime around it; nothing else runs jobs or ticks. */
async function openIsolate() {
  const database = await createDatabase(serverUrl);
  const house: OpenStack = await openStack(database.url, {
    SIDECAR: "false",
    SAMPLES: "false",
    EDGE_RUNNER: "false",
  });
  const { publicUrl, keys } = house.stack;
  const config = join(root, "supabase/functions/api/deno.json");
  const script = join(root, "test/helpers/serve-on-edge-runtime.mjs");
  const child = Bun.spawn([deno, "run", "--no-lock", "--allow-all", "--config", config, script], {
    cwd: root,
    env: {
      ...process.env,
      DENO_TLS_CA_STORE: "system",
      DENO_NO_UPDATE_CHECK: "1",
      SUPABASE_URL: publicUrl,
      SUPABASE_DB_URL: loginUrl(database.url, "parlance_owner"),
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
    },
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines: Record<string, unknown>[] = [];
  const reading = readLines(child.stdout, (line) => lines.push(JSON.parse(line)));
  const find = (event: string) => lines.filter((line) => line.event === event);
  // Deno may have to fetch its packages first.
  await until("it listens", () => find("test.listening").length > 0, { timeoutMs: 120_000, everyMs: 50 });
  const sql = postgres(database.url, { ...databaseOptions, max: 4 });
  return {
    child,
    sql,
    find,
    async post(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
      const url = `http://127.0.0.1:${find("test.listening")[0]?.port}/api${path}`;
      const answer = await fetch(url, { method: "POST", headers: { apikey: keys.secretKey } });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    },
    async stop(): Promise<void> {
      child.kill("SIGTERM");
      await child.exited;
      await reading;
      await sql.end();
      await house.close();
      await database.drop();
    },
  };
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream() as never) as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
}

describe.runIf(serverUrl && deno)("on Deno 2.1 with an EdgeRuntime", { timeout: 180_000 }, () => {
  let isolate: Awaited<ReturnType<typeof openIsolate>>;
  beforeAll(async () => {
    isolate = await openIsolate();
    expect((await isolate.post("/jobs/ticks?jobsMax=0")).status).toBe(200);
  }, 180_000);
  afterAll(() => isolate?.stop());

  const statesOf = (kind: string) => isolate.sql<{ state: string; attempts: number; leaseLosses: number }[]>`
    select state, attempts, lease_losses from parlance.jobs where kind = ${kind} order by id
  `;

  test("a job that a request adds runs after its answer, without a tick, and the isolate is kept for it", async () => {
    await isolate.sql`delete from parlance.jobs`;
    const before = isolate.find("test.waits").length;
    const answers = await Promise.all(
      ["house.expire-keys", "jobs.prune-history", "images.sweep-objects"].map((name) =>
        isolate.post(`/jobs/schedules/${name}/runs`),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    await until("all are done", async () => {
      const jobs = await isolate.sql`select from parlance.jobs where state = 'done'`;
      return jobs.length === 3;
    });
    const waits = () => isolate.find("test.waits").length - before;
    expect(waits()).toBeGreaterThanOrEqual(1);
    await until(
      "all that it waited for is over",
      () => isolate.find("test.waited").length - before === waits(),
    );
    expect(isolate.find("test.rejected")).toEqual([]);
  });

  test("a tick runs what is due", async () => {
    await isolate.sql`delete from parlance.jobs`;
    await isolate.sql`update parlance.job_schedules set next_at = now(), due_at = now()`;
    const { status, body } = await isolate.post("/jobs/ticks?cpuMs=3000");
    expect([status, body]).toEqual([
      200,
      { added: houseSchedules.length, rescued: 0, done: houseSchedules.length, failed: 0, requeued: 0 },
    ]);
  });

  test("an isolate that is about to end hands its jobs back, untried, and takes no others", async () => {
    await isolate.sql`delete from parlance.jobs`;
    const held = Promise.withResolvers<void>();
    const isHeld = Promise.withResolvers<void>();
    const holding = isolate.sql.begin(async (transaction) => {
      await transaction`lock table parlance.idempotency_keys in access exclusive mode`;
      isHeld.resolve();
      await held.promise;
    });
    await isHeld.promise;
    try {
      await isolate.sql`update parlance.job_schedules set next_at = now(), due_at = now() where name = 'house.expire-keys'`;
      const ticking = isolate.post("/jobs/ticks");
      await until("the job runs", async () => (await statesOf("house.expire-keys"))[0]?.state === "running");
      isolate.child.kill("SIGUSR1");
      expect((await ticking).body).toMatchObject({ done: 0, failed: 0, requeued: 1 });
    } finally {
      held.resolve();
      await holding;
    }
    expect(isolate.find("isolate.ends")).toMatchObject([{ reason: "wall_clock" }]);
    const job = { state: "queued", attempts: 0, leaseLosses: 0 };
    expect(await statesOf("house.expire-keys")).toEqual([job]);
    const waited = isolate.find("test.waited").length;
    await isolate.post("/jobs/schedules/house.expire-keys/runs");
    await until("it has looked", () => isolate.find("test.waited").length > waited);
    expect(await statesOf("house.expire-keys")).toEqual([job, job]);
  });
});
