/**
 * `bun run bench [NAME] [--quick] [--json FILE]`: runs the benches and prints a table of each with its settings.
 * Figures are for comparing within one run on one machine; nothing here can fail a test.
 */
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";

interface Figures {
  readonly settings?: object;
  readonly rows: readonly object[];
}

type Bench = (options: { quick: boolean }) => Promise<Figures>;

/** Loaded when asked for: each brings a part of the house with it. */
const benches: Record<string, () => Promise<Bench>> = {
  start: async () => (await import("./start.ts")).benchStart,
  library: async () => (await import("./library.ts")).benchLibrary,
  sidecar: async () => (await import("./sidecar.ts")).benchSidecar,
  gpu: async () => (await import("./gpu.ts")).benchGpu,
  realtime: async () => (await import("./realtime.ts")).benchRealtime,
};

function readArguments(words: readonly string[]) {
  const jsonAt = words.indexOf("--json");
  const jsonFile = jsonAt >= 0 ? words[jsonAt + 1] : undefined;
  if (jsonAt >= 0 && !jsonFile) throw new Error("--json needs the name of a file");
  const names = words.filter((word, index) => !word.startsWith("--") && (jsonAt < 0 || index !== jsonAt + 1));
  const unknown = names.filter((name) => !(name in benches));
  if (unknown.length > 0) {
    throw new Error(`There is no bench ${unknown.join(", ")}; there are ${Object.keys(benches).join(", ")}.`);
  }
  const chosen = names.length > 0 ? names : Object.keys(benches);
  return { names: chosen, quick: words.includes("--quick"), jsonFile };
}

const { names, quick, jsonFile } = readArguments(process.argv.slice(2));
const machine = {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  bun: Bun.version,
  date: new Date().toISOString(),
};
console.log(
  `${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, Bun ${machine.bun}${quick ? ", quick" : ""}`,
);
const results: Record<string, Figures> = {};
for (const name of names) {
  const bench = await benches[name]?.();
  if (!bench) continue;
  const figures = await bench({ quick });
  results[name] = figures;
  console.log(`\n${name}`);
  if (figures.settings) console.log(figures.settings);
  console.table(figures.rows);
}
if (jsonFile) writeFileSync(jsonFile, `${JSON.stringify({ machine, quick, results }, null, 2)}\n`);
process.exit(0);
