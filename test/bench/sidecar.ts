import { loadavg } from "node:os";
import { compareWithTransformers, type FileSet } from "./sidecar/compare.ts";
import { measureStage, type StageRow } from "./sidecar/embed-stage.ts";
import { measureIngest } from "./sidecar/ingest.ts";
import { cores } from "./sidecar/measure.ts";
import { openBenchModel } from "./sidecar/model.ts";
import { drawDerivatives, drawOriginals } from "./sidecar/pictures.ts";
import { measureTexts } from "./sidecar/texts.ts";

/** As the settings have it where nothing is set. */
const threads = cores;
const slots = 4;

/**
 * The sidecar against its limits: decoding and the model overlapped against each alone, the whole ingest against what
 * its stages cost, texts under bulk, and @huggingface/transformers on the same files. The sides of each comparison are
 * measured in turns, and shares are medians of rounds.
 */
export async function benchSidecar({ quick }: { quick: boolean }) {
  const loadAtStart = loadavg()[0];
  const model = await openBenchModel(quick);
  const originals = await drawOriginals(quick ? 2 : 6);
  const derivatives = await drawDerivatives(originals);
  const sets: FileSet[] = [
    { what: "512 px derivatives", pictures: derivatives },
    { what: "12 MP originals", pictures: originals },
  ];
  const rounds = quick ? 1 : 3;
  const seconds = quick ? 0.5 : 3;
  const simulatedMs = quick ? [19] : [2, 19];
  const embedStage = await measureStages(sets, simulatedMs, { model, threads, seconds, rounds });
  const texts = await measureTexts(model, derivatives, { threads, texts: quick ? 20 : 200 });
  const ingest = await measureIngest({
    model,
    originals,
    threads,
    slots,
    pictures: quick ? 16 : 120,
    seconds: quick ? 0.5 : 4,
  });
  // So many that filling and emptying the stages counts for little.
  const counts = quick ? [8, 8] : [96, 24];
  const files = sets.map(({ what, pictures }, index) => ({
    what,
    pictures: repeat(pictures, counts[index] ?? 8),
  }));
  const comparison = await compareWithTransformers(files, { model, threads, rounds: quick ? 1 : 5 });
  return {
    settings: {
      model: model.key,
      threads,
      slots,
      seconds,
      rounds,
      database: process.env.TEST_DATABASE_URL ? "Postgres" : "PGlite",
      loadAtStart,
      loadAtEnd: loadavg()[0],
    },
    tables: { embedStage, texts, ingest, comparison },
  };
}

/** The processor, and devices that compute for 2 or 19 ms a picture without it. */
async function measureStages(
  sets: readonly FileSet[],
  simulatedMs: readonly number[],
  options: Parameters<typeof measureStage>[2],
): Promise<StageRow[]> {
  const rows: StageRow[] = [];
  for (const set of sets) {
    rows.push(await measureStage(set, { name: "cpu" }, options));
    for (const millisecondsEach of simulatedMs) {
      const name = `simulated, ${millisecondsEach} ms`;
      rows.push(await measureStage(set, { name, millisecondsEach }, options));
    }
  }
  return rows;
}

function repeat<Item>(items: readonly Item[], count: number): Item[] {
  return Array.from({ length: count }, (_, index) => items[index % items.length]).filter(
    (item) => item !== undefined,
  );
}
