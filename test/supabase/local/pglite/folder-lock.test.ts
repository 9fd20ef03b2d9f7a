import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockFolder } from "../../../../supabase/local/pglite/folder-lock.ts";
import { until } from "../../../helpers/until.ts";

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "parlance-lock-"));
  folder = join(root, "database");
});
afterEach(() => rm(root, { recursive: true }));

/** The id of a process that has just ended. */
function endedProcess(): number {
  return Bun.spawnSync(["true"]).pid;
}

test("a folder is held by one at a time, and can be taken again once given back", async () => {
  const unlock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow(/already open in this process/);
  await expect(lockFolder(`${folder}/../database/`)).rejects.toThrow(/already open in this process/);
  await unlock();
  await (await lockFolder(folder))();
});

test("a folder of a process that lives is refused, naming it", async () => {
  const other = Bun.spawn(["sleep", "60"]);
  const startTicks = (await readFile(`/proc/${other.pid}/stat`, "utf8")).split(" ")[21];
  await writeFile(`${folder}.lock`, `${other.pid} ${startTicks}`);
  await expect(lockFolder(folder)).rejects.toThrow(`in use by process ${other.pid}`);
  other.kill();
  await other.exited;
  await (await lockFolder(folder))();
});

test("a folder of a process that ended, and whose parent did not ask how, is taken over", async () => {
  // `sleep 60` never asks for the child that the shell left it.
  const parent = Bun.spawn(["sh", "-c", "sleep 0 & echo $!; exec sleep 60"], { stdout: "pipe" });
  try {
    const { value } = await parent.stdout.getReader().read();
    const ended = new TextDecoder().decode(value).trim();
    const read = async () => (await readFile(`/proc/${ended}/stat`, "utf8")).split(" ");
    await until(`process ${ended} ended`, async () => (await read())[2] === "Z");
    await writeFile(`${folder}.lock`, `${ended} ${(await read())[21]}`);
    await (await lockFolder(folder))();
  } finally {
    parent.kill();
    await parent.exited;
  }
});

test.each([
  ["of a process that ended", () => `${endedProcess()} 1`],
  ["of a process whose id another has now", () => `${process.ppid} 1`],
  ["of this process's id in an earlier container", () => `${process.pid} 1`],
  ["that is empty", () => ""],
  ["that is nonsense", () => "zero"],
])("a lock %s is taken over", async (_name, content) => {
  await writeFile(`${folder}.lock`, content());
  const unlock = await lockFolder(folder);
  expect(await readFile(`${folder}.lock`, "utf8")).toMatch(new RegExp(`^${process.pid} \\d+$`));
  await unlock();
});
