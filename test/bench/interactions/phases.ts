/**
 * What each step of an import takes when nothing runs beside it. The rows of the file go through the import's own functions one step
 * after another; in an import the next rows are read and measured while these are written, so the steps add up to more than it takes.
 */
import { inspectStart, lookBytes } from "../../../edge/interactions/imports/beginning.ts";
import { createChunks } from "../../../edge/interactions/imports/chunks.ts";
import { type Part, readParts } from "../../../edge/interactions/imports/parts.ts";
import { insertBatch } from "../../../edge/interactions/log-store.ts";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { ImportOptions, importPath } from "../../../shared/interactions/imports.ts";
import type { TestUser } from "../../helpers/app.ts";
import { round } from "../sidecar/measure.ts";
import type { WrittenFile } from "./csv-file.ts";
import { type ImportRun, sendFile } from "./importing.ts";
import type { BenchApp } from "./rig.ts";

const stepNames = ["read", "cut and parse", "measure", "insert"] as const;
type Steps = Record<(typeof stepNames)[number], number>;

export async function measureSteps(bench: BenchApp, user: TestUser, file: WrittenFile): Promise<Steps> {
  const steps: Steps = { read: 0, "cut and parse": 0, measure: 0, insert: 0 };
  const time = async <T>(step: keyof Steps, work: () => Promise<T>): Promise<T> => {
    const beganMs = performance.now();
    const done = await work();
    steps[step] += (performance.now() - beganMs) / 1000;
    return done;
  };
  const local = Bun.file(file.path);
  await time("read", async () =>
    readStored(bench, { id: await sendFile(bench, user, file), user, file }, steps),
  );
  const bytes = new Uint8Array(await local.slice(0, lookBytes).arrayBuffer());
  const options = ImportOptions.parse({});
  const findings = inspectStart({ bytes, sizeBytes: file.bytes, fileName: "bench.csv", options });
  const blocks = {
    readRange: async (_: string, from: number, to: number) => await local.slice(from, to).bytes(),
  };
  const place = { offset: findings.dataOffset, isSkipping: false };
  const parts = readParts(blocks, { path: file.path, sizeBytes: file.bytes, findings }, place);
  const now = new Date();
  const prepare = createChunks(bench.sql, {
    ownerId: user.id,
    findings,
    options,
    redact: [],
    importedAt: now,
    now,
  });
  const next = async (): Promise<Part | undefined> => (await parts.next()).value ?? undefined;
  for (
    let done = 0, part = await time("cut and parse", next);
    part;
    part = await time("cut and parse", next)
  ) {
    const { rows } = part;
    const chunk = await time("measure", () => prepare(rows, done + 1));
    const batch = { id: chunk.batchId, ownerId: user.id, rows: chunk.rows, hashes: chunk.hashes };
    await time("insert", () => transactAs(bench.sql, serviceCaller, (sql) => insertBatch(sql, batch)));
    done += rows.length;
  }
  return steps;
}

interface Stored {
  readonly id: string;
  readonly user: TestUser;
  readonly file: WrittenFile;
}

const blockBytes = 2 ** 20;

/** Range by range, as an import does; how it got there does not count. */
async function readStored(bench: BenchApp, { id, user, file }: Stored, steps: Steps): Promise<void> {
  steps.read = 0;
  const path = importPath({ id, ownerId: user.id });
  for (let from = 0; from < file.bytes; from += blockBytes) {
    await bench.deps.files.readRange(path, from, Math.min(file.bytes, from + blockBytes));
  }
}

/** The steps of the rows alone, fold and judge as they were in the import. */
export function describeSteps(
  file: WrittenFile,
  steps: Steps,
  { phases, seconds, writingSeconds }: ImportRun,
): object[] {
  const all = { ...steps, fold: phases.fold.seconds, judge: phases.judge.seconds };
  const sum = Object.values(all).reduce((total, one) => total + one, 0);
  const row = (what: string, took: number) => ({
    file: file.kind,
    what,
    seconds: round(took),
    "µs a row": Math.round((took * 1e6) / file.rows),
    share: round(took / sum, 3),
  });
  return [
    ...Object.entries(all).map(([what, took]) => row(what, took)),
    { ...row("rows, as imported: steps overlap", phases.rows.seconds), share: null },
    { ...row("… of it in writing transactions", writingSeconds), share: null },
    { ...row("all of the import", seconds), share: null },
  ];
}
