/**
 * `Idempotency-Key` on POST: whoever repeats a request that may have succeeded gets the first one's answer.
 *
 *   no such key ──▶ claimed, locked for two minutes ──▶ run ──▶ answer kept for 24 hours
 *                                                        └──▶ 5xx, 429, too large, a secret: forgotten, may run again
 *   key there, other body ──▶ 422 · still locked ──▶ 409 · answered ──▶ replayed · lock over (a crash) ──▶ claimed
 *
 * A crash may come between what a request does and its answer, so it may run twice. What it makes bears an id that
 * follows from owner, route, key and body (`operationId`): the second run finds what the first one made. Answers that
 * hold a secret rely on that, for no secret is kept to be replayed.
 * The time until which a key is locked fences: who outlived their lock cannot write over the next one's answer.
 */
import type { Context, MiddlewareHandler } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import type { Sql } from "postgres";
import { AppError } from "../../shared/errors.ts";
import { deriveId } from "../../shared/ids.ts";
import { describeError } from "../../shared/log.ts";
import type { Deps } from "../deps.ts";
import { keepBody } from "./bodies.ts";
import { hashBody } from "./body-hash.ts";
import {
  findKey,
  forgetKey,
  insertKey,
  type KeptAnswer,
  type KeyPlace,
  keepAnswer,
} from "./idempotency-store.ts";
import type { AppEnv } from "./router.ts";

const bodyBytesMax = 262_144;
const keptHeaders = ["content-type", "location"];

export function keepIdempotent(deps: Deps): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const key = c.req.header("idempotency-key");
    // No route has a path that long; it would not fit into the index either.
    if (key === undefined || c.req.method !== "POST" || c.req.path.length > 500) return next();
    const place = placeOf(c, key);
    const bodyHash = await hashBody(await keepBody(c, deps.config), c.req.header("content-type"), queryOf(c));
    const claim = await claimKey(deps.sql, place, bodyHash);
    if ("answer" in claim) return replay(c, claim.answer);
    c.set("operationId", await deriveId([place.owner, place.route, key, bodyHash].join("\n")));
    await next();
    await settleKey(deps, place, claim.lockedUntil, c.var.answerHoldsSecret ? undefined : c.res);
  };
}

function placeOf(c: Context<AppEnv>, key: string): KeyPlace {
  const { kind, subject } = c.var.identity;
  if (kind !== "user" && kind !== "secret") {
    throw new AppError("unauthenticated", "An Idempotency-Key needs a signed-in user or the secret key.");
  }
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    const fields = [
      {
        field: "header.idempotency-key",
        message: "must be 1 to 255 visible ASCII characters without spaces",
      },
    ];
    throw new AppError("invalid_request", "The Idempotency-Key is not valid.", { fields });
  }
  return { owner: subject, route: `${c.req.method} ${c.req.path}`, key };
}

function queryOf(c: Context<AppEnv>): string {
  return new URL(c.req.url).search;
}

function replay(c: Context<AppEnv>, { body, headers, status }: KeptAnswer): Response {
  const all = { ...headers, "Idempotency-Replayed": "true" };
  return c.newResponse(body === "" ? null : body, status as StatusCode, all);
}

/** Ours to run until `lockedUntil`, or the answer that was given before. */
async function claimKey(
  sql: Sql,
  place: KeyPlace,
  bodyHash: string,
): Promise<{ lockedUntil: string } | { answer: KeptAnswer }> {
  // The key may go between the two statements (its first run failed); then the next round claims it.
  for (let round = 0; round < 5; round++) {
    const claimed = await insertKey(sql, place, bodyHash);
    if (claimed) return claimed;
    const found = await findKey(sql, place);
    if (!found) continue;
    if (found.bodyHash !== bodyHash) {
      throw new AppError("idempotency_mismatch", "This Idempotency-Key was used with another request.");
    }
    const { status, headers, body } = found;
    if (status !== null && body !== null) return { answer: { status, headers: headers ?? {}, body } };
    break;
  }
  const options = { retryable: true, retryAfterSeconds: 1 };
  throw new AppError("idempotency_in_progress", "The first request with this key is still running.", options);
}

/** Keeps the answer, or forgets the key where another try may go better or the answer is none to keep. */
async function settleKey(
  { sql, log }: Deps,
  place: KeyPlace,
  lockedUntil: string,
  answer: Response | undefined,
) {
  try {
    const kept = answer && (await readAnswer(answer));
    if (kept) await keepAnswer(sql, place, lockedUntil, kept);
    else await forgetKey(sql, place, lockedUntil);
  } catch (error) {
    // The work is done and its answer stands; the key is free again when its lock is over.
    log.warn("idempotency.unsettled", { error: describeError(error) });
  }
}

async function readAnswer(answer: Response): Promise<KeptAnswer | undefined> {
  if (answer.status >= 500 || answer.status === 429) return undefined;
  const bytes = new Uint8Array(await answer.clone().arrayBuffer());
  if (bytes.length > bodyBytesMax) return undefined;
  const headers = keptHeaders.flatMap((name) => {
    const value = answer.headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  return {
    status: answer.status,
    headers: Object.fromEntries(headers),
    body: new TextDecoder().decode(bytes),
  };
}
