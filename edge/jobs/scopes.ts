import { z } from "@hono/zod-openapi";
import { type Caller, isAdmin } from "../../shared/callers.ts";
import { requireSignedIn } from "../http/identity.ts";

export const Scope = z
  .enum(["own", "all"])
  .default("own")
  .describe("`all`: everyone's that you may see; makes a difference to admins and the secret key.");
export type Scope = z.infer<typeof Scope>;

/**
 * Whose jobs a list shows: a user's, null for the house's, undefined for everyone's. Of everyone's, those who are no
 * admins see their own; to find these among all others' would cost more the more jobs others have.
 */
export function chooseOwner(caller: Caller, scope: Scope): string | null | undefined {
  const userId = requireSignedIn(caller);
  return scope === "all" && isAdmin(caller) ? undefined : userId;
}
