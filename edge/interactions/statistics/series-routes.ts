/** Metrics over HTTP: which there are, and how they went over time. */
import { createRoute, z } from "@hono/zod-openapi";
import { listMetricAnswers, MetricAnswer, Series, SeriesQuery } from "../../../shared/interactions/series.ts";
import type { Deps } from "../../deps.ts";
import { describeProblems } from "../../http/problems.ts";
import { createRouter } from "../../http/router.ts";
import { nameSchema } from "../../http/schemas.ts";
import { chooseOwner, Scope, signedIn } from "../owners.ts";
import { readSeries } from "./series.ts";

const tags = ["interactions"];

const metricsRoute = createRoute({
  method: "get",
  path: "/interactions/metrics",
  tags,
  summary: "What is measured of interactions",
  description:
    "Each interaction is measured when it is logged. A value is named by element and metric, `output.characters`; a metric that " +
    "says nothing of a text, such as the sentiment of an empty one, has no value for it. When a metric is added or measured " +
    "otherwise, older interactions are measured again within hours.",
  middleware: [signedIn] as const,
  responses: {
    200: {
      description: "All of them.",
      content: {
        "application/json": {
          schema: z
            .object({ items: z.array(nameSchema("Metric", MetricAnswer)), nextCursor: z.null() })
            .openapi("MetricList"),
        },
      },
    },
    ...describeProblems("unauthenticated"),
  },
});

const seriesRoute = createRoute({
  method: "get",
  path: "/interactions/series",
  tags,
  summary: "A metric over time: count, mean, spread and percentiles by hour, day or week",
  description:
    "For charts, such as the 95th percentile of the latency of each model by day: " +
    "`?metric=pair.latency&bucket=day&groupBy=model&app=shop`. Read from statistics that are kept by the hour, whatever the number " +
    "of interactions; what was deleted since is still counted, what was just logged comes within a minute (`pending`). Hours of " +
    "more than 35 days ago are kept by the day: there a bucket of an hour is the day's first and has all of its values (`hours` " +
    "is 24).\n\n" +
    "At most 1,100 buckets and 20 groups, those with the most values first. The times are those at which calls happened, not " +
    "those at which they were logged.",
  middleware: [signedIn] as const,
  request: { query: SeriesQuery.extend({ scope: Scope }) },
  responses: {
    200: {
      description: "One series for each group.",
      content: { "application/json": { schema: nameSchema("Series", Series) } },
    },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden"),
  },
});

export function createStatisticsRoutes(deps: Deps) {
  return createRouter()
    .openapi(metricsRoute, (c) => c.json({ items: listMetricAnswers(), nextCursor: null }, 200))
    .openapi(seriesRoute, async (c) => {
      const { scope, ...query } = c.req.valid("query");
      const ownerId = chooseOwner(c.var.caller, scope);
      return c.json(await readSeries(deps, c.var.caller, { ...query, ownerId }), 200);
    });
}
