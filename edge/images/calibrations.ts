/**
 * Calibrates embedding spaces: hourly where a space has none or has grown, see `shared/images/calibration.ts`. Postgres
 * multiplies; what comes here are a few thousand figures. Only figures about all pictures together are kept.
 *
 * Questions are what people asked, and where that is little, a list of phrases, turned into vectors by ordinary jobs: the
 * space is calibrated again when they are there.
 */
import type { Sql, TransactionSql } from "postgres";
import { z } from "zod";
import { serviceCaller, transactAs } from "../../shared/callers.ts";
import { Calibration, calibrationLimits, type Thresholds } from "../../shared/images/calibration.ts";
import { type Block, calibrate } from "../../shared/images/calibration-fit.ts";
import { type CalibrateOutcome, calibrateSpace } from "../../shared/images/calibration-kinds.ts";
import { embedQuery } from "../../shared/images/kinds.ts";
import { paletteCalibration } from "../../shared/images/palette-calibration.ts";
import { probePhrases } from "../../shared/images/probes.ts";
import { defineTask, type Task, type TaskContext } from "../../shared/jobs/kinds.ts";
import { addJob } from "../../shared/jobs/queue.ts";
import type { Deps } from "../deps.ts";
import {
  drawPictures,
  drawQueries,
  measureBlocks,
  type Question,
  questionsAtOnce,
  readPictures,
} from "./calibration-measuring.ts";
import { readCalibration } from "./spaces.ts";

type CalibrationDeps = Pick<Deps, "sql" | "now">;

interface SpaceRow {
  readonly id: number;
  readonly model: string;
  /** Its calibration is known beforehand. */
  readonly isBuiltIn: boolean;
  readonly calibration: unknown;
  readonly vectors: number;
  /** Whether a sidecar is there that makes vectors of words. */
  readonly isServed: boolean;
}

const Cursor = z.object({
  /** Spaces that are done with. */
  spaceIds: z.array(z.int()),
  calibrated: z.int(),
  waiting: z.int(),
  /** What words have taught of the space that is under way; pictures are asked next. */
  byWords: z.object({ spaceId: z.int(), thresholds: Calibration }).optional(),
});

export function createCalibrationTask(deps: CalibrationDeps): Task {
  return defineTask(calibrateSpace, async ({ spaceId }, context): Promise<CalibrateOutcome> => {
    let at = Cursor.safeParse(context.cursor).data ?? { spaceIds: [], calibrated: 0, waiting: 0 };
    for (const space of await listSpaces(deps.sql, spaceId)) {
      if (context.signal.aborted) break;
      if (at.spaceIds.includes(space.id) || (spaceId === undefined && !needsCalibration(space))) continue;
      const byWords = at.byWords?.spaceId === space.id ? at.byWords.thresholds : undefined;
      const keepWords = (thresholds: Calibration) =>
        context.checkpoint({ ...at, byWords: { spaceId: space.id, thresholds } });
      const found = await calibrateOne(deps, space, { context, byWords, keepWords });
      const calibrated = at.calibrated + (found ? await keep(deps.sql, space.id, found) : 0);
      at = { spaceIds: [...at.spaceIds, space.id], calibrated, waiting: at.waiting + Number(!found) };
      await context.checkpoint(at);
    }
    return { calibrated: at.calibrated, waiting: at.waiting };
  });
}

async function listSpaces(sql: Sql, id: number | undefined): Promise<SpaceRow[]> {
  return await sql<SpaceRow[]>`
    select
      id,
      model,
      model = 'palette' and model_digest = 'built-in' as is_built_in,
      calibration,
      (select count(*) from parlance.image_vectors as vectors where vectors.space_id = spaces.id) as vectors,
      parlance.worker_can(${embedQuery.name}, model) as is_served
    from parlance.embedding_spaces as spaces
    where ${id ?? null}::integer is null or id = ${id ?? null}::integer
    order by id
    limit 100
  `;
}

/** A fifth more or less. */
const changeMin = 0.2;

function needsCalibration({ calibration, vectors, isBuiltIn }: SpaceRow): boolean {
  const known = readCalibration(calibration);
  if (!known) return true;
  return !isBuiltIn && Math.abs(vectors - known.pictures) > changeMin * known.pictures;
}

interface Progress {
  readonly context: TaskContext;
  /** Known from an earlier run. */
  readonly byWords: Calibration | undefined;
  readonly keepWords: (thresholds: Calibration) => Promise<void>;
}

/** Undefined while there are too few pictures or too few questions. */
async function calibrateOne(
  deps: CalibrationDeps,
  space: SpaceRow,
  { context, byWords: known, keepWords }: Progress,
): Promise<Calibration | undefined> {
  if (space.isBuiltIn) return paletteCalibration;
  if (space.vectors < calibrationLimits.picturesMin) return undefined;
  const pictureIds = await drawPictures(deps.sql, space.id, space.vectors);
  const byWords = known ?? (await measureWords(deps, space, { pictureIds, context }));
  if (!byWords) return undefined;
  if (!known) await keepWords(byWords);
  const pictures = await readPictures(deps.sql, space.id, pictureIds.slice(0, calibrationLimits.queriesMax));
  const byPicture = await measure(deps, space, { questions: pictures, pictureIds }, context);
  return { ...byWords, byPicture };
}

async function measureWords(
  deps: CalibrationDeps,
  space: SpaceRow,
  { pictureIds, context }: { pictureIds: readonly string[]; context: TaskContext },
): Promise<Calibration | undefined> {
  const questions = await drawQueries(deps.sql, space.id);
  if (questions.length < calibrationLimits.queriesMax) await askProbes(deps.sql, space);
  const found = await measure(deps, space, { questions, pictureIds }, context);
  return found ? { ...found, byPicture: null } : undefined;
}

/** For the questions of one kind, which are one slice: it fits into a tick. What was asked by then must do. */
const budgetMs = 5_000;

async function measure(
  { sql, now }: CalibrationDeps,
  space: SpaceRow,
  asked: { questions: readonly Question[]; pictureIds: readonly string[] },
  { signal, reportProgress }: TaskContext,
): Promise<Thresholds | null> {
  const { questions, pictureIds } = asked;
  if (questions.length < calibrationLimits.queriesMin) return null;
  const blocks: Block[] = [];
  const endsAtMs = performance.now() + budgetMs;
  let measured = 0;
  for (let from = 0; from < questions.length && performance.now() < endsAtMs; from += questionsAtOnce) {
    signal.throwIfAborted();
    const part = questions.slice(from, from + questionsAtOnce);
    blocks.push(...(await measureBlocks(sql, space.id, { questions: part, pictureIds, from })));
    measured += part.length;
    reportProgress(measured, questions.length, "asking");
  }
  return calibrate({
    blocks,
    pictures: space.vectors,
    pairs: measured * pictureIds.length,
    measuredAt: now().toISOString(),
  });
}

/** One at a time and not all at once: someone may be searching. */
const secondsBetweenProbes = 0.25;

/** Has the phrases turned into vectors that have none yet, and the space calibrated when that is done. */
async function askProbes(sql: Sql, { id, model, isServed }: SpaceRow): Promise<void> {
  if (!isServed) return;
  await transactAs(sql, serviceCaller, async (transaction) => {
    const unknown = await listUnknown(transaction, id);
    for (const [index, query] of unknown.entries()) {
      await addJob(transaction, embedQuery, {
        payload: { spaceId: id, query },
        ownerId: null,
        model,
        uniqueKey: `${id}:${query}`,
        delaySeconds: index * secondsBetweenProbes,
      });
    }
    if (unknown.length === 0) return;
    await addJob(transaction, calibrateSpace, {
      payload: { spaceId: id },
      ownerId: null,
      uniqueKey: `${id} with probes`,
      delaySeconds: unknown.length * secondsBetweenProbes + 10,
    });
  });
}

async function listUnknown(transaction: TransactionSql, spaceId: number): Promise<string[]> {
  const rows = await transaction<{ query: string }[]>`
    select query
    from unnest(${[...probePhrases]}::text[]) as query
    where not exists (
      select from parlance.query_vectors as known where known.space_id = ${spaceId} and known.query = query.query
    )
  `;
  return rows.map((row) => row.query);
}

/** 1, or 0 where the space is gone. */
async function keep(sql: Sql, spaceId: number, calibration: Calibration): Promise<number> {
  const { count } = await sql`
    update parlance.embedding_spaces
    set calibration = ${sql.json(calibration)}, calibrated_at = now()
    where id = ${spaceId}
  `;
  return count;
}
