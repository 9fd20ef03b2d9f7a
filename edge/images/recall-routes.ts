import { createRoute } from "@hono/zod-openapi";
import { RecallReport } from "../../shared/images/recall.ts";
import type { Deps } from "../deps.ts";
import { adminsOnly } from "../http/admins.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { reportRecall } from "./recall.ts";

const getRecall = createRoute({
  method: "get",
  path: "/images/recall",
  tags: ["images"],
  summary: "How much of what they should searches find",
  description: `Admins and the secret key. Every hour up to 50 real searches are asked again as they were asked, once as they
are served and once with everything compared: \`recall\` is the share of the true best 10 that were found. Where pictures
score the same, any of them counts.`,
  middleware: [adminsOnly] as const,
  responses: {
    200: {
      description: "By space, class of filters and path; empty until measured.",
      content: { "application/json": { schema: nameSchema("RecallReport", RecallReport) } },
    },
    ...describeProblems("forbidden"),
  },
});

export function createRecallRoutes(deps: Deps) {
  return createRouter().openapi(getRecall, async (c) => c.json(await reportRecall(deps), 200));
}
