/**
 * Installs what is missing before anything else is imported; knows only Bun itself.
 * `production` is what running needs, `all` adds what tests and benches need. What is there is left alone.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
const stampPath = join(root, "node_modules", ".parlance-install.json");

/** Of what decides which packages lie there: the lockfile, and our patches of them. */
function hashLock(): string {
  const patches = join(root, "shared", "patches");
  const files = [join(root, "bun.lock"), ...readdirSync(patches).map((name) => join(patches, name))];
  const hash = createHash("sha256");
  for (const file of files.sort()) hash.update(readFileSync(file));
  return hash.digest("hex");
}

/** Whether node_modules already holds what this lockfile names, for this extent or a larger one. */
function isInstalled(extent: string, lock: string): boolean {
  if (!existsSync(stampPath)) return false;
  try {
    const stamp = JSON.parse(readFileSync(stampPath, "utf8")) as { extent: string; lock: string };
    return stamp.lock === lock && (stamp.extent === "all" || stamp.extent === extent);
  } catch {
    return false;
  }
}

const extent = process.argv[2] === "production" ? "production" : "all";
const lock = hashLock();
if (!isInstalled(extent, lock)) {
  process.stderr.write("Installing packages …\n");
  const flags = extent === "production" ? ["--production"] : [];
  // Inherits nothing that could change the outcome: frozen lockfile, no scripts but the trusted ones.
  const install = Bun.spawnSync([process.execPath, "install", "--frozen-lockfile", ...flags], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (install.exitCode !== 0) {
    process.stderr.write(`${install.stdout}${install.stderr}\nThe packages could not be installed.\n`);
    process.exit(1);
  }
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(stampPath, JSON.stringify({ extent, lock }));
}
