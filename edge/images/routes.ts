/** The image library over HTTP. */
import { createRoute, z } from "@hono/zod-openapi";
import { ImageChange, ImageDetail, ImageName, ImagePage, imageLimits } from "../../shared/images/contract.ts";
import type { Deps } from "../deps.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { chooseScope, ScopeName } from "./access.ts";
import { checkRanges, filterParameters, readFilters } from "./filters.ts";
import { changeImage, removeImage, setPublication, showImage, showPage } from "./library.ts";
import { createPictureSearchRoutes } from "./picture-search-routes.ts";
import { createRecallRoutes } from "./recall-routes.ts";
import { createSearchRoutes } from "./search-routes.ts";
import { createUploadingRoutes, signedIn } from "./uploading-routes.ts";

const tags = ["images"];
const params = z.object({ id: z.uuid() });
const imageAnswer = { content: { "application/json": { schema: nameSchema("ImageDetail", ImageDetail) } } };

const listImages = createRoute({
  method: "get",
  path: "/images",
  tags,
  summary: "List pictures, newest first",
  request: {
    query: z
      .object({
        name: ImageName.optional().describe("Exactly this name."),
        ...filterParameters,
        scope: ScopeName.optional().describe(
          "`own`: default for users and the secret key. `public`: default for everyone else. `all`: admins only.",
        ),
        limit: z.coerce
          .number()
          .int()
          .min(1)
          .max(imageLimits.pageSizeMax)
          .default(imageLimits.pageSizeDefault),
        cursor: z.string().optional().describe("`nextCursor` of the page before."),
      })
      .superRefine(checkRanges),
  },
  responses: {
    200: {
      description: "A page.",
      content: { "application/json": { schema: nameSchema("ImagePage", ImagePage) } },
    },
    ...describeProblems("invalid_request", "invalid_cursor", "forbidden"),
  },
});

const getImage = createRoute({
  method: "get",
  path: "/images/{id}",
  tags,
  summary: "Show a picture",
  description: `With signed links that work for \`LINK_SECONDS\` (an hour unless set otherwise). What the original
tells (\`origin\`, \`links.original\`) is for its owner and admins.`,
  request: { params },
  responses: {
    200: { description: "The picture.", ...imageAnswer },
    ...describeProblems("invalid_request", "not_found"),
  },
});

const patchImage = createRoute({
  method: "patch",
  path: "/images/{id}",
  tags,
  summary: "Change name, title or keywords",
  middleware: [signedIn] as const,
  request: {
    params,
    body: {
      content: { "application/json": { schema: nameSchema("ImageChange", ImageChange) } },
      required: true,
    },
  },
  responses: {
    200: { description: "The picture as it is now.", ...imageAnswer },
    ...describeProblems("invalid_request", "forbidden", "not_found", "name_taken"),
  },
});

const deleteImage = createRoute({
  method: "delete",
  path: "/images/{id}",
  tags,
  summary: "Delete a picture",
  description: "With its vectors and all that is kept of it; the job that works on it is cancelled.",
  middleware: [signedIn] as const,
  request: { params },
  responses: {
    204: { description: "It is gone." },
    ...describeProblems("invalid_request", "forbidden", "not_found"),
  },
});

const putPublication = createRoute({
  method: "put",
  path: "/images/{id}/publication",
  tags,
  summary: "Make a picture public",
  description: "Admins only. Everyone sees it from then on, without the original and what that tells.",
  middleware: [signedIn] as const,
  request: { params },
  responses: {
    200: { description: "It is public once it is ready.", ...imageAnswer },
    ...describeProblems("invalid_request", "forbidden", "not_found"),
  },
});

const deletePublication = createRoute({
  method: "delete",
  path: "/images/{id}/publication",
  tags,
  summary: "Make a picture private again",
  description: "Admins only. Links that were signed before work until they expire.",
  middleware: [signedIn] as const,
  request: { params },
  responses: {
    200: { description: "It is private.", ...imageAnswer },
    ...describeProblems("invalid_request", "forbidden", "not_found"),
  },
});

export function createImageRoutes(deps: Deps) {
  return (
    createRouter()
      // Before `/images/{id}`: the word search is no id.
      .route("/", createSearchRoutes(deps))
      .route("/", createPictureSearchRoutes(deps))
      .route("/", createRecallRoutes(deps))
      .route("/", createUploadingRoutes(deps))
      .openapi(listImages, async (c) => {
        const { scope, name, limit, cursor, ...asked } = c.req.valid("query");
        const filters = readFilters(asked);
        const request = { scope: chooseScope(c.var.caller, scope), name, filters, limit, cursor };
        return c.json(await showPage(deps, c.var.caller, request), 200);
      })
      .openapi(getImage, async (c) =>
        c.json(await showImage(deps, c.var.caller, c.req.valid("param").id), 200),
      )
      .openapi(patchImage, async (c) => {
        const change = c.req.valid("json");
        return c.json(await changeImage(deps, c.var.caller, c.req.valid("param").id, change), 200);
      })
      .openapi(deleteImage, async (c) => {
        await removeImage(deps, c.var.caller, c.req.valid("param").id);
        return c.body(null, 204);
      })
      .openapi(putPublication, async (c) =>
        c.json(await setPublication(deps, c.var.caller, c.req.valid("param").id, true), 200),
      )
      .openapi(deletePublication, async (c) =>
        c.json(await setPublication(deps, c.var.caller, c.req.valid("param").id, false), 200),
      )
  );
}
