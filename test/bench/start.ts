import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");

interface Started {
  readonly readySeconds: number;
  readonly memoryMiB: number;
}

/**
 * Seconds from the command to "Ready", and the memory it tells then: on an empty folder with the samples, without
 * them, and again on what is there.
 */
export async function benchStart({ quick }: { quick: boolean }) {
  const rows: object[] = [];
  for (let round = 1; round <= (quick ? 1 : 3); round += 1) {
    const folder = await mkdtemp(join(tmpdir(), "parlance-bench-"));
    const bare = await mkdtemp(join(tmpdir(), "parlance-bench-"));
    try {
      rows.push({ round, start: "first, with samples", ...(await startOnce(folder, "true")) });
      rows.push({ round, start: "second", ...(await startOnce(folder, "true")) });
      rows.push({ round, start: "first, without samples", ...(await startOnce(bare, "false")) });
    } finally {
      await Promise.all([folder, bare].map((path) => rm(path, { recursive: true, force: true })));
    }
  }
  return { settings: { database: "PGlite on disk", packages: "installed" }, rows };
}

async function startOnce(dataDir: string, samples: string): Promise<Started> {
  const child = Bun.spawn([process.execPath, join(root, "supabase/local/start.ts")], {
    env: { ...process.env, DATA_DIR: dataDir, PORT: "0", SAMPLES: samples },
    stdout: "pipe",
    stderr: "inherit",
  });
  const kill = setTimeout(() => child.kill("SIGKILL"), 60_000);
  try {
    let printed = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream() as never)) {
      printed += chunk;
      const ready = /Ready after ([\d.]+) s, (\d+) MiB/.exec(printed);
      if (!ready) continue;
      child.kill("SIGTERM");
      return { readySeconds: Number(ready[1]), memoryMiB: Number(ready[2]) };
    }
    throw new Error(`The house did not start:\n${printed}`);
  } finally {
    await child.exited;
    clearTimeout(kill);
  }
}
