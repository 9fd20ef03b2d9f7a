/**
 * Work that begins when a request was answered: its caller does not wait for it, and the process stays up for it. The
 * handler says that it is needed, once its transaction has committed: it alone knows both.
 *
 *   request ─▶ handler: c.set("hasAddedJobs", true) ─▶ answer ─▶ work
 *                                             meanwhile, others ─▶ once more, for all of them
 */
import type { MiddlewareHandler } from "hono";
import { describeError } from "../../shared/log.ts";
import type { Deps } from "../deps.ts";
import type { AppEnv } from "./router.ts";

export function workAfterAnswers(
  { keepAlive, log }: Pick<Deps, "keepAlive" | "log">,
  work: () => Promise<void>,
): MiddlewareHandler<AppEnv> {
  const start = oneAtATime(() =>
    work().catch((error) => log.error("after-answer", { error: describeError(error) })),
  );
  return async (c, next) => {
    await next();
    if (c.var.hasAddedJobs) keepAlive?.(afterThisTurn().then(start));
  };
}

/** The answer is handed over first. */
function afterThisTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Resolves when work that began after the call is over; all calls while it runs share the next one. */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= running.then(() => {
      next = undefined;
      running = work();
      return running;
    });
    return next;
  };
}
