import { createRoute, z } from "@hono/zod-openapi";
import type { TransactionSql } from "postgres";
import { becomeCaller, type Caller, serviceCaller, transactAs } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";
import { Job, JobEvent, JobState } from "../../shared/jobs/contract.ts";
import { cancelJob } from "../../shared/jobs/queue.ts";
import { jobKinds } from "../../shared/kinds.ts";
import type { Deps } from "../deps.ts";
import { cutPage, decodeCursor } from "../http/cursors.ts";
import { requireSecretKey, requireSignedIn } from "../http/identity.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { findJob, listJobEvents, listJobs } from "./store.ts";
import { type Schedule, tick } from "./ticks.ts";

const tags = ["jobs"];
const JobAnswer = nameSchema("Job", Job);
const JobEventAnswer = nameSchema("JobEvent", JobEvent);
const JobPath = z.object({ id: z.uuid() });
const JobCursor = z.object({ id: z.uuid() });

const listRoute = createRoute({
  method: "get",
  path: "/jobs",
  tags,
  summary: "Jobs, newest first",
  description: "Your own; the secret key's own are those of the house.",
  request: {
    query: z.object({
      state: JobState.optional(),
      kind: z.string().min(1).max(64).optional(),
      subjectId: z.uuid().optional(),
      scope: z
        .enum(["own", "all"])
        .default("own")
        .describe("`all`: everyone's that you may see; makes a difference to admins and the secret key."),
      limit: z.coerce.number().int().min(1).max(100).default(50),
      cursor: z.string().optional(),
    }),
  },
  responses: {
    200: {
      description: "A page of jobs.",
      content: {
        "application/json": {
          schema: z
            .object({ items: z.array(JobAnswer), nextCursor: z.string().nullable() })
            .openapi("JobPage"),
        },
      },
    },
    ...describeProblems("invalid_request", "invalid_cursor"),
  },
});

const getRoute = createRoute({
  method: "get",
  path: "/jobs/{id}",
  tags,
  summary: "One job",
  request: { params: JobPath },
  responses: {
    200: { description: "The job as it stands.", content: { "application/json": { schema: JobAnswer } } },
    ...describeProblems("invalid_request", "not_found"),
  },
});

const eventsRoute = createRoute({
  method: "get",
  path: "/jobs/{id}/events",
  tags,
  summary: "What happened to a job, in order and without holes",
  description: "The same events are told on the private Realtime topic `user:<your id>` as they happen.",
  request: {
    params: JobPath,
    query: z.object({
      after: z.coerce.number().int().min(0).max(2_147_483_647).default(0).describe("A sequence seen before."),
      limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
  },
  responses: {
    200: {
      description: "The events after that sequence.",
      content: {
        "application/json": {
          schema: z
            .object({
              items: z.array(JobEventAnswer),
              nextAfter: z
                .int()
                .nullable()
                .describe("Where the next page begins; null: these are the newest."),
            })
            .openapi("JobEventPage"),
        },
      },
    },
    ...describeProblems("invalid_request", "not_found", "gone"),
  },
});

const cancelRoute = createRoute({
  method: "post",
  path: "/jobs/{id}/cancellation",
  tags,
  summary: "Ask for a job's end",
  description:
    "A queued job is cancelled at once, a running one when its worker hears of it. Asking twice is fine.",
  request: { params: JobPath },
  responses: {
    202: { description: "The job as it stands now.", content: { "application/json": { schema: JobAnswer } } },
    ...describeProblems("invalid_request", "not_found", "conflict"),
  },
});

const tickRoute = createRoute({
  method: "post",
  path: "/jobs/ticks",
  tags,
  summary: "Keep the house going",
  description:
    "Adds the jobs of due schedules, takes back what dead workers held, and runs due jobs that need no model. " +
    "Called by a timer, with the secret key.",
  request: {
    query: z.object({
      budgetMs: z.coerce
        .number()
        .int()
        .min(100)
        .max(50_000)
        .optional()
        .describe("No job is begun later, and what runs then is handed back. Default 20,000."),
      cpuMs: z.coerce
        .number()
        .int()
        .min(100)
        .max(60_000)
        .optional()
        .describe("CPU for jobs; a long one goes on in the next tick. Default 1,500."),
      jobsMax: z.coerce.number().int().min(0).max(100).optional().describe("Default 100."),
    }),
  },
  responses: {
    200: {
      description: "What was done.",
      content: {
        "application/json": {
          schema: z
            .object({
              added: z.int(),
              rescued: z.int(),
              done: z.int(),
              failed: z.int(),
              requeued: z.int().describe("Handed back: the time was up, or they may be tried again."),
            })
            .openapi("Tick"),
        },
      },
    },
    ...describeProblems("invalid_request", "forbidden"),
  },
});

/** Follows work that outlasts a request: its state, its events, its end. */
export function createJobRoutes(deps: Deps, schedule: Schedule) {
  return createRouter()
    .openapi(listRoute, async (c) => {
      const { cursor, limit, scope, ...filter } = c.req.valid("query");
      const userId = requireSignedIn(c.var.caller);
      const ownerId = scope === "all" ? undefined : userId;
      const beforeId = cursor === undefined ? undefined : decodeCursor(JobCursor, cursor).id;
      const rows = await transactAs(deps.sql, c.var.caller, (transaction) =>
        listJobs(transaction, { ...filter, ownerId, beforeId }, limit + 1),
      );
      return c.json(
        cutPage(rows, limit, ({ id }) => ({ id })),
        200,
      );
    })
    .openapi(tickRoute, async (c) => {
      requireSecretKey(c.var.caller);
      return c.json(await tick(deps, schedule, c.req.valid("query")), 200);
    })
    .openapi(getRoute, async (c) => {
      requireSignedIn(c.var.caller);
      const { id } = c.req.valid("param");
      const { job } = await transactAs(deps.sql, c.var.caller, (transaction) => getJob(transaction, id));
      return c.json(job, 200);
    })
    .openapi(eventsRoute, async (c) => {
      requireSignedIn(c.var.caller);
      const { id } = c.req.valid("param");
      const page = c.req.valid("query");
      return c.json(await listEventsAfter(deps, c.var.caller, id, page), 200);
    })
    .openapi(cancelRoute, async (c) => {
      requireSignedIn(c.var.caller);
      const { id } = c.req.valid("param");
      const job = await transactAs(deps.sql, c.var.caller, (transaction) =>
        cancelVisibleJob(transaction, id),
      );
      return c.json(job, 202);
    });
}

/** What the caller may not see is not there. */
async function getJob(transaction: TransactionSql, id: string) {
  const found = await findJob(transaction, id);
  if (!found) throw new AppError("not_found", "There is no such job.");
  return found;
}

async function listEventsAfter(
  deps: Deps,
  caller: Caller,
  id: string,
  page: { after: number; limit: number },
): Promise<{ items: JobEvent[]; nextAfter: number | null }> {
  return transactAs(deps.sql, caller, async (transaction) => {
    const rows = await listJobEvents(transaction, id, { ...page, limit: page.limit + 1 });
    // Read after the events: what was pruned meanwhile is noticed.
    const { eventsPrunedTo } = await getJob(transaction, id);
    if (page.after < eventsPrunedTo) {
      const message = `Events up to ${eventsPrunedTo} are gone: read the job, then ask for events after that.`;
      throw new AppError("gone", message);
    }
    const items = rows.slice(0, page.limit);
    return { items, nextAfter: rows.length > page.limit ? (items.at(-1)?.sequence ?? null) : null };
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

function ended(state: JobState): AppError {
  return new AppError("conflict", `The job has ended: it is ${state}.`);
}
