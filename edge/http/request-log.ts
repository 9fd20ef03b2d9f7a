import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { AppError } from "../../shared/errors.ts";
import { createId } from "../../shared/ids.ts";
import { describeError, type Log } from "../../shared/log.ts";
import type { AppEnv } from "./router.ts";

/** Only what cannot steer a header, a log line or a query is taken over from outside. */
const saneRequestId = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

/** Every answer bears the id of its request: the caller's own where it is sane, else a new one. */
export const nameRequest: MiddlewareHandler<AppEnv> = async (c, next) => {
  const given = c.req.header("x-request-id") ?? "";
  c.set("requestId", saneRequestId.test(given) ? given : createId());
  await next();
  c.header("X-Request-Id", c.var.requestId);
};

/** One line a request. The route is told by its pattern: paths bear ids, and queries bear words of people. */
export function logRequests(log: Log): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const startedAtMs = performance.now();
    await next();
    const { identity, failure, requestId } = c.var;
    const status = c.res.status;
    const details = {
      requestId,
      method: c.req.method,
      route: matchedRoutes(c).find(({ method }) => method !== "ALL")?.path,
      status,
      tookMs: Math.round((performance.now() - startedAtMs) * 10) / 10,
      callerKind: identity?.kind,
      userId: identity?.kind === "user" ? identity.caller.claims.sub : undefined,
      code: failure instanceof AppError ? failure.code : undefined,
      error: status >= 500 && failure !== undefined ? describeError(failure) : undefined,
    };
    if (status >= 500 && failure !== undefined) log.error("request", details);
    else log.info("request", details);
  };
}
