/** How pictures are found over HTTP: by words, or by another picture. */
import { createRoute, z } from "@hono/zod-openapi";
import { imageLimits, SearchPage } from "../../shared/images/contract.ts";
import type { Deps } from "../deps.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { chooseScope, ScopeName } from "./access.ts";
import { findSimilar, searchImages } from "./hits.ts";
import { normalizeQuery } from "./query-vectors.ts";

const tags = ["images"];
const hitsDefault = 25;
const SearchAnswer = nameSchema("SearchPage", SearchPage);

const PageQuery = z.object({
  scope: ScopeName.optional().describe(
    "`own`: default for users and the secret key. `public`: default for everyone else. `all`: admins only.",
  ),
  limit: z.coerce.number().int().min(1).max(imageLimits.pageSizeMax).default(hitsDefault),
  cursor: z
    .string()
    .optional()
    .describe("`nextCursor` of the page before; a search is at most 1,000 hits deep."),
});

const getSearch = createRoute({
  method: "get",
  path: "/images/search",
  tags,
  summary: "Find pictures by words",
  description: `The words become a vector (asked before, at once; else by a sidecar, within \`SEARCH_WAIT_MS\`), and
pictures come in the order of their inner product with it: \`method\` is \`vectors\`. Where there is no vector, names,
titles and keywords are searched: \`method\` is \`keywords\`, and \`reason\` says why. Only pictures that are ready
are found. Hits of equal score come in the order of their ids.`,
  request: {
    query: PageQuery.extend({
      q: z
        .string()
        .transform(normalizeQuery)
        .pipe(z.string().min(1).max(imageLimits.queryLengthMax))
        .openapi({ type: "string", minLength: 1, maxLength: imageLimits.queryLengthMax }),
    }),
  },
  responses: {
    200: { description: "Hits, best first.", content: { "application/json": { schema: SearchAnswer } } },
    ...describeProblems("invalid_request", "invalid_cursor", "forbidden", "unavailable"),
  },
});

const getSimilar = createRoute({
  method: "get",
  path: "/images/{id}/similar",
  tags,
  summary: "Find pictures like this one",
  description: "By the picture's own vector, without the picture itself. `conflict` while it is not ready.",
  request: { params: z.object({ id: z.uuid() }), query: PageQuery },
  responses: {
    200: { description: "Hits, best first.", content: { "application/json": { schema: SearchAnswer } } },
    ...describeProblems("invalid_request", "invalid_cursor", "forbidden", "not_found", "conflict"),
  },
});

export function createSearchRoutes(deps: Deps) {
  return createRouter()
    .openapi(getSearch, async (c) => {
      const { q, limit, cursor, scope } = c.req.valid("query");
      const chosen = chooseScope(c.var.caller, scope);
      return c.json(await searchImages(deps, c.var.caller, { query: q, scope: chosen, limit, cursor }), 200);
    })
    .openapi(getSimilar, async (c) => {
      const { limit, cursor, scope } = c.req.valid("query");
      const request = {
        imageId: c.req.valid("param").id,
        scope: chooseScope(c.var.caller, scope),
        limit,
        cursor,
      };
      return c.json(await findSimilar(deps, c.var.caller, request), 200);
    });
}
