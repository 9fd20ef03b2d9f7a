import { z } from "zod";

/** Every code that an answer, a failed job or a log line may carry, and the HTTP status it becomes. */
export const errorStatuses = {
  invalid_request: 400,
  invalid_cursor: 400,
  unauthenticated: 401,
  token_expired: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  name_taken: 409,
  conflict: 409,
  idempotency_in_progress: 409,
  idempotency_mismatch: 422,
  gone: 410,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  quota_exceeded: 429,
  // What only the work itself can show; a failed job or picture carries these.
  image_undecodable: 422,
  image_too_many_pixels: 422,
  image_object_missing: 422,
  upload_expired: 410,
  cancelled: 409,
  lease_expired: 500,
  deadline_exceeded: 504,
  upstream_failed: 502,
  unavailable: 503,
  unexpected: 500,
} as const;

export type ErrorCode = keyof typeof errorStatuses;
export const ErrorCode = z.enum(Object.keys(errorStatuses) as [ErrorCode, ...ErrorCode[]]);

export interface AppErrorOptions {
  /** What went wrong underneath; logged, never told. */
  cause?: unknown;
  /** True when the same work may succeed later. Only the thrower knows. Default false. */
  retryable?: boolean;
  /** The fields at fault, told to the caller: `{ field, message }`, the message naming the limit. */
  fields?: readonly FieldError[];
  /** Seconds after which to try again; becomes `Retry-After`. */
  retryAfterSeconds?: number;
}

export const FieldError = z.object({
  field: z.string().describe("Where: a path such as `limit`, `body.name` or `file`."),
  message: z.string(),
});
export type FieldError = z.infer<typeof FieldError>;

/** The one error of the house: a code that is a contract, and a message for a person that may change. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly fields: readonly FieldError[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): (typeof errorStatuses)[ErrorCode] {
    return errorStatuses[this.code];
  }
}

/** Any thrown value as an AppError: what we did not foresee is `unexpected`, its text kept as the cause only. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError("unexpected", "Something went wrong on our side.", { cause: error });
}
