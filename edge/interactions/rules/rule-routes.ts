/** Rules over HTTP. */
import { createRoute, z } from "@hono/zod-openapi";
import { createId } from "../../../shared/ids.ts";
import { NewRule, Rule, RuleChange } from "../../../shared/interactions/rules.ts";
import type { Deps } from "../../deps.ts";
import { describeProblems } from "../../http/problems.ts";
import { createRouter } from "../../http/router.ts";
import { nameSchema } from "../../http/schemas.ts";
import { chooseOwner, Scope, signedIn } from "../owners.ts";
import { createBackTestRoutes } from "./back-test-routes.ts";
import { addRule, changeRule, removeRule, showRule, showRules } from "./rules.ts";

const tags = ["rules"];
const params = z.object({ id: z.uuid() });
const query = z.object({ scope: Scope });
const RuleAnswer = nameSchema("Rule", Rule);
const ruleAnswer = { content: { "application/json": { schema: RuleAnswer } } };

const listRoute = createRoute({
  method: "get",
  path: "/rules",
  tags,
  summary: "Rules, oldest first",
  description:
    "A fresh account has four: input and output longer than 100 characters, and input and output of unusual length (mean " +
    "and two standard deviations). They are rules as any other: change them, disable them, or delete them for good.",
  middleware: [signedIn] as const,
  request: { query },
  responses: {
    200: {
      description: "All of them: there are 200 at most.",
      content: {
        "application/json": {
          schema: z.object({ items: z.array(RuleAnswer), nextCursor: z.null() }).openapi("RuleList"),
        },
      },
    },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden"),
  },
});

const addRoute = createRoute({
  method: "post",
  path: "/rules",
  tags,
  summary: "Watch a metric, a rate, or that something comes at all",
  description:
    "Each interaction is judged by all enabled rules when it is logged; rates and what is missing every minute.\n\n" +
    "- `above`, `below`: the value is strictly beyond `threshold`.\n" +
    "- `outlier`: it is farther than `sensitivity` spreads from the middle of the `historyDays` before its hour. Methods: " +
    "`z-score` (mean and standard deviation), `mad` (median and median deviation), `iqr` (quartiles), `ewma` (older hours " +
    "count less), `seasonal` (the same hour of the week). With fewer values than `countMin` nothing is out of order. " +
    "A spread is at least a hundredth of the middle: where all values were the same, what is within about `sensitivity` " +
    "hundredths of them is in order. History is of apps, environments and models that the rule is of; `tags` choose what is " +
    "judged, not what it is held against.\n" +
    "- `rate`: more than `moreThan` interactions within `windowMinutes`, of all or of those whose metric is `above` or " +
    "`below`.\n" +
    "- `missing`: none within `windowMinutes`, though there were some before.\n\n" +
    "A condition that goes on is one alert: it is told once, counted, and over when it was quiet for `resolveMinutes`. " +
    "`POST /rules/back-tests` tells beforehand how often that would have been.",
  middleware: [signedIn] as const,
  request: {
    query,
    body: {
      content: { "application/json": { schema: nameSchema("NewRule", NewRule) } },
      required: true,
    },
  },
  responses: {
    201: { description: "The rule; it judges what comes from now on.", ...ruleAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden", "name_taken", "quota_exceeded"),
  },
});

const getRoute = createRoute({
  method: "get",
  path: "/rules/{id}",
  tags,
  summary: "One rule",
  middleware: [signedIn] as const,
  request: { params },
  responses: {
    200: { description: "The rule as it stands.", ...ruleAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "not_found"),
  },
});

const patchRoute = createRoute({
  method: "patch",
  path: "/rules/{id}",
  tags,
  summary: "Change a rule, disable or enable it",
  description:
    "What is named is replaced, `condition` as a whole. When it judges otherwise than before, or is disabled, its open alerts " +
    "are resolved (`rule-changed`); another name, severity or way of telling leaves them.",
  middleware: [signedIn] as const,
  request: {
    params,
    body: {
      content: { "application/json": { schema: nameSchema("RuleChange", RuleChange) } },
      required: true,
    },
  },
  responses: {
    200: { description: "The rule as it is now.", ...ruleAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "not_found", "name_taken"),
  },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/rules/{id}",
  tags,
  summary: "Delete a rule",
  description:
    "Its open alerts are resolved (`rule-changed`); what was fired before stays in the list of alerts.",
  middleware: [signedIn] as const,
  request: { params },
  responses: {
    204: { description: "It is gone." },
    ...describeProblems("invalid_request", "unauthenticated", "not_found"),
  },
});

export function createRuleRoutes(deps: Deps) {
  return createRouter()
    .route("/", createBackTestRoutes(deps))
    .openapi(listRoute, async (c) => {
      const ownerId = chooseOwner(c.var.caller, c.req.valid("query").scope);
      return c.json({ items: await showRules(deps, c.var.caller, ownerId), nextCursor: null }, 200);
    })
    .openapi(addRoute, async (c) => {
      const ownerId = chooseOwner(c.var.caller, c.req.valid("query").scope);
      const id = c.var.operationId ?? createId();
      return c.json(await addRule(deps, { ...c.req.valid("json"), id, ownerId }), 201);
    })
    .openapi(getRoute, async (c) => c.json(await showRule(deps, c.var.caller, c.req.valid("param").id), 200))
    .openapi(patchRoute, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(await changeRule(deps, c.var.caller, id, c.req.valid("json")), 200);
    })
    .openapi(deleteRoute, async (c) => {
      await removeRule(deps, c.var.caller, c.req.valid("param").id);
      return c.body(null, 204);
    });
}
