/** Embedding spaces over HTTP; for admins and the secret key. */
import { createRoute, z } from "@hono/zod-openapi";
import {
  AddedSpaceJob,
  EmbeddingSpace,
  EmbeddingSpaceList,
  NewComparison,
  NewEmbeddingSpace,
  SpaceSwitch,
} from "../../shared/images/space-contract.ts";
import type { Deps } from "../deps.ts";
import { adminsOnly } from "../http/admins.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import {
  addSpace,
  makeCurrent,
  removeSpace,
  showSpace,
  showSpaces,
  startComparison,
  startFill,
} from "./spaces.ts";

const tags = ["spaces"];
const params = z.object({ id: z.coerce.number().int().min(1).max(32_767) });
const SpaceAnswer = nameSchema("EmbeddingSpace", EmbeddingSpace);
const spaceAnswer = { content: { "application/json": { schema: SpaceAnswer } } };
const jobAnswer = { content: { "application/json": { schema: nameSchema("AddedSpaceJob", AddedSpaceJob) } } };

const listRoute = createRoute({
  method: "get",
  path: "/spaces",
  tags,
  summary: "Embedding spaces and how complete each is",
  middleware: adminsOnly,
  responses: {
    200: {
      description: "All of them, the oldest first.",
      content: { "application/json": { schema: nameSchema("EmbeddingSpaceList", EmbeddingSpaceList) } },
    },
    ...describeProblems("unauthenticated", "forbidden"),
  },
});

const getSpaceRoute = createRoute({
  method: "get",
  path: "/spaces/{id}",
  tags,
  summary: "One embedding space",
  middleware: adminsOnly,
  request: { params },
  responses: {
    200: { description: "The space as it stands.", ...spaceAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden", "not_found"),
  },
});

const addRoute = createRoute({
  method: "post",
  path: "/spaces",
  tags,
  summary: "Add an embedding space for a model",
  description: "It is empty and takes part in nothing until it is filled.",
  middleware: adminsOnly,
  request: {
    body: {
      content: { "application/json": { schema: nameSchema("NewEmbeddingSpace", NewEmbeddingSpace) } },
      required: true,
    },
  },
  responses: {
    201: { description: "The new space.", ...spaceAnswer },
    ...describeProblems(
      "invalid_request",
      "unauthenticated",
      "forbidden",
      "name_taken",
      "conflict",
      "unavailable",
    ),
  },
});

const fillRoute = createRoute({
  method: "post",
  path: "/spaces/{id}/fills",
  tags,
  summary: "Fill a space",
  description:
    "A job gives every picture that lacks one a vector, and the space is kept complete from then on. While a fill is " +
    "open, that one is answered. Cancelling the job also ends the keeping.",
  middleware: adminsOnly,
  request: { params },
  responses: {
    202: { description: "The job.", ...jobAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden", "not_found"),
  },
});

const compareRoute = createRoute({
  method: "post",
  path: "/spaces/{id}/comparisons",
  tags,
  summary: "Compare a space with the one that searches",
  description:
    "A job asks both what people searched for last. Its `result` tells how much of the ten best is the same " +
    "(`overlapAt10`, `rankBiasedOverlap`), which queries differ most (`worst`), how scores are spread, and what share " +
    "of the exactly best the index finds (`recallAt10`).",
  middleware: adminsOnly,
  request: {
    params,
    body: {
      content: { "application/json": { schema: nameSchema("NewComparison", NewComparison) } },
      required: false,
    },
  },
  responses: {
    202: { description: "The job.", ...jobAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden", "not_found", "conflict"),
  },
});

const switchRoute = createRoute({
  method: "put",
  path: "/spaces/current",
  tags,
  summary: "Make a space the one that searches",
  description:
    "In one step for all searches that begin after it; searches and cursors that began before end where they began. " +
    "The former space is kept complete, so that it can be switched back to.",
  middleware: adminsOnly,
  request: {
    body: {
      content: { "application/json": { schema: nameSchema("SpaceSwitch", SpaceSwitch) } },
      required: true,
    },
  },
  responses: {
    200: { description: "The space that searches now.", ...spaceAnswer },
    ...describeProblems(
      "invalid_request",
      "unauthenticated",
      "forbidden",
      "not_found",
      "conflict",
      "unavailable",
    ),
  },
});

const dropRoute = createRoute({
  method: "delete",
  path: "/spaces/{id}",
  tags,
  summary: "Drop a space with its vectors",
  middleware: adminsOnly,
  request: {
    params,
    query: z.object({
      force: z
        .enum(["true", "false"])
        .default("false")
        .describe("Also one that searched within the last hour: its cursors end with an error."),
    }),
  },
  responses: {
    204: { description: "It is gone." },
    ...describeProblems(
      "invalid_request",
      "unauthenticated",
      "forbidden",
      "not_found",
      "conflict",
      "unavailable",
    ),
  },
});

export function createSpaceRoutes(deps: Deps) {
  return createRouter()
    .openapi(listRoute, async (c) => c.json({ items: await showSpaces(deps) }, 200))
    .openapi(addRoute, async (c) => c.json(await addSpace(deps, c.req.valid("json")), 201))
    .openapi(switchRoute, async (c) => c.json(await makeCurrent(deps, c.req.valid("json")), 200))
    .openapi(getSpaceRoute, async (c) => c.json(await showSpace(deps, c.req.valid("param").id), 200))
    .openapi(fillRoute, async (c) => {
      const id = await startFill(deps, c.req.valid("param").id);
      return c.json({ job: { id } }, 202);
    })
    .openapi(compareRoute, async (c) => {
      const { queries } = NewComparison.parse(c.req.valid("json") ?? {});
      const id = await startComparison(deps, c.req.valid("param").id, queries);
      return c.json({ job: { id } }, 202);
    })
    .openapi(dropRoute, async (c) => {
      await removeSpace(deps, c.req.valid("param").id, c.req.valid("query").force === "true");
      return c.body(null, 204);
    });
}
