/**
 * A search by a picture that is not in the library. Its bytes are a temporary object, which no row names: what a crash
 * leaves is removed by the sweep. The sidecar makes the vector, which the row keeps for an hour.
 */
import type { TransactionSql } from "postgres";
import { z } from "zod";
import type { JobError } from "../jobs/contract.ts";
import type { EndingJob, JobKind } from "../jobs/kinds.ts";
import { SearchPage } from "./contract.ts";
import { toVector } from "./landing.ts";

/** `<owner>/<query>/query`; of the house under `house`, of strangers under `guests`. */
export function pictureQueryPath(query: { id: string; folder: string }): string {
  return `${query.folder}/${query.id}/query`;
}

export const PictureSearchPage = SearchPage.extend({
  picture: z
    .uuid()
    .describe(
      "Goes on with `GET /images/search?picture=…&cursor=…`, and works for an hour; only for who asked.",
    ),
});
export type PictureSearchPage = z.infer<typeof PictureSearchPage>;

export const EmbedPicturePayload = z.object({
  queryId: z.uuid(),
  spaceId: z.int().min(1),
  path: z.string().regex(/^(guests|house|[0-9a-f-]{36})\/[0-9a-f-]{36}\/query$/),
});
export type EmbedPicturePayload = z.infer<typeof EmbedPicturePayload>;

export interface EmbedPictureOutcome {
  readonly spaceId: number;
  readonly embedding: readonly number[];
}

/** The vector of a picture that is searched by. Somebody waits for it. */
export const embedPicture: JobKind<EmbedPicturePayload, EmbedPictureOutcome> = {
  name: "images.embed-picture",
  runner: "sidecar",
  lane: "interactive",
  payload: EmbedPicturePayload,
  attemptsMax: 2,
  timeoutMs: 20_000,
  // Nobody waits as long as a longer queue takes.
  queuedMax: 1000,
  queuedPerOwnerMax: 100,
  summarize: () => ({}),
  land: landPictureVector,
  landFailure: landPictureFailure,
  landRetry: landPictureRetry,
};

/** Whoever asked may have given up: then there is no row any more. The job's subject is the query. */
async function landPictureVector(
  transaction: TransactionSql,
  job: EndingJob,
  outcome: EmbedPictureOutcome,
): Promise<void> {
  await transaction`
    update parlance.picture_queries
    set embedding = ${toVector(outcome.embedding)}::text::extensions.vector,
      error_code = null,
      error_message = null
    where id = ${job.subjectId} and space_id = ${outcome.spaceId}
  `;
}

async function landPictureFailure(
  transaction: TransactionSql,
  job: EndingJob,
  error: JobError,
): Promise<void> {
  await transaction`
    update parlance.picture_queries
    set embedding = null,
      error_code = ${error.code},
      error_message = ${error.message}
    where id = ${job.subjectId}
  `;
}

async function landPictureRetry(transaction: TransactionSql, job: EndingJob): Promise<void> {
  await transaction`
    update parlance.picture_queries
    set error_code = null,
      error_message = null
    where id = ${job.subjectId}
  `;
}
