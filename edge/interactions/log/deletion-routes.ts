/** Removing many interactions over HTTP. */
import { createRoute, z } from "@hono/zod-openapi";
import { NewDeletion } from "../../../shared/interactions/listing.ts";
import type { Deps } from "../../deps.ts";
import { describeProblems } from "../../http/problems.ts";
import { createRouter } from "../../http/router.ts";
import { nameSchema } from "../../http/schemas.ts";
import { Scope, signedIn } from "../owners.ts";
import { startDeletion } from "./deletions.ts";

const deletionRoute = createRoute({
  method: "post",
  path: "/interactions/deletions",
  tags: ["interactions"],
  summary: "Delete many interactions",
  description:
    "What bears all of these: a person's by `userLabel`, a session's, an app's, an import's, a time's. A job removes what is in the " +
    "log at this moment; its `result` says how many (`rowsRemoved`). What they made fire goes with them; alerts stay, with their " +
    "counts, and statistics keep what they counted: they hold no text.",
  middleware: [signedIn] as const,
  request: {
    query: z.object({ scope: Scope }),
    body: {
      content: { "application/json": { schema: nameSchema("NewInteractionDeletion", NewDeletion) } },
      required: true,
    },
  },
  responses: {
    202: {
      description: "The job that removes them.",
      content: {
        "application/json": {
          schema: z.object({ job: z.object({ id: z.uuid() }) }).openapi("InteractionDeletion"),
        },
      },
    },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden", "quota_exceeded"),
  },
});

export function createDeletionRoutes(deps: Deps) {
  return createRouter().openapi(deletionRoute, async (c) => {
    const { scope } = c.req.valid("query");
    const id = await startDeletion(deps, c.var.caller, {
      scope,
      wish: c.req.valid("json"),
      id: c.var.operationId,
    });
    c.set("hasAddedJobs", true);
    return c.json({ job: { id } }, 202);
  });
}
