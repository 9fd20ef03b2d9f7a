/** One call while it lasts: what is seen of it, until it is over and is recorded, once. */
import { type AnswerReader, createAnswerReader } from "./answer-reader.ts";
import { type FetchArguments, readBody, readMessage, readSecrets, readSignal } from "./asked.ts";
import type { Answered, Asked, CallFormat } from "./call-formats.ts";
import { cleanText, cutText } from "./call-texts.ts";
import { parseJson } from "./loose-json.ts";
import { readError } from "./openai-errors.ts";
import type { CallContext, CallError, PriceCall, RecordCall } from "./record.ts";
import type { Watcher } from "./watched-answer.ts";

export interface CallTools {
  readonly record: RecordCall;
  readonly provider: string;
  readonly context?: CallContext | (() => CallContext);
  readonly priceUsd?: PriceCall;
  readonly charactersMax: number;
  readonly url: URL;
  readonly format: CallFormat;
  /** Does it, or warns and answers undefined; it never throws. */
  readonly attempt: <T>(doing: string, work: () => T) => T | undefined;
}

const unreadRequest: Asked = { input: "[request not read]" };
const nothingAnswered: Answered = { output: "" };

export class RecordedCall {
  readonly #tools: CallTools;
  readonly #startedAt = new Date();
  readonly #startedAtMs = performance.now();
  readonly #context: CallContext;
  readonly #secrets: readonly string[];
  readonly #signal: AbortSignal | undefined;
  #given: FetchArguments | undefined;
  #asked: Asked = unreadRequest;
  #asking: Promise<void> | undefined;
  #answer: AnswerReader | undefined;
  #isOver = false;

  constructor(given: FetchArguments, tools: CallTools) {
    const { context = {} } = tools;
    this.#tools = tools;
    this.#given = given;
    this.#secrets = readSecrets(given, tools.url);
    this.#context = typeof context === "function" ? context() : context;
    this.#signal = readSignal(given);
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Reads what is asked; the body itself is let go. */
  readAsked(): void {
    this.#attempt("reading a request", () => {
      const body = this.#given && readBody(this.#given);
      this.#given = undefined;
      if (!(body instanceof Promise)) this.#takeAsked(body);
      else this.#asking = body.then((read) => this.#takeAsked(read)).catch(() => undefined);
    });
  }

  #takeAsked(body: unknown): void {
    if (body === undefined) return;
    const asked = this.#tools.format.readAsked(body);
    this.#asked = { ...asked, input: this.#clean(asked.input) };
  }

  /** Watches an answer that is none of an error. */
  openAnswer({ headers }: Response): Watcher {
    const type = headers.get("content-type") ?? "";
    const isStream = /event-stream/i.test(type) || (this.#asked.isStreamed === true && !/json/i.test(type));
    const { format, charactersMax } = this.#tools;
    const answer = createAnswerReader(format, { isStream, charactersMax: 2 * charactersMax });
    this.#answer = answer;
    let isReadable = true;
    return {
      piece: (bytes) => {
        if (!isReadable || this.#isOver) return;
        isReadable = false;
        this.#attempt("reading an answer", () => {
          answer.push(bytes);
          isReadable = true;
        });
      },
      end: () => {
        this.#attempt("reading an answer", () => answer.end());
        this.#end();
      },
      fail: (error) => this.fail(error),
      leave: () => this.#leave(),
    };
  }

  /** The answer was 4xx or 5xx. */
  refuse(status: number, text: string): void {
    this.#attempt("reading an error", () => {
      const body = parseJson(text);
      const error = readError(body);
      const message = error?.message ?? readMessage(body) ?? text.trim();
      this.#finish(nothingAnswered, { ...error, kind: "status", status, message });
    });
  }

  /** There was no answer, or it stopped coming. */
  fail(error: unknown): void {
    this.#attempt("reading a failure", () => {
      if (this.#signal?.aborted || nameOf(error) === "AbortError") this.#leave(error);
      else {
        const kind = nameOf(error) === "TimeoutError" ? "timeout" : "network";
        const { answered } = this.#read();
        this.#finish(
          answered,
          answered.error ? { ...answered.error, kind: "api" } : { kind, message: describe(error) },
        );
      }
    });
  }

  readonly #onAbort = () => this.#leave();

  /** The caller wants no more. That is no error once the model is speaking: who reads along may have enough. */
  #leave(error?: unknown): void {
    this.#attempt("reading a failure", () => {
      const { answered, completeness } = this.#read();
      const reason = this.#signal?.aborted ? this.#signal.reason : error;
      // SDKs abort what told of an error.
      if (completeness === "whole" || answered.error) this.#end();
      else if (nameOf(reason) === "TimeoutError") {
        this.#finish(answered, { kind: "timeout", message: describe(reason) });
      } else if (this.#answer?.isStream && answered.output !== "") {
        this.#finish({ ...answered, tags: [...(answered.tags ?? []), "aborted"] });
      } else {
        const message = "It was given up before it was answered, by its caller or after a time.";
        this.#finish(answered, { kind: "aborted", message });
      }
    });
  }

  #end(): void {
    this.#attempt("reading an answer", () => {
      const { answered, completeness } = this.#read();
      if (answered.error) this.#finish(answered, { ...answered.error, kind: "api" });
      else if (completeness === "unreadable") {
        this.#finish(answered, { kind: "unreadable", message: "The answer is none of this API." });
      } else if (completeness === "partial") {
        this.#finish(answered, { kind: "cut-off", message: "The stream ended before the answer did." });
      } else this.#finish(answered);
    });
  }

  #read(): ReturnType<AnswerReader["read"]> {
    return this.#answer?.read() ?? { answered: nothingAnswered, completeness: "partial" };
  }

  #finish(answered: Answered, error?: CallError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    const latencyMs = performance.now() - this.#startedAtMs;
    const tell = () => this.#attempt("recording", () => this.#tell(answered, error, latencyMs));
    if (this.#asking) this.#asking.then(tell);
    else tell();
  }

  #tell(answered: Answered, error: CallError | undefined, latencyMs: number): void {
    const { provider, format, priceUsd, record } = this.#tools;
    const { tags = [], ...context } = this.#context;
    const known = {
      model: this.#asked.model ?? answered.model,
      operation: format.operation,
      inputTokens: answered.inputTokens,
      outputTokens: answered.outputTokens,
    };
    record({
      provider,
      ...known,
      input: this.#asked.input,
      output: this.#clean(answered.output),
      costUsd: answered.costUsd ?? this.#attempt("pricing", () => priceUsd?.(known)),
      latencyMs,
      startedAt: this.#startedAt,
      ...context,
      sessionId: context.sessionId ?? answered.sessionId ?? this.#asked.sessionId,
      userLabel: context.userLabel ?? this.#asked.userLabel,
      tags: [...tags, ...(answered.tags ?? [])],
      error: error && { ...error, message: this.#clean(error.message).slice(0, 2_000) },
    });
  }

  #clean(text: string): string {
    const { charactersMax } = this.#tools;
    return cutText(cleanText(cutText(text, 2 * charactersMax), this.#secrets), charactersMax);
  }

  #attempt<T>(doing: string, work: () => T): T | undefined {
    return this.#tools.attempt(doing, work);
  }
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : undefined);

/** With its cause, which alone says why a connection failed. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
