import type { MiddlewareHandler } from "hono";
import { requireAdmin } from "./identity.ts";
import type { AppEnv } from "./router.ts";

/** Before the request is looked at: nobody else learns even what it should have been like. */
export const adminsOnly: MiddlewareHandler<AppEnv> = (c, next) => {
  requireAdmin(c.var.caller);
  return next();
};
