/** Reading the log over HTTP, and removing one from it. */
import { createRoute, z } from "@hono/zod-openapi";
import {
  InteractionDetail,
  InteractionPage,
  ListOrder,
  TextsShown,
} from "../../../shared/interactions/listing.ts";
import type { Deps } from "../../deps.ts";
import { decodeCursor, RowTime } from "../../http/cursors.ts";
import { describeProblems } from "../../http/problems.ts";
import { createRouter } from "../../http/router.ts";
import { nameSchema } from "../../http/schemas.ts";
import { signedIn } from "../owners.ts";
import { removeInteraction, showInteraction, showPage } from "./list.ts";
import { checkFilters, filterParameters, readFilters } from "./parameters.ts";

const tags = ["interactions"];
const InteractionPath = z.object({ id: z.uuid() });
export const ListCursor = z.object({ occurredAt: RowTime, id: z.uuid() });

const listRoute = createRoute({
  method: "get",
  path: "/interactions",
  tags,
  summary: "Interactions, newest first",
  description:
    "Your own; with the secret key the house's. Filters are joined by and. A page looks at a bounded number of interactions, " +
    "so that it comes soon whatever is asked for: with a filter that little passes it may have few items or none, and " +
    "`nextCursor` goes on. With `texts=full` a page ends when its texts have 8 MB.",
  middleware: [signedIn] as const,
  request: {
    query: z
      .object({
        ...filterParameters,
        order: ListOrder.default("-occurredAt"),
        texts: TextsShown.default("preview").describe("How much of the texts is shown."),
        previewLength: z.coerce
          .number()
          .int()
          .min(1)
          .max(10_000)
          .default(500)
          .describe("Characters of each text."),
        limit: z.coerce.number().int().min(1).max(200).default(50),
        cursor: z.string().optional(),
      })
      .superRefine(checkFilters),
  },
  responses: {
    200: {
      description: "A page of interactions.",
      content: { "application/json": { schema: nameSchema("InteractionPage", InteractionPage) } },
    },
    ...describeProblems("invalid_request", "invalid_cursor", "unauthenticated", "forbidden"),
  },
});

const getRoute = createRoute({
  method: "get",
  path: "/interactions/{id}",
  tags,
  summary: "One interaction, with its neighbours in its session",
  middleware: [signedIn] as const,
  request: { params: InteractionPath },
  responses: {
    200: {
      description: "It, whole.",
      content: { "application/json": { schema: nameSchema("InteractionDetail", InteractionDetail) } },
    },
    ...describeProblems("invalid_request", "unauthenticated", "not_found"),
  },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/interactions/{id}",
  tags,
  summary: "Delete an interaction",
  description:
    "With what it made fire; alerts stay, with their counts. Statistics keep what they counted: they hold no text.",
  middleware: [signedIn] as const,
  request: { params: InteractionPath },
  responses: {
    204: { description: "It is gone." },
    ...describeProblems("invalid_request", "unauthenticated", "not_found"),
  },
});

export function createListRoutes(deps: Deps) {
  return createRouter()
    .openapi(listRoute, async (c) => {
      const { order, texts, previewLength, limit, cursor, ...asked } = c.req.valid("query");
      const page = await showPage(deps, c.var.caller, {
        filters: readFilters(c.var.caller, asked),
        order,
        after: cursor === undefined ? undefined : decodeCursor(ListCursor, cursor),
        limit,
        textLength: texts === "full" ? null : texts === "none" ? 0 : previewLength,
      });
      return c.json(page, 200);
    })
    .openapi(getRoute, async (c) =>
      c.json(await showInteraction(deps, c.var.caller, c.req.valid("param").id), 200),
    )
    .openapi(deleteRoute, async (c) => {
      await removeInteraction(deps, c.var.caller, c.req.valid("param").id);
      return c.body(null, 204);
    });
}
