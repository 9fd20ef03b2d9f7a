/** Follows work that outlasts a request: its state, its place, its events, and what changed while one was away. */
import { createRoute, z } from "@hono/zod-openapi";
import { becomeCaller, type Caller, serviceCaller, transactAs } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";
import { Job, JobEvent, JobState } from "../../shared/jobs/contract.ts";
import { JobChanges, JobDetail, Revision } from "../../shared/jobs/following.ts";
import { jobKinds } from "../../shared/kinds.ts";
import type { Deps } from "../deps.ts";
import { cutPage, decodeCursor } from "../http/cursors.ts";
import { requireSignedIn } from "../http/identity.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { listChanges, takeRevision } from "./changes.ts";
import { describeOutlook, findLaneFigures } from "./outlook.ts";
import { encodeRevision } from "./revisions.ts";
import { chooseOwner, Scope } from "./scopes.ts";
import { getJob, listJobEvents, listJobs } from "./store.ts";

const tags = ["jobs"];
const params = z.object({ id: z.uuid() });
const JobAnswer = nameSchema("Job", Job);
const JobCursor = z.object({ id: z.uuid() });

const listRoute = createRoute({
  method: "get",
  path: "/jobs",
  tags,
  summary: "Jobs, newest first",
  description:
    "Your own; the secret key's own are those of the house. The first page's `revision` was taken before it was read: " +
    "what changes from then on, `GET /jobs/changes` tells; at worst it shows a job again that a page has shown.",
  request: {
    query: z.object({
      state: JobState.optional(),
      kind: z.string().min(1).max(64).optional(),
      subjectId: z.uuid().optional(),
      scope: Scope,
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
            .object({ items: z.array(JobAnswer), nextCursor: z.string().nullable(), revision: Revision })
            .openapi("JobPage"),
        },
      },
    },
    ...describeProblems("invalid_request", "invalid_cursor"),
  },
});

const changesRoute = createRoute({
  method: "get",
  path: "/jobs/changes",
  tags,
  summary: "Jobs that changed since a revision",
  description:
    "Each once, as it stands, and none missed, however long you were away and in whatever order changes were written. " +
    "Without `after`: no jobs, and the present revision. Jobs that were removed meanwhile are not there. A revision of " +
    "another database is refused: list the jobs, and go on with that revision. With `scope=all` it costs more the more jobs wait.",
  request: {
    query: z.object({
      after: z.string().optional().describe("The `revision` of the last answer."),
      scope: Scope,
      limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
  },
  responses: {
    200: {
      description: "A page of changes.",
      content: { "application/json": { schema: nameSchema("JobChanges", JobChanges) } },
    },
    ...describeProblems("invalid_request", "invalid_cursor"),
  },
});

const getRoute = createRoute({
  method: "get",
  path: "/jobs/{id}",
  tags,
  summary: "One job, and where it stands",
  request: { params },
  responses: {
    200: {
      description: "The job as it stands.",
      content: { "application/json": { schema: nameSchema("JobDetail", JobDetail) } },
    },
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
    params,
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
              items: z.array(nameSchema("JobEvent", JobEvent)),
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

export function createFollowingRoutes(deps: Deps) {
  return createRouter()
    .openapi(listRoute, async (c) => {
      const { cursor, limit, scope, ...filter } = c.req.valid("query");
      const ownerId = chooseOwner(c.var.caller, scope);
      const beforeId = cursor === undefined ? undefined : decodeCursor(JobCursor, cursor).id;
      const { revision, rows } = await transactAs(deps.sql, c.var.caller, async (transaction) => ({
        revision: encodeRevision(await takeRevision(transaction)),
        rows: await listJobs(transaction, { ...filter, ownerId, beforeId }, limit + 1),
      }));
      return c.json({ ...cutPage(rows, limit, ({ id }) => ({ id })), revision }, 200);
    })
    .openapi(changesRoute, async (c) => {
      const { after, scope, limit } = c.req.valid("query");
      const ownerId = chooseOwner(c.var.caller, scope);
      const changes = await transactAs(deps.sql, c.var.caller, (transaction) =>
        listChanges(transaction, after, { ownerId, limit }),
      );
      return c.json(changes, 200);
    })
    .openapi(getRoute, async (c) => {
      requireSignedIn(c.var.caller);
      return c.json(await showJob(deps, c.var.caller, c.req.valid("param").id), 200);
    })
    .openapi(eventsRoute, async (c) => {
      requireSignedIn(c.var.caller);
      const { id } = c.req.valid("param");
      return c.json(await listEventsAfter(deps, c.var.caller, id, c.req.valid("query")), 200);
    });
}

/** The job is read as the caller, its place among everyone's jobs as the service role. */
function showJob({ sql }: Deps, caller: Caller, id: string): Promise<JobDetail> {
  return transactAs(sql, caller, async (transaction) => {
    const { job } = await getJob(transaction, id);
    if (job.finishedAt !== null) return { ...job, ...describeOutlook(jobKinds, job, undefined) };
    await becomeCaller(transaction, serviceCaller);
    const figures = await findLaneFigures(transaction, jobKinds, job);
    return { ...job, ...describeOutlook(jobKinds, job, figures) };
  });
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
