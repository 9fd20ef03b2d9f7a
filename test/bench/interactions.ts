/**
 * `bun run bench interactions`: the log of interactions on Postgres 17. Files that are imported, interactions that are logged one by one
 * and many at once, and what is read of a log of a million.
 *
 * `--rows COUNT`: of the log that is read, default 1,000,000; a tenth of them is imported. `BENCH_PARTS=import,memory,ingest,reading`
 * runs some of it. `BENCH_MEGABYTES=10,1000`: the files that the memory of an import is taken with, default 10,100 (a thousand
 * megabytes take minutes, and as much room on the disk twice).
 */
import { loadavg } from "node:os";
import { measureImports } from "./interactions/imports.ts";
import { measureIngest } from "./interactions/ingest.ts";
import { measureMemory } from "./interactions/memory.ts";
import { measureReading } from "./interactions/reading.ts";
import type { InteractionsScale } from "./interactions/scale.ts";

interface PartFigures {
  readonly settings?: object;
  readonly tables: Readonly<Record<string, readonly object[]>>;
}

const parts: Readonly<Record<string, (scale: InteractionsScale) => Promise<PartFigures>>> = {
  import: measureImports,
  memory: measureMemory,
  ingest: measureIngest,
  reading: measureReading,
};

export async function benchInteractions({ quick, rows }: { quick: boolean; rows?: number | undefined }) {
  if (!process.env.TEST_DATABASE_URL) {
    return { rows: [{ what: "not run", why: "TEST_DATABASE_URL names no Postgres 17" }] };
  }
  const scale = readScale(quick, rows);
  const chosen = process.env.BENCH_PARTS?.split(",") ?? Object.keys(parts);
  const settings: Record<string, unknown> = { ...scale, loadBefore: loadavg()[0] };
  const tables: Record<string, readonly object[]> = {};
  for (const name of chosen) {
    const part = parts[name];
    if (!part) throw new Error(`There is no part ${name}; there are ${Object.keys(parts).join(", ")}.`);
    const figures = await part(scale);
    settings[name] = { ...figures.settings, loadAfter: loadavg()[0] };
    Object.assign(tables, figures.tables);
    console.log(`${name}: done at ${new Date().toISOString()}`);
  }
  return { settings, tables };
}

function readScale(quick: boolean, rows?: number): InteractionsScale {
  const logRows = rows ?? (quick ? 5_000 : 1_000_000);
  const given = process.env.BENCH_MEGABYTES?.split(",").map(Number);
  const megabytes = given ?? (quick ? [0.5, 1.5] : [10, 100]);
  if (!megabytes.every((one) => one > 0 && one <= 1_070)) {
    throw new Error("BENCH_MEGABYTES takes numbers up to 1070, with commas between them");
  }
  return { quick, logRows, importRows: Math.max(1_000, Math.round(logRows / 10)), megabytes };
}
