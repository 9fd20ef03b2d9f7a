/**
 * A file into the log, on the real way: signed upload → completion → job → the edge's runner in this process → Postgres. The clock
 * begins with the completion. The job's own checkpoints say when all rows are in, folded and judged.
 */

import { createImportTask } from "../../../edge/interactions/imports/run.ts";
import type { ImportCursor } from "../../../edge/interactions/imports/under-way.ts";
import { startEdgeRunner } from "../../../edge/jobs/edge-runner.ts";
import type { InteractionImport, StartedImport } from "../../../shared/interactions/imports.ts";
import type { Task } from "../../../shared/jobs/kinds.ts";
import type { TestUser } from "../../helpers/app.ts";
import { until } from "../../helpers/until.ts";
import { type CpuSample, costBetween } from "../queue/cpu.ts";
import { round } from "../sidecar/measure.ts";
import type { WrittenFile } from "./csv-file.ts";
import type { BenchApp } from "./rig.ts";

type Phase = ImportCursor["phase"];
type Took = Readonly<
  Record<"rows" | "fold" | "judge", { seconds: number; clientMs: number; postgresMs: number }>
>;

export interface ImportRun {
  readonly import: InteractionImport;
  readonly seconds: number;
  readonly phases: Took;
  /** In transactions that write rows, while the next ones were measured. */
  readonly writingSeconds: number;
  readonly foreignCores: number;
}

/** Takes the time at the first checkpoint of each phase. */
function createClock(sample: () => CpuSample) {
  const at = new Map<Phase | "start", CpuSample>();
  let writingMs = 0;
  return {
    at,
    get writingMs() {
      return writingMs;
    },
    start: () => at.set("start", sample()),
    around: (task: Task): Task => ({
      kind: task.kind,
      run: (payload, context) =>
        task.run(payload, {
          ...context,
          checkpoint: async (cursor, write) => {
            const beganMs = performance.now();
            await context.checkpoint(cursor, write);
            const { phase } = cursor as ImportCursor;
            if (phase === "rows") writingMs += performance.now() - beganMs;
            if (!at.has(phase)) at.set(phase, sample());
          },
        }),
    }),
  };
}

export async function importFile(bench: BenchApp, user: TestUser, file: WrittenFile): Promise<ImportRun> {
  const clock = createClock(bench.sampleCpu);
  const tasks = [clock.around(createImportTask(bench.deps))];
  const id = await sendFile(bench, user, file);
  const runner = startEdgeRunner(bench.deps, { tasks, houseSchedules: [] });
  try {
    clock.start();
    await bench.ask(user, "POST", `/interactions/imports/${id}/completion`);
    const ended = await awaitImport(bench, user, id);
    return { import: ended, writingSeconds: clock.writingMs / 1000, ...readClock(clock.at) };
  } finally {
    await runner.stop();
  }
}

function readClock(at: ReadonlyMap<Phase | "start", CpuSample>) {
  const get = (name: Phase | "start") => {
    const sample = at.get(name);
    if (!sample) throw new Error(`the import never came to ${name}`);
    return sample;
  };
  // A phase's checkpoint is written when the one before it is over.
  const between = (from: Phase | "start", to: Phase) => costBetween(get(from), get(to));
  const whole = between("start", "end");
  return {
    seconds: whole.seconds,
    foreignCores: whole.foreignCores,
    phases: {
      rows: between("start", "fold"),
      fold: between("fold", "judge"),
      judge: between("judge", "end"),
    },
  };
}

/** Answers the import that awaits its completion. */
export async function sendFile(bench: BenchApp, user: TestUser, file: WrittenFile): Promise<string> {
  const wish = { fileName: "bench.csv", sizeBytes: file.bytes };
  const answer = await bench.ask(user, "POST", "/interactions/imports", wish);
  const started: StartedImport = JSON.parse(answer.text);
  const sent = await fetch(started.upload.url, { method: "PUT", body: Bun.file(file.path) });
  if (!sent.ok) throw new Error(`storage answered ${sent.status} ${await sent.text()}`);
  await sent.arrayBuffer();
  return started.import.id;
}

/** Looks every 100 ms. */
export async function awaitImport(bench: BenchApp, user: TestUser, id: string): Promise<InteractionImport> {
  const show = async (): Promise<InteractionImport> =>
    JSON.parse((await bench.ask(user, "GET", `/interactions/imports/${id}`)).text);
  const isOver = async () => ["done", "failed", "cancelled"].includes((await show()).state);
  await until("the import is over", isOver, { timeoutMs: 3600_000, everyMs: 100 });
  const ended = await show();
  if (ended.state === "done") return ended;
  throw new Error(`the import ended as ${ended.state}: ${JSON.stringify(ended.error)}`);
}

export function describeImport({ kind, rows, bytes }: WrittenFile, run: ImportRun, copySeconds: number) {
  const { phases } = run;
  const foldedSeconds = phases.rows.seconds + phases.fold.seconds;
  return {
    file: `${kind}, ${rows} rows, ${round(bytes / 1e6, 1)} MB`,
    "rows/s until in": Math.round(rows / phases.rows.seconds),
    "rows/s until folded": Math.round(rows / foldedSeconds),
    "rows/s until judged": Math.round(rows / run.seconds),
    seconds: round(run.seconds, 1),
    "COPY s": round(copySeconds, 2),
    "COPY / import": round(copySeconds / run.seconds, 3),
    alerts: run.import.alerts,
    "client CPU s": round((phases.rows.clientMs + phases.fold.clientMs + phases.judge.clientMs) / 1000, 1),
    "Postgres CPU s": round(
      (phases.rows.postgresMs + phases.fold.postgresMs + phases.judge.postgresMs) / 1000,
      1,
    ),
    foreignCores: round(run.foreignCores, 2),
  };
}
