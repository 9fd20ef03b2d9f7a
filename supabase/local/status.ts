/** `bun run status [--json]`: the URLs and keys of the running stack, as `supabase status -o json` prints them. */
import { readFile } from "node:fs/promises";
import { readLocalConfig, statusPath } from "./config.ts";

export interface Status {
  API_URL: string;
  FUNCTIONS_URL: string;
  PUBLISHABLE_KEY: string;
  SECRET_KEY: string;
  /** Only over a Postgres of your own. */
  DB_URL?: string;
  /** Only there too: what a sidecar that is started by hand logs in with. */
  SIDECAR_DB_URL?: string;
}

/** What the stack over `dataDir` wrote when it started, or undefined when none answers there. */
export async function findStatus(dataDir: string): Promise<Status | undefined> {
  try {
    const status = JSON.parse(await readFile(statusPath(dataDir), "utf8")) as Status;
    const health = await fetch(`${status.FUNCTIONS_URL}/api/health`, { signal: AbortSignal.timeout(3_000) });
    return health.ok ? status : undefined;
  } catch {
    return undefined;
  }
}

async function main(): Promise<number> {
  const status = await findStatus(readLocalConfig().dataDir);
  if (!status) {
    console.error("Parlance is not running here. Start it with: bun run start");
    return 1;
  }
  if (process.argv.includes("--json")) console.log(JSON.stringify(status, null, 2));
  else for (const [name, value] of Object.entries(status)) console.log(`${name.padEnd(16)} ${value}`);
  return 0;
}

if (import.meta.main) process.exit(await main());
