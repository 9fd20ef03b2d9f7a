import { type IdentifiedCaller, identifyCaller } from "../keys.ts";
import type { AuthDeps } from "./deps.ts";
import { authErrors } from "./errors.ts";
import { isUuid } from "./requests.ts";
import { isSessionOpen } from "./sessions.ts";
import { findUser } from "./store.ts";
import { isBanned, type UserRow } from "./users.ts";

export function identify({ keys, issuer }: AuthDeps, request: Request): Promise<IdentifiedCaller> {
  const { headers } = request;
  return identifyCaller(keys, issuer, {
    apikey: headers.get("apikey") ?? undefined,
    authorization: headers.get("authorization") ?? undefined,
    userAgent: headers.get("user-agent") ?? undefined,
  });
}

/** The signed-in user of a request and their session. Throws where the token, the session or the user is not good. */
export async function requireUser(
  deps: AuthDeps,
  request: Request,
): Promise<{ user: UserRow; sessionId: string }> {
  const { caller } = await identify(deps, request);
  if (caller.role !== "authenticated") {
    throw request.headers.has("authorization") ? authErrors.missingSubject() : authErrors.noAuthorization();
  }
  const userId = String(caller.claims.sub);
  const user = await findUser(deps.sql, userId);
  if (!user) throw authErrors.userGone();
  const sessionId = String(caller.claims.session_id);
  if (!isUuid(sessionId) || !(await isSessionOpen(deps.sql, sessionId, userId))) {
    throw authErrors.sessionNotFound();
  }
  if (isBanned(user, deps.now())) throw authErrors.banned(403);
  return { user, sessionId };
}

/** Throws for everyone but the holder of the secret key. */
export async function requireService(deps: AuthDeps, request: Request): Promise<void> {
  const { caller } = await identify(deps, request);
  if (caller.role !== "service_role") throw authErrors.notAdmin();
}
