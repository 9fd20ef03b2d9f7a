/** Files of a hundred thousand rows into the log, beside a bare COPY of the same file. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measureCopy } from "./copying.ts";
import { type FileKind, writeCsv } from "./csv-file.ts";
import { describeImport, importFile } from "./importing.ts";
import { describeSteps, measureSteps } from "./phases.ts";
import { openBenchApp } from "./rig.ts";
import type { InteractionsScale } from "./scale.ts";

const kinds: readonly FileKind[] = ["texts", "log"];

export async function measureImports({ importRows }: InteractionsScale) {
  const folder = await mkdtemp(join(tmpdir(), "parlance-bench-"));
  const imported: object[] = [];
  const steps: object[] = [];
  try {
    for (const kind of kinds) {
      const file = await writeCsv({ path: join(folder, `${kind}.csv`), kind, rowsMax: importRows });
      // A fresh database for each: the first import of an account, by its default rules.
      const bench = await openBenchApp();
      try {
        const copySeconds = await measureCopy(bench, file);
        const run = await importFile(bench, bench.alice, file);
        if (run.import.rowsLanded !== file.rows) throw new Error(`${run.import.rowsLanded} rows landed`);
        imported.push(describeImport(file, run, copySeconds));
        steps.push(...describeSteps(file, await measureSteps(bench, bench.bob, file), run));
      } finally {
        await bench.close();
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return {
    settings: {
      texts: "200 characters in and 800 out in the mean",
      rules: "the four of an account that begins",
    },
    tables: {
      "import: texts have two columns, log has seven and 30 days": imported,
      "import: each step when nothing runs beside it": steps,
    },
  };
}
