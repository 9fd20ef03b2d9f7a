import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");
const read = async (path: string) => JSON.parse(await readFile(join(root, path), "utf8"));

/** Every package that a file of ours imports by its bare name, from the door down. */
async function listPackages(
  path: string,
  seen = new Set<string>(),
  found = new Set<string>(),
): Promise<Set<string>> {
  if (seen.has(path)) return found;
  seen.add(path);
  const text = await readFile(path, "utf8");
  const imports = [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*"([^"]+)"|\bimport\("([^"]+)"\)/g),
  ];
  for (const [, statically, dynamically] of imports) {
    const name = statically ?? dynamically ?? "";
    if (name.startsWith(".")) await listPackages(join(path, "..", name), seen, found);
    // What the runtime brings is no package.
    else if (!name.startsWith("node:"))
      found.add(
        name
          .split("/")
          .slice(0, name.startsWith("@") ? 2 : 1)
          .join("/"),
      );
  }
  return found;
}

describe("the function on Supabase", () => {
  test("imports exactly the packages that its deno.json names, in the versions of package.json", async () => {
    const { imports } = await read("supabase/functions/api/deno.json");
    const { dependencies } = await read("package.json");
    const packages = await listPackages(join(root, "supabase/functions/api/index.ts"));
    const names = Object.keys(imports).map((name) => name.replace(/\/$/, ""));
    expect([...new Set(names)].sort()).toEqual([...packages].sort());
    for (const [name, target] of Object.entries(imports)) {
      const bare = name.replace(/\/$/, "");
      const slash = name.endsWith("/") ? "/" : "";
      expect(target).toBe(`npm:${slash}${bare}@${dependencies[bare]}${slash}`);
    }
  });

  test("commits no lock of Deno's: the runtime there would not read the one of a newer Deno", async () => {
    expect(await readdir(join(root, "supabase/functions/api"))).not.toContain("deno.lock");
  });

  const { DENO_BINARY } = process.env;
  if (DENO_BINARY) {
    test("passes the types of Deno 2.1", { timeout: 180_000 }, async () => {
      const run = promisify(execFile);
      const config = ["--no-lock", "--config", "supabase/functions/api/deno.json"];
      const env = { ...process.env, DENO_TLS_CA_STORE: "system", DENO_NO_UPDATE_CHECK: "1" };
      await run(DENO_BINARY, ["check", ...config, "supabase/functions/api/index.ts"], { cwd: root, env });
    });
  }
});
