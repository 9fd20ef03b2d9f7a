import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { requireSignedIn } from "../http/identity.ts";
import type { AppEnv } from "../http/router.ts";

export const tags = ["webhooks"];
export const WebhookPath = z.object({ id: z.uuid() });

/** Before the request is looked at. */
export const signedIn: MiddlewareHandler<AppEnv> = (c, next) => {
  requireSignedIn(c.var.caller);
  return next();
};
