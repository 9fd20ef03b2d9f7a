import type { MiddlewareHandler } from "hono";
import { AppError } from "../../shared/errors.ts";
import type { AppEnv } from "./router.ts";

/** The work's result, or `deadline_exceeded` after `timeoutMs`. The work itself is not stopped. */
export async function withinTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    const late = () =>
      reject(
        new AppError("deadline_exceeded", `This took longer than ${timeoutMs} ms.`, { retryable: true }),
      );
    timer = setTimeout(late, timeoutMs);
  });
  // What fails after its time is up has nobody left to tell.
  work.catch(() => {});
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}

/** Every request is answered in time, whatever it waits for. */
export function limitTime(timeoutMs: number): MiddlewareHandler<AppEnv> {
  return (_, next) => withinTime(next(), timeoutMs);
}
