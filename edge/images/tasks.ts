/** Long work of the library that needs no model. */
import { z } from "zod";
import { serviceCaller, transactAs } from "../../shared/callers.ts";
import { ingestImage, sweepImages } from "../../shared/images/kinds.ts";
import type { SweepOutcome } from "../../shared/images/outcomes.ts";
import { addFill } from "../../shared/images/space-kinds.ts";
import { listLackingSpaces } from "../../shared/images/space-landing.ts";
import { defineTask, type Task, type TaskContext } from "../../shared/jobs/kinds.ts";
import { addJob } from "../../shared/jobs/queue.ts";
import type { Deps } from "../deps.ts";
import { createCalibrationTask } from "./calibrations.ts";
import { expireUploads, listOrphans, listStranded } from "./leftovers.ts";
import { createRecallTask } from "./recall.ts";

export interface SweepLimits {
  /** An upload that is not completed by then is failed: a signed URL lives for two hours. Default 2 h 10 min. */
  uploadSeconds?: number;
  /** An object younger than that may belong to work that still runs. Default 2 h. */
  objectSeconds?: number;
  /** Objects in one call of storage; default and at most 1,000. */
  batchMax?: number;
  /** Batches in one run; the next run goes on. Default 20. */
  batchesMax?: number;
}

const rowsMax = 1000;

export function createImageTasks(
  deps: Pick<Deps, "sql" | "objects" | "now">,
  limits: SweepLimits = {},
): Task[] {
  return [
    defineTask(sweepImages, (_payload, context) => sweep(deps, limits, context)),
    createRecallTask(deps),
    createCalibrationTask(deps),
  ];
}

const Cursor = z.object({
  /** The last path that was looked at. */
  after: z.string(),
  batches: z.int().min(0),
  outcome: z.object({
    uploadsExpired: z.int(),
    ingestsAdded: z.int(),
    fillsAdded: z.int(),
    objectsRemoved: z.int(),
  }),
});
type Cursor = z.infer<typeof Cursor>;

/**
 * Ends uploads that never came, puts pictures back to work that nobody works on, has spaces filled that lack something,
 * and removes objects that no row names. Each step can be repeated: a sweep that dies halfway is finished by the next.
 */
async function sweep(
  deps: Pick<Deps, "sql" | "objects">,
  limits: SweepLimits,
  context: TaskContext,
): Promise<SweepOutcome> {
  const begun = Cursor.safeParse(context.cursor).data;
  return removeOrphans(deps, limits, { context, from: begun ?? (await begin(deps, limits, context)) });
}

async function begin(
  deps: Pick<Deps, "sql">,
  { uploadSeconds = 2 * 3600 + 600 }: SweepLimits,
  { checkpoint }: TaskContext,
): Promise<Cursor> {
  const uploadsExpired = await transactAs(deps.sql, serviceCaller, (transaction) =>
    expireUploads(transaction, uploadSeconds, rowsMax),
  );
  const ingestsAdded = await restartStranded(deps);
  const fillsAdded = await fillSpaces(deps);
  const outcome = { uploadsExpired, ingestsAdded, fillsAdded, objectsRemoved: 0 };
  const cursor = { after: "", batches: 0, outcome };
  await checkpoint(cursor);
  return cursor;
}

function restartStranded({ sql }: Pick<Deps, "sql">): Promise<number> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const stranded = await listStranded(transaction, rowsMax);
    for (const { id, ownerId } of stranded) {
      const job = { payload: { imageId: id }, ownerId, subjectId: id, uniqueKey: id };
      await addJob(transaction, ingestImage, job);
    }
    return stranded.length;
  });
}

/** What was missed is filled in within the hour: pictures that were broken, and those from before a column was there. */
function fillSpaces({ sql }: Pick<Deps, "sql">): Promise<number> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const lacking = await listLackingSpaces(transaction);
    for (const space of lacking) await addFill(transaction, space);
    return lacking.length;
  });
}

/** An object never comes before its row, so what is found without one stays so until storage is told. */
async function removeOrphans(
  deps: Pick<Deps, "sql" | "objects">,
  { objectSeconds = 2 * 3600, batchMax = 1000, batchesMax = 20 }: SweepLimits,
  { context, from }: { context: TaskContext; from: Cursor },
): Promise<SweepOutcome> {
  let { after, batches, outcome } = from;
  while (batches < batchesMax && !context.signal.aborted) {
    const paths = await transactAs(deps.sql, serviceCaller, (transaction) =>
      listOrphans(transaction, { olderThanSeconds: objectSeconds, after, rowsMax: batchMax }),
    );
    if (paths.length === 0) break;
    await deps.objects.remove(paths);
    outcome = { ...outcome, objectsRemoved: outcome.objectsRemoved + paths.length };
    after = paths.at(-1) ?? after;
    batches += 1;
    await context.checkpoint({ after, batches, outcome });
    context.reportProgress(batches, batchesMax, `${outcome.objectsRemoved} objects removed`);
  }
  return outcome;
}
