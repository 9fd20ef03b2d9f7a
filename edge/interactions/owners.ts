/** Whose log a request is about. */
import { z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { type Caller, isAdmin } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";
import { requireSignedIn } from "../http/identity.ts";
import type { AppEnv } from "../http/router.ts";

export const Scope = z
  .enum(["own", "house"])
  .default("own")
  .describe(
    "`house`: the calls that Parlance itself makes; for admins. With the secret key both are the house's.",
  );
export type Scope = z.infer<typeof Scope>;

/** A user's id, or null for the house. */
export function chooseOwner(caller: Caller, scope: Scope = "own"): string | null {
  const userId = requireSignedIn(caller);
  if (scope === "own" || userId === null) return userId;
  if (!isAdmin(caller)) throw new AppError("forbidden", "This needs an admin.");
  return null;
}

/** Before the request is looked at. */
export const signedIn: MiddlewareHandler<AppEnv> = (c, next) => {
  requireSignedIn(c.var.caller);
  return next();
};
