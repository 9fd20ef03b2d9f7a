/** Schedules over HTTP; for admins and the secret key. */
import { createRoute, z } from "@hono/zod-openapi";
import {
  JobSchedule,
  JobScheduleDetail,
  NewJobSchedule,
  ScheduleName,
  ScheduleRun,
} from "../../shared/jobs/schedules.ts";
import { jobKinds } from "../../shared/kinds.ts";
import type { Deps } from "../deps.ts";
import { adminsOnly } from "../http/admins.ts";
import { cutPage, decodeCursor } from "../http/cursors.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import {
  removeSchedule,
  replaceSchedule,
  runSchedule,
  showSchedule,
  showSchedules,
} from "./schedule-changes.ts";
import type { HouseSchedule } from "./schedules.ts";

const tags = ["jobs"];
const params = z.object({ name: ScheduleName });
const ScheduleAnswer = nameSchema("JobSchedule", JobSchedule);
const detailAnswer = {
  content: { "application/json": { schema: nameSchema("JobScheduleDetail", JobScheduleDetail) } },
};
const ScheduleCursor = z.object({ name: ScheduleName });

const listRoute = createRoute({
  method: "get",
  path: "/jobs/schedules",
  tags,
  summary: "Which jobs are added when",
  description: "In the order of their names. Those of the house are there from the first tick on.",
  middleware: adminsOnly,
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(100).default(50),
      cursor: z.string().optional(),
    }),
  },
  responses: {
    200: {
      description: "A page of schedules.",
      content: {
        "application/json": {
          schema: z
            .object({ items: z.array(ScheduleAnswer), nextCursor: z.string().nullable() })
            .openapi("JobSchedulePage"),
        },
      },
    },
    ...describeProblems("invalid_request", "invalid_cursor", "unauthenticated", "forbidden"),
  },
});

const getScheduleRoute = createRoute({
  method: "get",
  path: "/jobs/schedules/{name}",
  tags,
  summary: "One schedule and its next five times",
  middleware: adminsOnly,
  request: { params },
  responses: {
    200: { description: "The schedule as it stands.", ...detailAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden", "not_found"),
  },
});

const putRoute = createRoute({
  method: "put",
  path: "/jobs/schedules/{name}",
  tags,
  summary: "Create a schedule, or replace it whole",
  description:
    "At each of its times a job is added, once, however many processes tick. With the same expression and zone what " +
    "is due stays due; else it begins with the next time. Of a schedule of the house only kind and owner are fixed.",
  middleware: adminsOnly,
  request: {
    params,
    body: {
      content: { "application/json": { schema: nameSchema("NewJobSchedule", NewJobSchedule) } },
      required: true,
    },
  },
  responses: {
    200: { description: "It was replaced.", ...detailAnswer },
    201: { description: "It was created.", ...detailAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden", "conflict"),
  },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/jobs/schedules/{name}",
  tags,
  summary: "Remove a schedule",
  description: "Jobs that it added stay. One of the house is not removed: pause it.",
  middleware: adminsOnly,
  request: { params },
  responses: {
    204: { description: "It is gone." },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden", "not_found", "conflict"),
  },
});

const runRoute = createRoute({
  method: "post",
  path: "/jobs/schedules/{name}/runs",
  tags,
  summary: "Add a run at once",
  description: "Beside those of the expression, and also while the schedule is paused.",
  middleware: adminsOnly,
  request: { params },
  responses: {
    202: {
      description: "The job.",
      content: { "application/json": { schema: nameSchema("ScheduleRun", ScheduleRun) } },
    },
    ...describeProblems(
      "invalid_request",
      "unauthenticated",
      "forbidden",
      "not_found",
      "conflict",
      "quota_exceeded",
    ),
  },
});

export function createScheduleRoutes(deps: Deps, house: readonly HouseSchedule[]) {
  return createRouter()
    .openapi(listRoute, async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const afterName = cursor === undefined ? undefined : decodeCursor(ScheduleCursor, cursor).name;
      const schedules = await showSchedules(deps, { afterName, limit: limit + 1 });
      return c.json(
        cutPage(schedules, limit, ({ name }) => ({ name })),
        200,
      );
    })
    .openapi(getScheduleRoute, async (c) => c.json(await showSchedule(deps, c.req.valid("param").name), 200))
    .openapi(putRoute, async (c) => {
      const { name } = c.req.valid("param");
      const replacement = { name, schedule: c.req.valid("json"), kinds: jobKinds, house };
      const { isNew, schedule } = await replaceSchedule(deps, replacement);
      return isNew ? c.json(schedule, 201) : c.json(schedule, 200);
    })
    .openapi(deleteRoute, async (c) => {
      await removeSchedule(deps, house, c.req.valid("param").name);
      return c.body(null, 204);
    })
    .openapi(runRoute, async (c) => {
      const { name } = c.req.valid("param");
      const id = await runSchedule(deps, jobKinds, { name, operationId: c.var.operationId });
      c.set("hasAddedJobs", true);
      return c.json({ job: { id } }, 202);
    });
}
