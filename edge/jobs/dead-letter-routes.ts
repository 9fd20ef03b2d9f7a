/** Failed jobs: looked at by their owners, and tried again in numbers by operators. */
import { createRoute, z } from "@hono/zod-openapi";
import { transactAs } from "../../shared/callers.ts";
import { DeadLetter, NewRedrive, Redrive } from "../../shared/jobs/operating.ts";
import { jobKinds } from "../../shared/kinds.ts";
import type { Deps } from "../deps.ts";
import { adminsOnly } from "../http/admins.ts";
import { cutPage, decodeCursor, RowTime } from "../http/cursors.ts";
import { requireAdmin, requireSignedIn } from "../http/identity.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { listDeadLetters, redrive } from "./dead-letters.ts";
import { chooseOwner, Scope } from "./scopes.ts";

const tags = ["jobs"];
const DeadLetterAnswer = nameSchema("DeadLetter", DeadLetter);
const LetterCursor = z.object({ finishedAt: RowTime, id: z.uuid() });

const listRoute = createRoute({
  method: "get",
  path: "/jobs/dead-letters",
  tags,
  summary: "Failed jobs, the newest failure first",
  description:
    "With payload, error and last events. They are kept for 30 days; `POST /jobs/{id}/retry` tries one again.",
  request: {
    query: z.object({
      kind: z.string().min(1).max(64).optional(),
      code: z.string().min(1).max(64).optional().describe("Only those that failed with this code."),
      scope: Scope,
      ownerId: z.uuid().optional().describe("One user's; for admins and the secret key."),
      limit: z.coerce.number().int().min(1).max(100).default(50),
      cursor: z.string().optional(),
    }),
  },
  responses: {
    200: {
      description: "A page of failed jobs.",
      content: {
        "application/json": {
          schema: z
            .object({ items: z.array(DeadLetterAnswer), nextCursor: z.string().nullable() })
            .openapi("DeadLetterPage"),
        },
      },
    },
    ...describeProblems("invalid_request", "invalid_cursor", "forbidden"),
  },
});

const redriveRoute = createRoute({
  method: "post",
  path: "/jobs/dead-letters/redrives",
  tags,
  summary: "Try failed jobs again",
  description:
    "For admins and the secret key. The oldest failures first; one that cannot be tried again is told in `refused` and " +
    "holds up no other.",
  middleware: adminsOnly,
  request: {
    body: {
      content: { "application/json": { schema: nameSchema("NewRedrive", NewRedrive) } },
      required: true,
    },
  },
  responses: {
    200: {
      description: "What became of them.",
      content: { "application/json": { schema: nameSchema("Redrive", Redrive) } },
    },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden"),
  },
});

export function createDeadLetterRoutes(deps: Deps) {
  return createRouter()
    .openapi(listRoute, async (c) => {
      const { cursor, limit, scope, ownerId, ...filter } = c.req.valid("query");
      const userId = requireSignedIn(c.var.caller);
      if (ownerId !== undefined && ownerId !== userId) requireAdmin(c.var.caller);
      const whose = ownerId ?? chooseOwner(c.var.caller, scope);
      const before = cursor === undefined ? undefined : decodeCursor(LetterCursor, cursor);
      const letters = await transactAs(deps.sql, c.var.caller, (transaction) =>
        listDeadLetters(transaction, { ...filter, ownerId: whose, before }, limit + 1),
      );
      return c.json(
        cutPage(letters, limit, ({ finishedAt, id }) => ({ finishedAt, id })),
        200,
      );
    })
    .openapi(redriveRoute, async (c) => {
      // Well before the request's own end, so that what was done is answered.
      const signal = AbortSignal.timeout(deps.config.requestMs / 2);
      const redriven = await redrive(deps.sql, jobKinds, c.req.valid("json"), signal);
      if (redriven.retried > 0) c.set("hasAddedJobs", true);
      return c.json(redriven, 200);
    });
}
