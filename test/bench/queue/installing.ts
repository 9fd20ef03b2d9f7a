/** The packages that are compared, in a folder of the bench: never in the house, never in its lockfile. */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../sidecar/model.ts";

/** The newest that install: pg-boss 12.38.0 asks for a version of rrule-temporal that the registry does not have. */
export const versions = { "graphile-worker": "0.18.0", "pg-boss": "12.35.0" };

/** Both need Node 22.18; this is its binary alone, from the registry. */
const nodePackage = { name: `node-${process.platform}-${process.arch}`, version: "24.21.0" };

export interface Installed {
  readonly home: string;
  /** Undefined where the registry has no Node for this machine. */
  readonly node: string | undefined;
}

/** Installed once a machine, and found there by the next run. */
export async function installContenders(): Promise<Installed> {
  const names = Object.entries(versions).map(([name, version]) => `${name}-${version}`);
  const home = join(cacheFolder, `queues-${names.join("-")}`);
  await install(home, versions);
  const nodeHome = join(cacheFolder, `node-${nodePackage.version}`);
  const hasNode = await install(nodeHome, { [nodePackage.name]: nodePackage.version }).then(
    () => true,
    () => false,
  );
  return { home, node: hasNode ? join(nodeHome, "node_modules", nodePackage.name, "bin/node") : undefined };
}

async function install(home: string, dependencies: Record<string, string>): Promise<void> {
  if (existsSync(join(home, "bun.lock"))) return;
  await mkdir(home, { recursive: true });
  await writeFile(join(home, "package.json"), JSON.stringify({ private: true, dependencies }));
  const child = Bun.spawn([process.execPath, "install", "--ignore-scripts"], {
    cwd: home,
    stdio: ["ignore", "ignore", "ignore"],
    timeout: 300_000,
  });
  const names = Object.keys(dependencies).join(" and ");
  if ((await child.exited) !== 0) throw new Error(`${names} cannot be installed here`);
}
