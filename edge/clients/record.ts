/** What a client tells of each call of a model. The app gives clients the function; where it leads they do not know. */

/** What was said to a model, what it said, and what that took. The texts hold no keys and no bytes of pictures. */
export interface ModelCall {
  readonly provider: string;
  /** As it was asked for, so that failures count to the model that failed; else as it answered. */
  readonly model?: string | undefined;
  /** `chat`, `response`, `completion` or `image`. */
  readonly operation: string;
  readonly input: string;
  /** What the model said and nothing else: of a call that broke off, as far as it came. */
  readonly output: string;
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly costUsd?: number | undefined;
  /** From the call to the end of the answer. */
  readonly latencyMs: number;
  readonly startedAt: Date;
  /** Whose call it was; without one, the house's. */
  readonly ownerId?: string | undefined;
  readonly app?: string | undefined;
  readonly environment?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly userLabel?: string | undefined;
  readonly tags: readonly string[];
  readonly error?: CallError | undefined;
}

/**
 * - `status`: the answer was 4xx or 5xx
 * - `api`: the answer says that it failed, though its status is 200
 * - `network`: there was no answer, or its bytes stopped coming
 * - `timeout`: somebody waited no longer
 * - `aborted`: the caller gave up before the model had said anything. SDKs time out in the same way, so it is an error
 * - `cut-off`: the stream ended well, the answer in it did not
 * - `unreadable`: what came is no answer of this API
 */
export type CallErrorKind = "status" | "api" | "network" | "timeout" | "aborted" | "cut-off" | "unreadable";

export interface CallError {
  readonly kind: CallErrorKind;
  readonly status?: number | undefined;
  /** The provider's, such as `rate_limit_exceeded`. */
  readonly code?: string | undefined;
  readonly message: string;
}

/** Takes the call and returns at once; it never throws, and nobody waits for what it does. */
export type RecordCall = (call: ModelCall) => void;

export interface CallRecorder {
  readonly record: RecordCall;
  /** Resolves when what was told so far is written or given up; for the end of a process. */
  settle(): Promise<void>;
}

/** Of whom and of what a call is. */
export type CallContext = Partial<
  Pick<ModelCall, "ownerId" | "app" | "environment" | "sessionId" | "userLabel" | "tags">
>;

/** What a call costs, where prices are known; tokens are undefined where the answer does not tell them. */
export type PriceCall = (
  call: Pick<ModelCall, "model" | "operation" | "inputTokens" | "outputTokens">,
) => number | undefined;
