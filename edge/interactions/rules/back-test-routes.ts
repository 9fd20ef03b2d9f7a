/** Back-tests over HTTP. */
import { createRoute, z } from "@hono/zod-openapi";
import { createId } from "../../../shared/ids.ts";
import { BackTest, NewBackTest } from "../../../shared/interactions/back-tests.ts";
import type { Deps } from "../../deps.ts";
import { cutPage, decodeCursor, RowTime } from "../../http/cursors.ts";
import { describeProblems } from "../../http/problems.ts";
import { createRouter } from "../../http/router.ts";
import { nameSchema } from "../../http/schemas.ts";
import { chooseOwner, Scope, signedIn } from "../owners.ts";
import { showBackTest, showBackTests, startBackTest } from "./back-tests.ts";

const tags = ["rules"];
const BackTestCursor = z.object({ createdAt: RowTime, id: z.uuid() });
const BackTestAnswer = nameSchema("BackTest", BackTest);
const backTestAnswer = { content: { "application/json": { schema: BackTestAnswer } } };

const addRoute = createRoute({
  method: "post",
  path: "/rules/back-tests",
  tags,
  summary: "Try a rule on what is in the log",
  description:
    "A job runs a rule (`rule`, which is not saved, or `ruleId`) over the log from `from` to `to`, and tells how often it " +
    "would have fired, on which interactions, of how many alerts people would have been told, and what other sensitivities " +
    "or thresholds would have come to. Nobody is told of anything. Each interaction is held against what had happened before " +
    "it, whenever it was logged. `GET /rules/back-tests/{id}` has the result when the job is done; 100 are kept.",
  middleware: [signedIn] as const,
  request: {
    query: z.object({ scope: Scope }),
    body: {
      content: { "application/json": { schema: nameSchema("NewBackTest", NewBackTest) } },
      required: true,
    },
  },
  responses: {
    202: { description: "The back-test, and the job that runs it.", ...backTestAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden", "not_found", "quota_exceeded"),
  },
});

const listRoute = createRoute({
  method: "get",
  path: "/rules/back-tests",
  tags,
  summary: "Back-tests, newest first",
  middleware: [signedIn] as const,
  request: {
    query: z.object({
      scope: Scope,
      limit: z.coerce.number().int().min(1).max(100).default(20),
      cursor: z.string().optional(),
    }),
  },
  responses: {
    200: {
      description: "A page of them.",
      content: {
        "application/json": {
          schema: z
            .object({ items: z.array(BackTestAnswer), nextCursor: z.string().nullable() })
            .openapi("BackTestPage"),
        },
      },
    },
    ...describeProblems("invalid_request", "invalid_cursor", "unauthenticated", "forbidden"),
  },
});

const getRoute = createRoute({
  method: "get",
  path: "/rules/back-tests/{id}",
  tags,
  summary: "One back-test",
  middleware: [signedIn] as const,
  request: { params: z.object({ id: z.uuid() }) },
  responses: {
    200: { description: "With its result, once it is done.", ...backTestAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "not_found"),
  },
});

export function createBackTestRoutes(deps: Deps) {
  return createRouter()
    .openapi(addRoute, async (c) => {
      const ownerId = chooseOwner(c.var.caller, c.req.valid("query").scope);
      const id = c.var.operationId ?? createId();
      const started = await startBackTest(deps, c.var.caller, { ...c.req.valid("json"), id, ownerId });
      c.set("hasAddedJobs", true);
      return c.json(started, 202);
    })
    .openapi(listRoute, async (c) => {
      const { scope, limit, cursor } = c.req.valid("query");
      const before = cursor === undefined ? undefined : decodeCursor(BackTestCursor, cursor);
      const page = { ownerId: chooseOwner(c.var.caller, scope), before, limit: limit + 1 };
      const rows = await showBackTests(deps, c.var.caller, page);
      return c.json(
        cutPage(rows, limit, ({ createdAt, id }) => ({ createdAt, id })),
        200,
      );
    })
    .openapi(getRoute, async (c) =>
      c.json(await showBackTest(deps, c.var.caller, c.req.valid("param").id), 200),
    );
}
