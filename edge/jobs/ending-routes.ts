/** Asks for a job's end, or for another life of one that failed. */
import { createRoute, z } from "@hono/zod-openapi";
import type { TransactionSql } from "postgres";
import { becomeCaller, serviceCaller, transactAs } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";
import { Job, type JobState } from "../../shared/jobs/contract.ts";
import { cancelJob, retryJob } from "../../shared/jobs/queue.ts";
import { jobKinds } from "../../shared/kinds.ts";
import type { Deps } from "../deps.ts";
import { requireSignedIn } from "../http/identity.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { getJob } from "./store.ts";

const tags = ["jobs"];
const params = z.object({ id: z.uuid() });
const jobAnswer = { content: { "application/json": { schema: nameSchema("Job", Job) } } };

const cancelRoute = createRoute({
  method: "post",
  path: "/jobs/{id}/cancellation",
  tags,
  summary: "Ask for a job's end",
  description:
    "A queued job is cancelled at once, a running one when its worker hears of it. Asking twice is fine.",
  request: { params },
  responses: {
    202: { description: "The job as it stands now.", ...jobAnswer },
    ...describeProblems("invalid_request", "not_found", "conflict"),
  },
});

const retryRoute = createRoute({
  method: "post",
  path: "/jobs/{id}/retry",
  tags,
  summary: "Try a failed job again",
  description:
    "It keeps its id, has all its attempts again, and goes on where it last saved how far it was. Refused when it has not " +
    "failed, or while another job for the same thing is open.",
  request: { params },
  responses: {
    202: { description: "The job, queued again.", ...jobAnswer },
    ...describeProblems("invalid_request", "not_found", "conflict"),
  },
});

export function createEndingRoutes(deps: Deps) {
  return createRouter()
    .openapi(cancelRoute, async (c) => {
      requireSignedIn(c.var.caller);
      const { id } = c.req.valid("param");
      const job = await transactAs(deps.sql, c.var.caller, (transaction) =>
        cancelVisibleJob(transaction, id),
      );
      return c.json(job, 202);
    })
    .openapi(retryRoute, async (c) => {
      requireSignedIn(c.var.caller);
      const { id } = c.req.valid("param");
      const job = await transactAs(deps.sql, c.var.caller, (transaction) => retryVisibleJob(transaction, id));
      c.set("hasAddedJobs", true);
      return c.json(job, 202);
    });
}

/** Who sees a job may end it: its owner, and admins. */
async function cancelVisibleJob(transaction: TransactionSql, id: string): Promise<Job> {
  const { job } = await getJob(transaction, id);
  if (job.finishedAt !== null) throw ended(job.state);
  await becomeCaller(transaction, serviceCaller);
  const state = await cancelJob(transaction, jobKinds, job);
  if (state === "done" || state === "failed") throw ended(state);
  return (await getJob(transaction, id)).job;
}

async function retryVisibleJob(transaction: TransactionSql, id: string): Promise<Job> {
  const { job } = await getJob(transaction, id);
  if (job.state !== "failed") throw notFailed(job.state);
  await becomeCaller(transaction, serviceCaller);
  const isRetried = await retryJob(transaction, jobKinds, job);
  const after = (await getJob(transaction, id)).job;
  if (!isRetried) throw notFailed(after.state);
  return after;
}

function ended(state: JobState): AppError {
  return new AppError("conflict", `The job has ended: it is ${state}.`);
}

function notFailed(state: JobState): AppError {
  return new AppError("conflict", `Only a failed job is tried again: it is ${state}.`);
}
