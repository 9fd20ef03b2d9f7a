/** Many alerts at once over HTTP. */
import { createRoute, z } from "@hono/zod-openapi";
import { AlertSelection, AlertsChanged } from "../../../shared/interactions/alerts.ts";
import type { Deps } from "../../deps.ts";
import { describeProblems } from "../../http/problems.ts";
import { createRouter } from "../../http/router.ts";
import { nameSchema } from "../../http/schemas.ts";
import { chooseOwner, Scope, signedIn } from "../owners.ts";
import { acknowledgeSelected, resolveSelected } from "./alerts.ts";
import { tags } from "./paths.ts";

const request = {
  query: z.object({ scope: Scope }),
  body: {
    content: { "application/json": { schema: nameSchema("AlertSelection", AlertSelection) } },
    required: true,
  },
};
const responses = {
  200: {
    description: "How many were changed.",
    content: { "application/json": { schema: nameSchema("AlertsChanged", AlertsChanged) } },
  },
  ...describeProblems("invalid_request", "unauthenticated", "forbidden"),
};

const acknowledgeRoute = createRoute({
  method: "post",
  path: "/alerts/acknowledgements",
  tags,
  summary: "Take care of all open alerts that a filter names",
  description: "1,000 at most, all of them or none. `{}` names all of yours.",
  middleware: [signedIn] as const,
  request,
  responses,
});

const resolveRoute = createRoute({
  method: "post",
  path: "/alerts/resolutions",
  tags,
  summary: "End all alerts that a filter names",
  description: "1,000 at most, all of them or none. `{}` names all of yours.",
  middleware: [signedIn] as const,
  request,
  responses,
});

export function createBulkRoutes(deps: Deps) {
  return createRouter()
    .openapi(acknowledgeRoute, async (c) => {
      const ownerId = chooseOwner(c.var.caller, c.req.valid("query").scope);
      const selection = c.req.valid("json");
      return c.json(await acknowledgeSelected(deps, c.var.caller, { ownerId, selection }), 200);
    })
    .openapi(resolveRoute, async (c) => {
      const ownerId = chooseOwner(c.var.caller, c.req.valid("query").scope);
      const selection = c.req.valid("json");
      return c.json(await resolveSelected(deps, c.var.caller, { ownerId, selection }), 200);
    });
}
