/**
 * Token buckets in Postgres, one for each subject and class of routes: isolates of the edge share no memory.
 * The answer says what is left in the fields of draft-ietf-httpapi-ratelimit-headers-10.
 */
import type { Context, MiddlewareHandler } from "hono";
import type { Sql } from "postgres";
import { AppError } from "../../shared/errors.ts";
import type { RouteClass } from "../config.ts";
import type { Deps } from "../deps.ts";
import type { AppEnv } from "./router.ts";

const windowSeconds = 60;

/** Takes a token for every request but those of the secret key, in one statement. */
export function limitRate(
  { config, sql }: Deps,
  classify: (method: string, path: string) => RouteClass,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { kind } = c.var.identity;
    if (kind === "secret") return next();
    const routeClass = kind === "user" ? classify(c.req.method, c.req.path) : "anonymous";
    const capacity = config.rateLimits[routeClass];
    const taken = await takeToken(sql, subjectOf(c, config.clientAddressHeader), routeClass, capacity);
    const secondsToFull = Math.ceil(((capacity - taken.remaining) * windowSeconds) / capacity);
    const secondsToWait = Math.max(1, Math.ceil(taken.retryAfterSeconds));
    c.header("RateLimit-Policy", `"${routeClass}";q=${capacity};w=${windowSeconds}`);
    c.header(
      "RateLimit",
      `"${routeClass}";r=${Math.floor(taken.remaining)};t=${taken.allowed ? secondsToFull : secondsToWait}`,
    );
    if (!taken.allowed) {
      throw new AppError("rate_limited", `More than ${capacity} requests a minute of this kind.`, {
        retryable: true,
        retryAfterSeconds: secondsToWait,
      });
    }
    await next();
  };
}

/** A user is counted as themself wherever they are; anyone else by key, and by address where one is trusted. */
function subjectOf(c: Context<AppEnv>, addressHeader: string | undefined): string {
  const { kind, subject } = c.var.identity;
  const address =
    kind === "user" || addressHeader === undefined ? "" : readAddress(c.req.header(addressHeader));
  return `${subject} ${address}`.trim();
}

/** Of a list, the last: it was added by the proxy that is trusted, what stands before it by anyone. */
function readAddress(header: string | undefined): string {
  const last = header?.split(",").at(-1)?.trim() ?? "";
  return /^[0-9a-fA-F.:[\]]{2,64}$/.test(last) ? last : "";
}

interface Taken {
  readonly allowed: boolean;
  readonly remaining: number;
  readonly retryAfterSeconds: number;
}

async function takeToken(
  sql: Sql,
  subject: string,
  routeClass: RouteClass,
  capacity: number,
): Promise<Taken> {
  const [taken] = await sql<Taken[]>`
    select allowed, remaining, retry_after_seconds
    from parlance.take_tokens(${subject}, ${routeClass}, ${capacity}, ${capacity / windowSeconds})
  `;
  if (!taken) throw new AppError("unexpected", "The rate limit did not answer.");
  return taken;
}
