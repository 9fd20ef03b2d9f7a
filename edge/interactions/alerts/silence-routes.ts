/** Silences over HTTP. */
import { createRoute, z } from "@hono/zod-openapi";
import { createId } from "../../../shared/ids.ts";
import { AlertSilence, NewSilence } from "../../../shared/interactions/silences.ts";
import type { Deps } from "../../deps.ts";
import { cutPage, decodeCursor } from "../../http/cursors.ts";
import { describeProblems } from "../../http/problems.ts";
import { createRouter } from "../../http/router.ts";
import { nameSchema } from "../../http/schemas.ts";
import { chooseOwner, Scope, signedIn } from "../owners.ts";
import { AlertPath, PageQuery, tags } from "./paths.ts";
import { addSilence, removeSilence, showSilences } from "./silences.ts";

const SilenceAnswer = nameSchema("AlertSilence", AlertSilence);
const SilenceCursor = z.object({ id: z.uuid() });

const listRoute = createRoute({
  method: "get",
  path: "/alerts/silences",
  tags,
  summary: "Silences, newest first",
  middleware: [signedIn] as const,
  request: {
    query: PageQuery.extend({
      scope: Scope,
      openOnly: z.enum(["true", "false"]).default("false").describe("Only those that are not over."),
    }),
  },
  responses: {
    200: {
      description: "A page of silences.",
      content: {
        "application/json": {
          schema: z
            .object({ items: z.array(SilenceAnswer), nextCursor: z.string().nullable() })
            .openapi("AlertSilencePage"),
        },
      },
    },
    ...describeProblems("invalid_request", "invalid_cursor", "unauthenticated", "forbidden"),
  },
});

const addRoute = createRoute({
  method: "post",
  path: "/alerts/silences",
  tags,
  summary: "Tell nobody of some alerts for a while",
  description:
    "Alerts that all of its fields fit are opened, counted and resolved, and nobody is told. Within a minute after it is over, " +
    "people are told of those that were opened meanwhile and still go on. 200 that are not over each.",
  middleware: [signedIn] as const,
  request: {
    query: z.object({ scope: Scope }),
    body: {
      content: { "application/json": { schema: nameSchema("NewSilence", NewSilence) } },
      required: true,
    },
  },
  responses: {
    201: { description: "The silence.", content: { "application/json": { schema: SilenceAnswer } } },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden", "quota_exceeded"),
  },
});

const endRoute = createRoute({
  method: "delete",
  path: "/alerts/silences/{id}",
  tags,
  summary: "End a silence at once",
  description: "It stays in the list, with when it ended; one that has not begun is removed.",
  middleware: [signedIn] as const,
  request: { params: AlertPath },
  responses: {
    204: { description: "It is over." },
    ...describeProblems("invalid_request", "unauthenticated", "not_found"),
  },
});

export function createSilenceRoutes(deps: Deps) {
  return createRouter()
    .openapi(listRoute, async (c) => {
      const { cursor, limit, scope, openOnly } = c.req.valid("query");
      const rows = await showSilences(deps, c.var.caller, {
        ownerId: chooseOwner(c.var.caller, scope),
        openOnly: openOnly === "true",
        beforeId: cursor === undefined ? undefined : decodeCursor(SilenceCursor, cursor).id,
        limit: limit + 1,
      });
      return c.json(
        cutPage(rows, limit, ({ id }) => ({ id })),
        200,
      );
    })
    .openapi(addRoute, async (c) => {
      const ownerId = chooseOwner(c.var.caller, c.req.valid("query").scope);
      const id = c.var.operationId ?? createId();
      return c.json(await addSilence(deps, { ...c.req.valid("json"), id, ownerId }), 201);
    })
    .openapi(endRoute, async (c) => {
      await removeSilence(deps, c.var.caller, c.req.valid("param").id);
      return c.body(null, 204);
    });
}
