/** Imports over HTTP. */
import { createRoute, z } from "@hono/zod-openapi";
import { InteractionImport } from "../../../shared/interactions/imports.ts";
import type { Deps } from "../../deps.ts";
import { cutPage, decodeCursor } from "../../http/cursors.ts";
import { describeProblems } from "../../http/problems.ts";
import { createRouter } from "../../http/router.ts";
import { nameSchema } from "../../http/schemas.ts";
import { chooseOwner, Scope, signedIn } from "../owners.ts";
import { openRefusals, removeImport, showImport, showImports } from "./imports.ts";
import { createUploadRoutes } from "./upload-routes.ts";

const tags = ["interactions"];
const ImportCursor = z.object({ id: z.uuid() });
const ImportAnswer = nameSchema("InteractionImport", InteractionImport);
const params = z.object({ id: z.uuid() });

const listRoute = createRoute({
  method: "get",
  path: "/interactions/imports",
  tags,
  summary: "Imports, newest first",
  middleware: [signedIn] as const,
  request: {
    query: z.object({
      scope: Scope,
      limit: z.coerce.number().int().min(1).max(100).default(50),
      cursor: z.string().optional(),
    }),
  },
  responses: {
    200: {
      description: "A page of imports.",
      content: {
        "application/json": {
          schema: z
            .object({ items: z.array(ImportAnswer), nextCursor: z.string().nullable() })
            .openapi("InteractionImportPage"),
        },
      },
    },
    ...describeProblems("invalid_request", "invalid_cursor", "forbidden"),
  },
});

const getRoute = createRoute({
  method: "get",
  path: "/interactions/imports/{id}",
  tags,
  summary: "One import: how far it is, what landed and what was refused",
  description: "Follow it by its job: `GET /jobs/{jobId}`, and progress over Realtime.",
  middleware: [signedIn] as const,
  request: { params },
  responses: {
    200: {
      description: "The import as it stands.",
      content: { "application/json": { schema: ImportAnswer } },
    },
    ...describeProblems("invalid_request", "not_found"),
  },
});

const refusalsRoute = createRoute({
  method: "get",
  path: "/interactions/imports/{id}/refusals",
  tags,
  summary: "The rows that were refused, as CSV",
  description:
    "The number of the row (from 1, the header and empty lines not counted), why, and what it holds, so far as it is not too " +
    "long. The first 100,000; the import counts all of them. What a spreadsheet would run has an apostrophe before it.",
  middleware: [signedIn] as const,
  request: { params },
  responses: {
    200: {
      description: "UTF-8 with a byte order mark.",
      content: { "text/csv": { schema: z.string() } },
    },
    ...describeProblems("invalid_request", "not_found"),
  },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/interactions/imports/{id}",
  tags,
  summary: "Delete an import",
  description:
    "Ends it where it is under way, and removes its file and what was refused. Rows that are in the log stay there. To end it and " +
    "still see how far it came, cancel its job instead.",
  middleware: [signedIn] as const,
  request: { params },
  responses: {
    204: { description: "It is gone." },
    ...describeProblems("invalid_request", "not_found"),
  },
});

export function createImportRoutes(deps: Deps) {
  return createRouter()
    .openapi(listRoute, async (c) => {
      const { scope, cursor, limit } = c.req.valid("query");
      const ownerId = chooseOwner(c.var.caller, scope);
      const beforeId = cursor === undefined ? undefined : decodeCursor(ImportCursor, cursor).id;
      const rows = await showImports(deps, c.var.caller, { ownerId, beforeId, limit: limit + 1 });
      return c.json(
        cutPage(rows, limit, ({ id }) => ({ id })),
        200,
      );
    })
    .openapi(getRoute, async (c) =>
      c.json(await showImport(deps, c.var.caller, c.req.valid("param").id), 200),
    )
    .openapi(refusalsRoute, async (c) => {
      const { id } = c.req.valid("param");
      const body = await openRefusals(deps, c.var.caller, id);
      const headers = {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": `attachment; filename="refusals-${id}.csv"`,
      };
      // biome-ignore lint/suspicious/noExplicitAny: a stream is typed as the text that it is.
      return new Response(body, { status: 200, headers }) as any;
    })
    .openapi(deleteRoute, async (c) => {
      await removeImport(deps, c.var.caller, c.req.valid("param").id);
      return c.body(null, 204);
    })
    .route("/", createUploadRoutes(deps));
}
