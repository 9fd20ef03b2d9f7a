/** How much memory an import takes, by the size of its file: the runner is a process of its own, fresh for each. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loginUrl } from "../../../supabase/local/logins.ts";
import { median, percentile, round } from "../sidecar/measure.ts";
import { writeCsv } from "./csv-file.ts";
import { awaitImport, sendFile } from "./importing.ts";
import { type BenchApp, openBenchApp, timeSeconds } from "./rig.ts";
import type { InteractionsScale } from "./scale.ts";

export async function measureMemory({ megabytes }: InteractionsScale) {
  const folder = await mkdtemp(join(tmpdir(), "parlance-bench-"));
  const rows: object[] = [];
  try {
    for (const size of megabytes) {
      const bench = await openBenchApp();
      try {
        rows.push(await measureOne(bench, { size, path: join(folder, `${size}.csv`) }));
      } finally {
        await bench.close();
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return { tables: { "import: resident memory of the runner's process": rows } };
}

async function measureOne(bench: BenchApp, { size, path }: { size: number; path: string }): Promise<object> {
  const kind = "log";
  const file = await writeCsv({ path, kind, rowsMax: Math.ceil(size * 970), bytesMax: size * 1e6 });
  const id = await sendFile(bench, bench.alice, file);
  await rm(path);
  const child = await startChild(bench);
  try {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const before = child.take();
    const seconds = await timeSeconds(async () => {
      await bench.ask(bench.alice, "POST", `/interactions/imports/${id}/completion`);
      await awaitImport(bench, bench.alice, id);
    });
    const during = child.take();
    const tenth = Math.ceil(during.length / 10);
    return {
      file: `${round(file.bytes / 1e6, 1)} MB, ${file.rows} rows`,
      "before MiB": Math.round(median(before)),
      "median MiB": Math.round(median(during)),
      "second tenth, greatest": Math.round(percentile(during.slice(tenth, 2 * tenth), 1)),
      "last tenth, greatest": Math.round(percentile(during.slice(-tenth), 1)),
      "greatest MiB": Math.round(percentile(during, 1)),
      seconds: round(seconds, 1),
    };
  } finally {
    await child.stop();
  }
}

async function startChild({ sql, keys, config }: BenchApp) {
  const [row] = await sql<{ name: string }[]>`select current_database() as name`;
  const url = new URL(process.env.TEST_DATABASE_URL ?? "");
  url.pathname = `/${row?.name}`;
  const seen: number[] = [];
  const child = Bun.spawn(["bun", new URL("./edge-process.ts", import.meta.url).pathname], {
    env: {
      ...process.env,
      SUPABASE_URL: config.supabaseUrl,
      SUPABASE_DB_URL: loginUrl(url.href, "parlance_owner"),
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
      SUPABASE_JWKS: JSON.stringify(keys.jwks),
      LOG_LEVEL: "warn",
    },
    stdout: "inherit",
    stderr: "inherit",
    ipc: (bytes: number) => seen.push(bytes / 2 ** 20),
  });
  return {
    /** What was seen since the last time, in MiB. */
    take: () => seen.splice(0),
    async stop() {
      child.send("stop");
      await child.exited;
    },
  };
}
