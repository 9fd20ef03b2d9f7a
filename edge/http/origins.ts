import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import type { EdgeConfig } from "../config.ts";
import type { AppEnv } from "./router.ts";

/** What a browser's script may send; supabase-js adds the ones that begin with x-. */
const allowedHeaders = [
  "authorization",
  "apikey",
  "content-type",
  "idempotency-key",
  "x-request-id",
  "x-client-info",
  "x-region",
  "x-retry-count",
  "x-supabase-api-version",
  "traceparent",
  "tracestate",
  "baggage",
];

/** What a browser's script may read of an answer beyond the usual. */
const exposedHeaders = [
  "X-Request-Id",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "Location",
  "Idempotency-Replayed",
  "WWW-Authenticate",
];

/** Lets scripts of the allowed origins in, compared letter by letter; with none, only those of our own origin. */
export function allowOrigins({ allowedOrigins }: EdgeConfig): MiddlewareHandler<AppEnv> {
  return cors({
    origin: allowedOrigins === "*" ? "*" : [...allowedOrigins],
    allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowHeaders: allowedHeaders,
    exposeHeaders: exposedHeaders,
    maxAge: 600,
  });
}

/** Answers are data: nothing in them may run, be framed, be guessed at, or be kept by a cache on the way. */
export function secureAnswers(): MiddlewareHandler<AppEnv> {
  const secure = secureHeaders({
    contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"] },
    xFrameOptions: "DENY",
    referrerPolicy: "no-referrer",
    strictTransportSecurity: "max-age=15552000",
    crossOriginResourcePolicy: "same-site",
  });
  return async (c, next) => {
    await secure(c, next);
    if (!c.res.headers.has("cache-control")) c.header("Cache-Control", "no-store");
  };
}
