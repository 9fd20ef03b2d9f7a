import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What was done once over this data folder, for example that the samples were taken in. */
function markerPath(dataDir: string, name: string): string {
  return join(dataDir, `${name}.done`);
}

export async function readMarker(dataDir: string, name: string): Promise<boolean> {
  return access(markerPath(dataDir, name)).then(
    () => true,
    () => false,
  );
}

export async function writeMarker(dataDir: string, name: string): Promise<void> {
  await writeFile(markerPath(dataDir, name), `${new Date().toISOString()}\n`);
}
