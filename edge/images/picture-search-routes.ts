/** How pictures are found by a picture that comes with the request. */
import { createRoute, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { AppError } from "../../shared/errors.ts";
import { PictureSearchPage } from "../../shared/images/picture-queries.ts";
import type { Deps } from "../deps.ts";
import { withinTime } from "../http/deadlines.ts";
import { describeProblems } from "../http/problems.ts";
import { type AppEnv, createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { checkRanges } from "./filters.ts";
import { searchByPicture } from "./picture-search.ts";
import { minusParameter, readSearchRequest, searchParameters } from "./search-routes.ts";

/** As many pictures are held at once for searches, in one process; of one user, or of all strangers together, half. */
export const picturesAtOnceMax = 4;
const ofOneMax = picturesAtOnceMax / 2;

/** How long a picture may take to arrive: who sends slowly keeps nobody out for longer. */
const arrivalMs = 30_000;

/** Before the body is read: what is refused takes no memory. */
function limitAtOnce({ config }: Pick<Deps, "config">): MiddlewareHandler<AppEnv> {
  const running: string[] = [];
  return async (c, next) => {
    const { kind, subject } = c.var.identity;
    const asker = kind === "user" || kind === "secret" ? subject : "strangers";
    const isMany = running.filter((one) => one === asker).length >= ofOneMax;
    if (isMany || running.length >= picturesAtOnceMax) {
      throw new AppError("unavailable", "Too many pictures are searched by at this moment.", {
        retryable: true,
        retryAfterSeconds: 2,
      });
    }
    running.push(asker);
    try {
      await withinTime(next(), arrivalMs + config.pictureSearchWaitMs);
    } finally {
      running.splice(running.indexOf(asker), 1);
    }
  };
}

const { cursor: _, ...parameters } = searchParameters;

const PictureForm = z.object({
  file: z
    .custom<File>((value) => value instanceof File, "must be one file")
    .openapi({ type: "string", format: "binary", description: "jpeg, png, webp, avif, gif, tiff or heic." }),
});

export function createPictureSearchRoutes(deps: Deps) {
  const postSearch = createRoute({
    method: "post",
    path: "/images/search",
    tags: ["images"],
    summary: "Find pictures by a picture",
    description: `The picture is judged by its first bytes, looked at by a sidecar within \`PICTURE_SEARCH_WAIT_MS\`, and not
kept; its vector is, for an hour. \`picture\` names it: \`GET /images/search?picture=…\` with \`nextCursor\` and the same
parameters is the next page. The same picture sent again within the hour is answered at once. \`unavailable\` where no
sidecar looked in time, or where ${picturesAtOnceMax} pictures are being searched by already, ${ofOneMax} of them by you.`,
    middleware: [limitAtOnce(deps)] as const,
    request: {
      query: z.object({ minus: minusParameter.optional(), ...parameters }).superRefine(checkRanges),
      body: { content: { "multipart/form-data": { schema: PictureForm } }, required: true },
    },
    responses: {
      200: {
        description: "Hits, best first.",
        content: { "application/json": { schema: nameSchema("PictureSearchPage", PictureSearchPage) } },
      },
      ...describeProblems(
        "invalid_request",
        "forbidden",
        "payload_too_large",
        "unsupported_media_type",
        "image_undecodable",
        "image_too_many_pixels",
        "quota_exceeded",
        "upstream_failed",
        "unavailable",
      ),
    },
  });

  return createRouter().openapi(postSearch, async (c) => {
    const { minus, ...asked } = c.req.valid("query");
    const { file } = c.req.valid("form");
    const request = { ...readSearchRequest(c.var.caller, { ...asked, cursor: undefined }), minus, file };
    return c.json(await searchByPicture(deps, c.var.caller, request), 200);
  });
}
