import { AppError } from "../../../shared/errors.ts";
import { HubError } from "./client.ts";

export type TellRetry = (reason: string, pauseMs: number) => void;

const pauseMsMax = 60_000;

/** The hub may say how long; otherwise a little more or less than asked, so that many do not come back at once. */
export async function pauseAfter(
  error: AppError,
  pauseMs: number,
  tell: TellRetry | undefined,
): Promise<void> {
  const asked = error instanceof HubError ? error.retryAfterMs : undefined;
  const wait = Math.min(pauseMsMax, asked ?? pauseMs * (0.75 + Math.random() / 2));
  tell?.(error.message, wait);
  await new Promise((resolve) => setTimeout(resolve, wait));
}

/** Does it again while the failure is one that passes. */
export async function retrying<T>(
  work: () => Promise<T>,
  { pauseMs, triesMax, onRetry }: { pauseMs: number; triesMax: number; onRetry?: TellRetry | undefined },
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AppError) || !error.retryable || tries >= triesMax) throw error;
      await pauseAfter(error, pauseMs * 2 ** (tries - 1), onRetry);
    }
  }
}
