/**
 * `bun run bench [NAME] [--quick] [--json FILE] [--rows COUNT]`: runs the benches and prints a table of each with its settings.
 * Figures are for comparing within one run on one machine; nothing here can fail a test.
 */
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { type QueueOptions, readQueueOptions } from "./queue/options.ts";

interface Figures {
  readonly settings?: object;
  readonly rows?: readonly object[];
  /** Several tables, by name, where the rows of one would not be alike. */
  readonly tables?: Readonly<Record<string, readonly object[]>>;
}

/** `rows`: how many pictures or interactions, where that is asked. */
type Bench = (options: {
  quick: boolean;
  rows?: number | undefined;
  queue: QueueOptions;
}) => Promise<Figures>;

/** Loaded when asked for: each brings a part of the house with it. */
const benches: Record<string, () => Promise<Bench>> = {
  start: async () => (await import("./start.ts")).benchStart,
  library: async () => (await import("./library.ts")).benchLibrary,
  sidecar: async () => (await import("./sidecar.ts")).benchSidecar,
  gpu: async () => (await import("./gpu.ts")).benchGpu,
  realtime: async () => (await import("./realtime.ts")).benchRealtime,
  search: async () => (await import("./search.ts")).benchSearch,
  ranking: async () => (await import("./ranking.ts")).benchRanking,
  pressure: async () => (await import("./pressure.ts")).benchPressure,
  queue: async () => (await import("./queue.ts")).benchQueue,
  outliers: async () => (await import("./outliers.ts")).benchOutliers,
  interactions: async () => (await import("./interactions.ts")).benchInteractions,
};

/** An option that takes a value; it is taken out of the words. */
function takeOption(words: string[], option: string, what: string): string | undefined {
  const at = words.indexOf(option);
  if (at < 0) return undefined;
  const [, value] = words.splice(at, 2);
  if (!value) throw new Error(`${option} needs ${what}`);
  return value;
}

function readArguments(given: readonly string[]) {
  const words = [...given];
  const jsonFile = takeOption(words, "--json", "the name of a file");
  const rowsGiven = takeOption(words, "--rows", "a number");
  const rows = rowsGiven === undefined ? undefined : Number(rowsGiven);
  if (rows !== undefined && !(Number.isSafeInteger(rows) && rows >= 1000 && rows <= 5_000_000)) {
    throw new Error("--rows takes a number from 1000 to 5000000");
  }
  const quick = words.includes("--quick");
  const queue = readQueueOptions((option, what) => takeOption(words, option, what), quick);
  const names = words.filter((word) => !word.startsWith("--"));
  const unknown = names.filter((name) => !(name in benches));
  if (unknown.length > 0) {
    throw new Error(`There is no bench ${unknown.join(", ")}; there are ${Object.keys(benches).join(", ")}.`);
  }
  const chosen = names.length > 0 ? names : Object.keys(benches);
  return { names: chosen, quick, jsonFile, rows, queue };
}

const { names, quick, jsonFile, rows, queue } = readArguments(process.argv.slice(2));
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
  const figures = await bench({ quick, rows, queue });
  results[name] = figures;
  console.log(`\n${name}`);
  if (figures.settings) console.log(figures.settings);
  if (figures.rows) console.table(figures.rows);
  for (const [table, rows] of Object.entries(figures.tables ?? {})) {
    console.log(table);
    console.table(rows);
  }
}
if (jsonFile) writeFileSync(jsonFile, `${JSON.stringify({ machine, quick, results }, null, 2)}\n`);
process.exit(0);
