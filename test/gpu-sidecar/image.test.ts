import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const dockerfile = await readFile(join(root, "gpu-sidecar/Dockerfile"), "utf8");
const folder = await mkdtemp(join(tmpdir(), "parlance-image-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the last stage copies out of the repository: pairs of source and target. */
function listCopies(): [source: string, target: string][] {
  const last = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
  return [...last.matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, words = ""]) => {
    const names = words.split(" ");
    const target = names.at(-1) ?? "";
    return names.slice(0, -1).map((name): [string, string] => [name, target === "./" ? name : target]);
  });
}

/** Runs a file of the image; answers what it said and how it ended. */
async function runInImage(file: string, environment: Record<string, string> = {}) {
  const run = promisify(execFile)(process.execPath, [file], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...environment },
    timeout: 30_000,
  });
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      text: error.stdout + error.stderr,
    }),
  );
}

test("the image holds every file that the sidecar needs, and names the Bun of this repository", async () => {
  for (const [source, target] of listCopies()) {
    await mkdir(dirname(join(folder, target)), { recursive: true });
    await cp(join(root, source), join(folder, target), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const command = /CMD \["([^"]+)"\]/.exec(dockerfile)?.[1] ?? "";
  const { code, text } = await runInImage(command);
  expect(text).toContain("SUPABASE_URL is missing");
  expect(text).not.toMatch(/Cannot find|ENOENT/);
  expect(code).not.toBe(0);
  const { engines } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  expect(`>=${/ARG BUN_VERSION=(\S+)/.exec(dockerfile)?.[1]}`).toBe(engines.bun);
});

test("what the builder is sent holds all that it copies", async () => {
  const ignore = await readFile(join(root, ".dockerignore"), "utf8");
  const sent = [...ignore.matchAll(/^!(.+)$/gm)].map(([, name]) => name);
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = ""]) =>
    names.split(" ").map((name) => name.split("/")[0]),
  );
  expect(new Set(copied)).toEqual(new Set(sent));
});

test("the template for RunPod sets only what the sidecar reads, and holds no secret", async () => {
  const template = JSON.parse(await readFile(join(root, "gpu-sidecar/runpod-template.json"), "utf8"));
  const settings = await readFile(join(root, ".env.example"), "utf8");
  for (const [name, value] of Object.entries(template.env as Record<string, string>)) {
    expect(`${settings}SUPABASE_SECRET_KEY=`).toMatch(new RegExp(`\\b${name}\\b`));
    expect(value).not.toMatch(/sb_secret_|postgres:\/\//);
  }
  expect([template.dockerEntrypoint, template.dockerStartCmd].map((words) => JSON.stringify(words))).toEqual([
    /ENTRYPOINT (\[.+\])/.exec(dockerfile)?.[1],
    /CMD (\[.+\])/.exec(dockerfile)?.[1],
  ]);
});
