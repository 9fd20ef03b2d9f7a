import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** The folders that this process holds. */
const held = new Set<string>();

/**
 * Takes a data folder for this process by a file beside it (`<folder>.lock`, with the process id and the time it
 * was started), and returns the function that gives it back. The lock of a process that is gone is taken over.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = `${resolve(folder)}.lock`;
  if (held.has(path)) throw new Error(`The data folder ${folder} is already open in this process.`);
  held.add(path);
  try {
    await takeLock(path, folder);
  } catch (error) {
    held.delete(path);
    throw error;
  }
  return async () => {
    if (!held.delete(path)) return;
    await rm(path, { force: true });
  };
}

async function takeLock(path: string, folder: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const mine = await describeProcess(process.pid);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (await createFile(path, mine)) return;
    const theirs = await readFile(path, "utf8").catch(() => "");
    if (await isAlive(theirs)) throw new Error(inUse(folder, path, theirs));
    await removeStale(path, theirs);
  }
  throw new Error(`The lock ${path} changes hands too often. Is something starting again and again?`);
}

function inUse(folder: string, path: string, owner: string): string {
  const id = owner.split(" ")[0];
  return `The data folder ${folder} is in use by process ${id}. Stop it first, or remove ${path} if it is not Parlance.`;
}

async function createFile(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Moved aside first, so that of two that found the same stale lock only one removes it. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  const moved = await rename(path, aside).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  const content = await readFile(aside, "utf8");
  if (content !== stale) await createFile(path, content);
  await rm(aside, { force: true });
}

async function isAlive(owner: string): Promise<boolean> {
  const id = Number(owner.split(" ")[0]);
  if (!Number.isSafeInteger(id) || id <= 0 || !signalReaches(id)) return false;
  return owner.trim() === (await describeProcess(id));
}

function signalReaches(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * The id, and where /proc exists the start time in clock ticks: ids are used again, above all in containers. One that
 * ended and whose parent did not ask yet (Z, X) holds nothing any more.
 */
async function describeProcess(id: number): Promise<string> {
  const status = await readFile(`/proc/${id}/stat`, "utf8").catch(() => "");
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  if (/^[ZX]/.test(fields[0] ?? "")) return "";
  return `${id} ${fields[19] ?? ""}`.trim();
}
