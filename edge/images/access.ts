/** Who may do what with which pictures. The policies of the database decide the same; here is what is told. */
import { z } from "zod";
import { type Caller, callerUserId, isAdmin } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";
import { requireAdmin, requireSignedIn } from "../http/identity.ts";

/** `own`: the caller's (the house's for the secret key). `public`: what everyone sees. `all`: admins only. */
export const ScopeName = z.enum(["own", "public", "all"]);
export type ScopeName = z.infer<typeof ScopeName>;

/** The pictures among which is listed or searched. */
export type Scope = { kind: "own"; ownerId: string | null } | { kind: "public" } | { kind: "all" };

/** Own pictures for whoever can have some, public ones for everyone else. */
export function chooseScope(caller: Caller, asked: ScopeName | undefined): Scope {
  const name = asked ?? (caller.role === "anon" ? "public" : "own");
  if (name === "public") return { kind: "public" };
  if (name === "own") return { kind: "own", ownerId: requireSignedIn(caller) };
  requireAdmin(caller);
  return { kind: "all" };
}

/** True for the owner and for admins. */
export function mayChange(caller: Caller, image: { ownerId: string | null }): boolean {
  if (isAdmin(caller)) return true;
  return image.ownerId !== null && image.ownerId === callerUserId(caller);
}

/** Refuses whoever sees a picture only because it is public. */
export function checkMayChange(caller: Caller, image: { ownerId: string | null }): void {
  if (!mayChange(caller, image)) throw new AppError("forbidden", "Only its owner may change this picture.");
}
