/** Adds a job by hand; for admins and the secret key. */
import { createRoute } from "@hono/zod-openapi";
import { serviceCaller, transactAs } from "../../shared/callers.ts";
import { violatedConstraint } from "../../shared/database.ts";
import { createId } from "../../shared/ids.ts";
import { Job } from "../../shared/jobs/contract.ts";
import { AddedJob, operatingLimits } from "../../shared/jobs/operating.ts";
import { addJob } from "../../shared/jobs/queue.ts";
import { jobKinds } from "../../shared/kinds.ts";
import type { Deps } from "../deps.ts";
import { adminsOnly } from "../http/admins.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { checkPayload, refuseField } from "./payloads.ts";
import { getJob } from "./store.ts";

const addRoute = createRoute({
  method: "post",
  path: "/jobs",
  tags: ["jobs"],
  summary: "Add a job",
  description:
    "For admins and the secret key. Sent again with its `Idempotency-Key`, even after a crash, it is one job. While one " +
    "of the same kind and `uniqueKey` is open, that one may be answered.",
  middleware: adminsOnly,
  request: {
    body: {
      content: { "application/json": { schema: nameSchema("AddedJob", AddedJob) } },
      required: true,
    },
  },
  responses: {
    202: {
      description: "The job.",
      content: { "application/json": { schema: nameSchema("Job", Job) } },
    },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden", "quota_exceeded"),
  },
});

export function createAddingRoutes(deps: Deps) {
  return createRouter().openapi(addRoute, async (c) => {
    const job = await addByHand(deps, c.req.valid("json"), c.var.operationId);
    c.set("hasAddedJobs", true);
    return c.json(job, 202);
  });
}

function addByHand({ sql }: Deps, added: AddedJob, operationId: string | undefined): Promise<Job> {
  const { kind, payload } = checkPayload(jobKinds, added, operatingLimits.payloadBytesMax);
  const { ownerId, subjectId, model, uniqueKey, onOpen, delaySeconds } = added;
  return transactAs(sql, serviceCaller, async (transaction) => {
    const id = await addJob(transaction, kind, {
      id: operationId ?? createId(),
      payload,
      ownerId,
      delaySeconds,
      ...(subjectId === undefined ? {} : { subjectId }),
      ...(model === undefined ? {} : { model }),
      ...(uniqueKey === undefined ? {} : { uniqueKey }),
      ...(onOpen === undefined ? {} : { onOpen }),
    });
    return (await getJob(transaction, id)).job;
  }).catch(explainOwner);
}

function explainOwner(error: unknown): never {
  if (violatedConstraint(error) !== "jobs_owner_id_fkey") throw error;
  throw refuseField({ field: "body.ownerId", message: "must be a user's id, or null for the house" });
}
