/** Alerts over HTTP. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Deps } from "../../deps.ts";
import { cutPage, decodeCursor } from "../../http/cursors.ts";
import { describeProblems } from "../../http/problems.ts";
import { createRouter } from "../../http/router.ts";
import { chooseOwner, signedIn } from "../owners.ts";
import { acknowledgeAlert, resolveAlert, showAlert, showAlerts, showFirings } from "./alerts.ts";
import { createBulkRoutes } from "./bulk-routes.ts";
import {
  AlertAnswer,
  AlertCursor,
  AlertDetailsAnswer,
  AlertPath,
  AlertQuery,
  alertAnswer,
  FiringAnswer,
  FiringCursor,
  PageQuery,
  tags,
} from "./paths.ts";
import { createSilenceRoutes } from "./silence-routes.ts";

const listRoute = createRoute({
  method: "get",
  path: "/alerts",
  tags,
  summary: "Alerts, newest first",
  description:
    "A rule's condition that holds is one alert for as long as it does, for each of what the rule judges apart: it has a count " +
    "instead of repeating itself.",
  middleware: [signedIn] as const,
  request: { query: AlertQuery },
  responses: {
    200: {
      description: "A page of alerts.",
      content: {
        "application/json": {
          schema: z
            .object({ items: z.array(AlertAnswer), nextCursor: z.string().nullable() })
            .openapi("AlertPage"),
        },
      },
    },
    ...describeProblems("invalid_request", "invalid_cursor", "unauthenticated", "forbidden"),
  },
});

const getRoute = createRoute({
  method: "get",
  path: "/alerts/{id}",
  tags,
  summary: "One alert, with why it was opened",
  description:
    "`evidence` tells what the newest value was held against, how far out it was, and the threshold with which the rule would " +
    "have been quiet; `firings` which interactions it tells of.",
  middleware: [signedIn] as const,
  request: { params: AlertPath },
  responses: {
    200: {
      description: "The alert as it stands.",
      content: { "application/json": { schema: AlertDetailsAnswer } },
    },
    ...describeProblems("invalid_request", "unauthenticated", "not_found"),
  },
});

const firingsRoute = createRoute({
  method: "get",
  path: "/alerts/{id}/firings",
  tags,
  summary: "The interactions that an alert tells of, newest first",
  description:
    "Of a rate the newest twenty of each time that it was judged; of what is missing there are none.",
  middleware: [signedIn] as const,
  request: { params: AlertPath, query: PageQuery },
  responses: {
    200: {
      description: "A page of them.",
      content: {
        "application/json": {
          schema: z
            .object({ items: z.array(FiringAnswer), nextCursor: z.string().nullable() })
            .openapi("AlertFiringPage"),
        },
      },
    },
    ...describeProblems("invalid_request", "invalid_cursor", "unauthenticated", "not_found"),
  },
});

const acknowledgeRoute = createRoute({
  method: "post",
  path: "/alerts/{id}/acknowledgement",
  tags,
  summary: "Say that you take care of it",
  description:
    "It goes on and is counted, and people are not told of it again until it is over. 409 when it is resolved.",
  middleware: [signedIn] as const,
  request: { params: AlertPath },
  responses: {
    200: { description: "The alert as it is now.", ...alertAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "not_found", "conflict"),
  },
});

const takeBackRoute = createRoute({
  method: "delete",
  path: "/alerts/{id}/acknowledgement",
  tags,
  summary: "Say that you do not take care of it any more",
  middleware: [signedIn] as const,
  request: { params: AlertPath },
  responses: {
    204: { description: "It is open." },
    ...describeProblems("invalid_request", "unauthenticated", "not_found", "conflict"),
  },
});

const resolveRoute = createRoute({
  method: "post",
  path: "/alerts/{id}/resolution",
  tags,
  summary: "Say that it is over",
  description:
    "When its condition holds again, that is another alert, and people are told of it. An alert also ends by itself, when it was " +
    "quiet for as long as its rule says.",
  middleware: [signedIn] as const,
  request: { params: AlertPath },
  responses: {
    200: { description: "The alert as it is now.", ...alertAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "not_found"),
  },
});

/** The fixed paths come before `/alerts/{id}`. */
export function createAlertRoutes(deps: Deps) {
  return createRouter()
    .route("/", createSilenceRoutes(deps))
    .route("/", createBulkRoutes(deps))
    .openapi(listRoute, async (c) => {
      const { cursor, scope, state, isImported, interaction_id, ...query } = c.req.valid("query");
      const rows = await showAlerts(deps, c.var.caller, {
        ...query,
        ownerId: chooseOwner(c.var.caller, scope),
        states: state,
        isImported: isImported === undefined ? undefined : isImported === "true",
        interactionId: query.interactionId ?? interaction_id,
        before: cursor === undefined ? undefined : decodeCursor(AlertCursor, cursor),
        limit: query.limit + 1,
      });
      return c.json(
        cutPage(rows, query.limit, ({ openedAt, id }) => ({ openedAt, id })),
        200,
      );
    })
    .openapi(getRoute, async (c) => c.json(await showAlert(deps, c.var.caller, c.req.valid("param").id), 200))
    .openapi(firingsRoute, async (c) => {
      const { cursor, limit } = c.req.valid("query");
      const before = cursor === undefined ? undefined : decodeCursor(FiringCursor, cursor);
      const { id } = c.req.valid("param");
      return c.json(await showFirings(deps, c.var.caller, { id, limit, before }), 200);
    })
    .openapi(acknowledgeRoute, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(await acknowledgeAlert(deps, c.var.caller, { id, acknowledged: true }), 200);
    })
    .openapi(takeBackRoute, async (c) => {
      await acknowledgeAlert(deps, c.var.caller, { id: c.req.valid("param").id, acknowledged: false });
      return c.body(null, 204);
    })
    .openapi(resolveRoute, async (c) =>
      c.json(await resolveAlert(deps, c.var.caller, c.req.valid("param").id), 200),
    );
}
