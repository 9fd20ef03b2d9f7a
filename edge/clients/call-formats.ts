/** What the formats of calls have in common: how what was asked and answered is told. */
import type { CallError } from "./record.ts";

/** What a request asks. */
export interface Asked {
  readonly model?: string | undefined;
  readonly input: string;
  /** The answer was asked for as a stream of events. */
  readonly isStreamed?: boolean | undefined;
  readonly sessionId?: string | undefined;
  readonly userLabel?: string | undefined;
}

/** What an answer says, as far as it came. */
export interface Answered {
  readonly model?: string | undefined;
  readonly output: string;
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly costUsd?: number | undefined;
  readonly sessionId?: string | undefined;
  /** What is to be known of the answer: `refusal`, `incomplete`, `content-filter`, `background`. */
  readonly tags?: readonly string[] | undefined;
  readonly error?: Pick<CallError, "code" | "message"> | undefined;
}

/** Reads the events of one answer. */
export interface EventReader {
  readEvent(event: unknown): void;
  /** As far as it came. */
  read(): Answered;
  /** Whether the model has said all that it had to say. */
  isComplete(): boolean;
}

export interface CallFormat {
  readonly operation: string;
  readAsked(body: unknown): Asked;
  readAnswered(body: unknown): Answered;
  /** `charactersMax`: of texts, kept while they come. */
  openEvents(charactersMax: number): EventReader;
}
