/** Settings of the log over HTTP. */
import { createRoute, z } from "@hono/zod-openapi";
import { InteractionSettings, InteractionSettingsChange } from "../../../shared/interactions/listing.ts";
import type { Deps } from "../../deps.ts";
import { describeProblems } from "../../http/problems.ts";
import { createRouter } from "../../http/router.ts";
import { nameSchema } from "../../http/schemas.ts";
import { Scope, signedIn } from "../owners.ts";
import { changeSettings, showSettings } from "./settings.ts";

const settingsAnswer = {
  content: { "application/json": { schema: nameSchema("InteractionSettings", InteractionSettings) } },
};

const getRoute = createRoute({
  method: "get",
  path: "/interactions/settings",
  tags: ["interactions"],
  summary: "How your interactions are kept",
  middleware: [signedIn] as const,
  request: { query: z.object({ scope: Scope }) },
  responses: {
    200: { description: "The settings.", ...settingsAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden"),
  },
});

const patchRoute = createRoute({
  method: "patch",
  path: "/interactions/settings",
  tags: ["interactions"],
  summary: "Change how your interactions are kept",
  description:
    "What is redacted is left out of interactions that are logged from now on. A shorter retention takes hold within the hour.",
  middleware: [signedIn] as const,
  request: {
    query: z.object({ scope: Scope }),
    body: {
      content: {
        "application/json": { schema: nameSchema("InteractionSettingsChange", InteractionSettingsChange) },
      },
      required: true,
    },
  },
  responses: {
    200: { description: "The settings as they are now.", ...settingsAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden"),
  },
});

export function createSettingsRoutes(deps: Deps) {
  return createRouter()
    .openapi(getRoute, async (c) =>
      c.json(await showSettings(deps, c.var.caller, c.req.valid("query").scope), 200),
    )
    .openapi(patchRoute, async (c) => {
      const { scope } = c.req.valid("query");
      return c.json(await changeSettings(deps, c.var.caller, { scope, change: c.req.valid("json") }), 200);
    });
}
