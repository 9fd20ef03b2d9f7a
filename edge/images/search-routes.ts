/** How pictures are found over HTTP: by words, or by another picture. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Caller } from "../../shared/callers.ts";
import { imageLimits, SearchFold, SearchPage } from "../../shared/images/contract.ts";
import type { Deps } from "../deps.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { chooseScope, ScopeName } from "./access.ts";
import { checkRanges, filterParameters, readFilters } from "./filters.ts";
import { findSimilar, type SearchRequest, searchImages } from "./hits.ts";
import { searchByPictureAgain } from "./picture-search.ts";
import { normalizeQuery } from "./query-vectors.ts";

const tags = ["images"];
const hitsDefault = 25;
const SearchAnswer = nameSchema("SearchPage", SearchPage);

/** Words to search by. */
const words = (description: string) =>
  z
    .string()
    .transform(normalizeQuery)
    .pipe(z.string().min(1).max(imageLimits.queryLengthMax))
    .openapi({ type: "string", minLength: 1, maxLength: imageLimits.queryLengthMax, description });

/** What every search takes besides its question. */
export const searchParameters = {
  scope: ScopeName.optional().describe(
    "`own`: default for users and the secret key. `public`: default for everyone else. `all`: admins only.",
  ),
  ...filterParameters,
  fold: SearchFold.default("none").describe(
    "Shows once, with the others as its `duplicates`: the same files (`duplicates`), or also what looks nearly the same (`similar`).",
  ),
  matchesOnly: z
    .enum(["true", "false"])
    .default("false")
    .describe(
      "Leaves out what is no match. In a space that is not calibrated nothing is known, and all stays.",
    ),
  limit: z.coerce.number().int().min(1).max(imageLimits.pageSizeMax).default(hitsDefault),
  cursor: z
    .string()
    .optional()
    .describe(
      "`nextCursor` of the page before, with the same question; a search is at most 1,000 hits deep.",
    ),
};

export const minusParameter = words(
  "What it must not be: hits lead away from it, and what its words answer is left out.",
);

/** One of both is asked with. */
function checkQuestion(asked: { q?: unknown; picture?: unknown }, context: z.core.$RefinementCtx): void {
  if ((asked.q === undefined) !== (asked.picture === undefined)) return;
  context.addIssue({ code: "custom", path: ["q"], message: "must be given, or else `picture`" });
}

const getSearch = createRoute({
  method: "get",
  path: "/images/search",
  tags,
  summary: "Find pictures by words",
  description: `The words become a vector (asked before, at once; else by a sidecar, within \`SEARCH_WAIT_MS\`). Pictures come
in the order of their inner product with it (\`method\` is \`vectors\`), or where names, titles or keywords answer the
words too, in an order fused from both (\`fused\`). Where there is no vector, words alone are searched (\`keywords\`), and
\`reason\` says why. Only pictures that are ready are found. Hits of equal score come in the order of their ids. A search
goes on in the embedding space that it began in, also when another one has become current.`,
  request: {
    query: z
      .object({
        q: words("What to look for; or else `picture`.").optional(),
        picture: z
          .uuid()
          .optional()
          .describe(
            "Of `POST /images/search`, within its hour: goes on with that search; only for who asked.",
          ),
        minus: minusParameter.optional(),
        ...searchParameters,
      })
      .superRefine(checkQuestion)
      .superRefine(checkRanges),
  },
  responses: {
    200: { description: "Hits, best first.", content: { "application/json": { schema: SearchAnswer } } },
    ...describeProblems("invalid_request", "invalid_cursor", "forbidden", "not_found", "unavailable"),
  },
});

const getSimilar = createRoute({
  method: "get",
  path: "/images/{id}/similar",
  tags,
  summary: "Find pictures like this one",
  description: "By the picture's own vector, without the picture itself. `conflict` while it is not ready.",
  request: {
    params: z.object({ id: z.uuid() }),
    query: z.object({ minus: minusParameter.optional(), ...searchParameters }).superRefine(checkRanges),
  },
  responses: {
    200: { description: "Hits, best first.", content: { "application/json": { schema: SearchAnswer } } },
    ...describeProblems(
      "invalid_request",
      "invalid_cursor",
      "forbidden",
      "not_found",
      "conflict",
      "unavailable",
    ),
  },
});

type SearchParameters = z.infer<z.ZodObject<typeof searchParameters>>;

/** What every search is asked with, from its parameters. */
export function readSearchRequest(caller: Caller, asked: SearchParameters): SearchRequest {
  const { scope, limit, cursor, fold, matchesOnly } = asked;
  return {
    scope: chooseScope(caller, scope),
    filters: readFilters(asked),
    fold,
    matchesOnly: matchesOnly === "true",
    limit,
    cursor,
  };
}

export function createSearchRoutes(deps: Deps) {
  return createRouter()
    .openapi(getSearch, async (c) => {
      const { q, picture, minus, ...asked } = c.req.valid("query");
      const request = { ...readSearchRequest(c.var.caller, asked), minus };
      const page =
        picture === undefined
          ? await searchImages(deps, c.var.caller, { ...request, query: q ?? "" })
          : await searchByPictureAgain(deps, c.var.caller, { ...request, picture });
      return c.json(page, 200);
    })
    .openapi(getSimilar, async (c) => {
      const { minus, ...asked } = c.req.valid("query");
      const request = { ...readSearchRequest(c.var.caller, asked), imageId: c.req.valid("param").id, minus };
      return c.json(await findSimilar(deps, c.var.caller, request), 200);
    });
}
