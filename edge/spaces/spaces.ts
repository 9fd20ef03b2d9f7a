/** What an operator does with embedding spaces. */
import type { TransactionSql } from "postgres";
import { serviceCaller, transactAs } from "../../shared/callers.ts";
import { databaseErrorCode, violatedConstraint } from "../../shared/database.ts";
import { AppError } from "../../shared/errors.ts";
import type { EmbeddingSpace, NewEmbeddingSpace, SpaceSwitch } from "../../shared/images/space-contract.ts";
import { addComparison, addFill } from "../../shared/images/space-kinds.ts";
import { cancelJob } from "../../shared/jobs/queue.ts";
import { jobKinds } from "../../shared/kinds.ts";
import type { Deps } from "../deps.ts";
import {
  createSpace,
  dropSpace,
  findSpace,
  hasJustSearched,
  listOpenJobs,
  listSpaces,
  maintainSpace,
  switchSpace,
} from "./store.ts";

type Database = Pick<Deps, "sql">;

export function showSpaces({ sql }: Database): Promise<EmbeddingSpace[]> {
  return transactAs(sql, serviceCaller, listSpaces);
}

export function showSpace({ sql }: Database, id: number): Promise<EmbeddingSpace> {
  return transactAs(sql, serviceCaller, (transaction) => getSpace(transaction, id));
}

/** A space without vectors; it takes part in nothing until it is filled. */
export function addSpace(deps: Database, space: NewEmbeddingSpace): Promise<EmbeddingSpace> {
  return changeSpaces(deps, async (transaction) =>
    getSpace(transaction, await createSpace(transaction, space)),
  );
}

/** From now on it is kept complete. */
export function startFill({ sql }: Database, id: number): Promise<string> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const space = await getSpace(transaction, id);
    await maintainSpace(transaction, id);
    return addFill(transaction, space);
  });
}

export function startComparison({ sql }: Database, id: number, queriesMax: number): Promise<string> {
  return transactAs(sql, serviceCaller, async (transaction) => {
    const space = await getSpace(transaction, id);
    if (!space.isCurrent) return addComparison(transaction, space, queriesMax);
    throw new AppError(
      "conflict",
      `"${space.name}" is the space that searches: compare another one with it.`,
    );
  });
}

/** Searches that begin from the commit on look into this space; the former one is still kept complete. */
export function makeCurrent(deps: Database, { spaceId, force }: SpaceSwitch): Promise<EmbeddingSpace> {
  return changeSpaces(deps, async (transaction) => {
    const space = await getSpace(transaction, spaceId);
    if (space.isCurrent) return space;
    if (!force) refuseUnready(space);
    await switchSpace(transaction, spaceId);
    if (space.missing > 0) await addFill(transaction, space);
    return getSpace(transaction, spaceId);
  });
}

function refuseUnready({ id, name, model, missing, pictures, isOffered }: EmbeddingSpace): void {
  const insist = "`force` switches all the same";
  if (missing > 0) {
    const what = `"${name}" has no vector of ${missing} of ${pictures} pictures, which no search would find`;
    throw new AppError("conflict", `${what}. Fill it first (POST /spaces/${id}/fills); ${insist}.`);
  }
  if (!isOffered) {
    const what = `No sidecar that runs now offers the model "${model}", so new words would get no vector`;
    throw new AppError("conflict", `${what}. Start one that has it; ${insist}.`);
  }
}

/** Takes a space away with its vectors; its open jobs are cancelled. */
export function removeSpace(deps: Database, id: number, force: boolean): Promise<void> {
  return changeSpaces(deps, async (transaction) => {
    const { name, isCurrent } = await getSpace(transaction, id);
    if (isCurrent) throw searches(name);
    if (!force && (await hasJustSearched(transaction, id))) {
      const what = `"${name}" searched within the last hour: cursors and running searches may still need it`;
      throw new AppError("conflict", `${what}. Drop it later; \`force\` drops it now.`);
    }
    for (const job of await listOpenJobs(transaction, id)) {
      await cancelJob(transaction, jobKinds, { ...job, ownerId: null, subjectId: null });
    }
    await dropSpace(transaction, id);
  });
}

async function getSpace(transaction: TransactionSql, id: number): Promise<EmbeddingSpace> {
  const space = await findSpace(transaction, id);
  if (!space) throw new AppError("not_found", "There is no such embedding space.");
  return space;
}

function searches(name: string): AppError {
  return new AppError("conflict", `"${name}" is the space that searches. Switch to another one first.`);
}

const triesMax = 8;

/**
 * One transaction that changes which spaces there are. Its locks are waited for shortly, so that no search waits
 * behind them for long; who did not get them tries again.
 */
async function changeSpaces<T>(
  { sql }: Database,
  work: (transaction: TransactionSql) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await transactAs(sql, serviceCaller, work);
    } catch (error) {
      if (!isInTheWay(error)) throw explainRefusal(error);
      if (tries === triesMax) throw busy(error);
      await new Promise((resolve) => setTimeout(resolve, 50 * tries + 100 * Math.random()));
    }
  }
}

/** 55P03: a lock was not to be had in time; 40P01: two waited for each other. */
function isInTheWay(error: unknown): boolean {
  return /^(55P03|40P01)$/.test(databaseErrorCode(error) ?? "");
}

function busy(cause: unknown): AppError {
  const message = "The tables of the embedding spaces are in use without a pause; try again shortly.";
  return new AppError("unavailable", message, { cause, retryable: true, retryAfterSeconds: 5 });
}

const fieldsOfConstraints: Readonly<Record<string, readonly [field: string, message: string]>> = {
  model_is_a_key: ["body.model", "must be a key"],
  name_is_a_key: ["body.name", "must be a key"],
  digest_is_short: ["body.modelDigest", "must have 1 to 100 characters"],
  dimensions_fit_an_index: ["body.dimensions", "must be 1 to 2000"],
};

/** What the functions of the database refuse, in words. */
function explainRefusal(error: unknown): unknown {
  const constraint = violatedConstraint(error) ?? "";
  if (constraint === "embedding_spaces_name_key") {
    const fields = [{ field: "body.name", message: "is taken by another space" }];
    return new AppError("name_taken", "There is a space of this name already.", { cause: error, fields });
  }
  if (constraint === "current_stays") {
    return new AppError("conflict", "The space that searches stays. Switch to another one first.", {
      cause: error,
    });
  }
  const field = fieldsOfConstraints[constraint];
  if (field) {
    const fields = [{ field: field[0], message: field[1] }];
    return new AppError("invalid_request", "The space cannot be like this; see `errors`.", {
      cause: error,
      fields,
    });
  }
  if (databaseErrorCode(error) === "2200H") {
    return new AppError("conflict", "All numbers of embedding spaces were given.", { cause: error });
  }
  if (databaseErrorCode(error) === "P0002") {
    return new AppError("not_found", "There is no such embedding space.", { cause: error });
  }
  return error;
}
