/**
 * docs/client: the client as a program outside this repository is given it, JavaScript and its types. The types of
 * the routes are written out in full, so that neither our sources nor what the server depends on is needed to read them.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
export const clientFolder = join(root, "docs/client");

const opening = "// Written by `bun run openapi` from edge/client.ts; a change here is lost.\n";

/** The text of each file by its path in docs/client. */
export async function buildClient(): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "parlance-client-"));
  try {
    await compile(folder);
    const read = (path: string) => readFile(join(folder, path), "utf8");
    return {
      // Deno finds the types of JavaScript only where it names them.
      "client.js": `/* @ts-self-types="./client.d.ts" */\n${opening}${await read("edge/client.js")}`,
      "client.d.ts": opening + nameFiles(await read("edge/client.d.ts")),
      "client/api.d.ts": opening + nameFiles(await read("edge/client/api.d.ts")),
      "client/routes.d.ts": opening + nameTypes(await read("test/helpers/flat-routes.d.ts")),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function writeClient(): Promise<void> {
  for (const [path, text] of Object.entries(await buildClient())) {
    const target = join(clientFolder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
  }
}

/** Mistakes elsewhere in the sources do not matter here: what matters is judged by what was written. */
async function compile(folder: string): Promise<void> {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const project = join(root, "test/helpers/client.tsconfig.json");
  const child = Bun.spawn([process.execPath, tsc, "-p", project, "--outDir", folder], {
    cwd: root,
    stdout: "pipe",
    stderr: "inherit",
    timeout: 120_000,
  });
  const said = await new Response(child.stdout).text();
  await child.exited;
  const wrong = said.split("\n").filter((line) => /^(edge\/client|test\/helpers\/flat-routes)/.test(line));
  if (wrong.length > 0) throw new Error(`The client does not compile:\n${wrong.join("\n")}`);
}

/** The compiler leaves the names of our sources; Deno asks for files that are there. */
function nameFiles(text: string): string {
  return text.replaceAll(/(from "\.[^"]+)\.ts"/g, '$1.d.ts"');
}

/** The compiler declared constants; what callers need are the types of these. */
function nameTypes(text: string): string {
  const named = text
    .replace("export declare const routes:", "export type Routes =")
    .replace("export declare const problem:", "export type Problem =");
  const lost = /.*[:|&<(] ?(any|never|import\()(?!\w).*/.exec(named);
  if (lost) throw new Error(`A route has lost its types: ${lost[0]}`);
  return named;
}
