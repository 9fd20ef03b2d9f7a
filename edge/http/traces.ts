import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { AppError } from "../../shared/errors.ts";
import { inSpan, markFailed } from "../../shared/tracing.ts";
import type { AppEnv } from "./router.ts";

/**
 * One span a request, named as OpenTelemetry's conventions for HTTP servers have it. Like the log it tells the route by
 * its pattern, never the path, the query or who is asking.
 */
export const traceRequest: MiddlewareHandler<AppEnv> = (c, next) => {
  const traceparent = c.req.header("traceparent");
  const attributes = { "http.request.method": c.req.method, "parlance.request.id": c.var.requestId };
  return inSpan(c.req.method, { kind: "server", traceparent, attributes }, async (span) => {
    await next();
    const route = matchedRoutes(c).find(({ method }) => method !== "ALL")?.path;
    if (route) span.updateName(`${c.req.method} ${route}`).setAttribute("http.route", route);
    span.setAttribute("http.response.status_code", c.res.status);
    const { failure } = c.var;
    if (c.res.status >= 500) markFailed(span, failure instanceof AppError ? failure.code : "unexpected");
  });
};
