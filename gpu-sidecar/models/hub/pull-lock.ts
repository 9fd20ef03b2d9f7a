import { open, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { AppError } from "../../../shared/errors.ts";

/**
 * One pull of a model at a time, by a file that names its process and is touched while that lives. A process that is
 * gone, or a machine that was silent for long, loses it.
 */
const beatMs = 10_000;
const silentMs = 120_000;

export async function holdPullLock(path: string): Promise<() => Promise<void>> {
  const owner = `${hostname()} ${process.pid} ${crypto.randomUUID()}\n`;
  for (let tries = 0; tries < 3; tries++) {
    if (await create(path, owner)) return keepAlive(path, owner);
    const holder = await readFile(path, "utf8").catch(() => "");
    if (!(await isGone(path, holder))) throw taken(path, holder);
    await clear(path, holder);
  }
  throw taken(path, "");
}

async function create(path: string, owner: string): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.writeFile(owner);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function keepAlive(path: string, owner: string): () => Promise<void> {
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, beatMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    if ((await readFile(path, "utf8").catch(() => "")) === owner) await rm(path, { force: true });
  };
}

async function isGone(path: string, holder: string): Promise<boolean> {
  const [host, pid] = holder.split(" ");
  if (host === hostname() && pid !== undefined && !isAlive(Number(pid))) return true;
  const seenAtMs = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  return Date.now() - seenAtMs > silentMs;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Moved aside first: whoever finds that it took another's than the one it judged puts it back. */
async function clear(path: string, holder: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await readFile(aside, "utf8")) === holder) await rm(aside, { force: true });
  else await rename(aside, path);
}

function taken(path: string, holder: string): AppError {
  const [host, pid] = holder.split(" ");
  const who = pid ? ` (process ${pid} on ${host})` : "";
  return new AppError("conflict", `Another pull of this model is under way${who}. Its lock is ${path}.`);
}
