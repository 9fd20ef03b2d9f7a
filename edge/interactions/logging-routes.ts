/** Logging over HTTP. */
import { createRoute, z } from "@hono/zod-openapi";
import { AppError, type FieldError } from "../../shared/errors.ts";
import { LoggedInteraction, NewInteraction, NewInteractions } from "../../shared/interactions/contract.ts";
import type { Deps } from "../deps.ts";
import { requireSignedIn } from "../http/identity.ts";
import { inflateBody } from "../http/inflate.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { logInteractions } from "./logging.ts";
import { signedIn } from "./owners.ts";
import { isInFuture } from "./rows.ts";
import { requestLimits } from "./statistics/fences.ts";

const LoggedAnswer = nameSchema("LoggedInteraction", LoggedInteraction);

const addRoute = (bytesMax: number) =>
  createRoute({
    method: "post",
    path: "/interactions",
    tags: ["interactions"],
    summary: "Log what a model was asked and what it answered",
    description:
      "One, or up to 1,000 as `items`. Each is measured, judged by your rules and stored, all of them or none; the answer " +
      "carries the metrics and the alerts that fired. What your settings redact is left out before it is stored. With the " +
      "secret key they are the house's. An `Idempotency-Key` makes it safe to send again. The body may be gzipped. " +
      "There may be 1,000 combinations of app, environment and model. Once an hour, of combinations beyond 800, those of " +
      "which no interaction is left, and none happened within a day, go with their statistics, the longest unused first.\n\n" +
      "Rules of outliers hold each value against the hours before it. A request works out the bounds of " +
      `${requestLimits.bounds} combinations of a rule, what it judges apart and an hour, the newest hours first, of the newest ` +
      "hours of a long history; beyond that interactions land without being judged by those rules, and the log of the service " +
      "has a line `interactions.not-judged`. Send history as an import: there all of it is judged.",
    middleware: [signedIn, inflateBody(bytesMax)] as const,
    request: {
      body: {
        content: {
          "application/json": {
            schema: z.union([
              nameSchema("NewInteraction", NewInteraction),
              nameSchema("NewInteractions", NewInteractions),
            ]),
          },
        },
        required: true,
      },
    },
    responses: {
      201: {
        description: "It is in the log: one as it was sent, `items` in the order in which they were sent.",
        content: {
          "application/json": {
            schema: z.union([
              LoggedAnswer,
              z.object({ items: z.array(LoggedAnswer) }).openapi("LoggedInteractions"),
            ]),
          },
        },
      },
      ...describeProblems("invalid_request", "payload_too_large", "unsupported_media_type", "quota_exceeded"),
    },
  });

export function createLoggingRoutes(deps: Deps) {
  return createRouter().openapi(addRoute(deps.config.logBytesMax), async (c) => {
    const ownerId = requireSignedIn(c.var.caller);
    const body = c.req.valid("json");
    const news = "items" in body ? body.items : [body];
    refuseFuture(news, {
      now: deps.now(),
      fieldOf: (index) => ("items" in body ? `body.items.${index}` : "body"),
    });
    const items = await logInteractions(deps, ownerId, { news, operationId: c.var.operationId });
    const [only] = items;
    return "items" in body || !only ? c.json({ items }, 201) : c.json(only, 201);
  });
}

interface FutureCheck {
  readonly now: Date;
  /** What the caller calls the one at this place. */
  readonly fieldOf: (index: number) => string;
}

function refuseFuture(news: readonly NewInteraction[], { now, fieldOf }: FutureCheck): void {
  const fields = news.flatMap((one, index): FieldError[] =>
    isInFuture(one, now)
      ? [{ field: `${fieldOf(index)}.occurredAt`, message: "must not be more than a day from now" }]
      : [],
  );
  if (fields.length === 0) return;
  throw new AppError("invalid_request", "The request is not valid; see `errors`.", {
    fields: fields.slice(0, 50),
  });
}
