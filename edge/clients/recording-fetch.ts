/**
 * A `fetch` for the SDKs of companies whose models are called, by which every call is recorded: what was asked, what was answered,
 * what it took, and how it failed. Requests and answers pass through untouched; retries of an SDK are calls of their own.
 *
 *   const fetch = createRecordingFetch({ record, log, provider: "openai", app: "stories" });
 *   const openai = new OpenAI({ apiKey, fetch });
 *
 * Read are OpenAI's chat completions, completions, responses and pictures, as they are also spoken by Cerebras and many others. What
 * goes to other paths is not recorded. An answer of which the caller never takes the end, nor gives it up, is not over.
 */
import { textLengthMax } from "../../shared/interactions/contract.ts";
import { createTroubleLog, type Log } from "../../shared/log.ts";
import { type FetchArguments, readMethod, readUrl } from "./asked.ts";
import type { CallFormat } from "./call-formats.ts";
import { chatFormat, completionFormat } from "./openai-chat.ts";
import { imageFormat } from "./openai-images.ts";
import { responseFormat } from "./openai-responses.ts";
import type { CallContext, PriceCall, RecordCall } from "./record.ts";
import { RecordedCall } from "./recorded-call.ts";
import { readBeside, watchAnswer } from "./watched-answer.ts";

export interface RecordingFetchOptions {
  readonly record: RecordCall;
  readonly log: Log;
  readonly provider: string;
  readonly fetch?: FetchLike;
  /** The same for all calls, or asked when each begins. */
  readonly context?: CallContext | (() => CallContext);
  readonly priceUsd?: PriceCall;
  /** Of an API that speaks otherwise. */
  readonly formats?: CallFormats;
  /** Of each text; longer ones are cut in their middle, with a mark. */
  readonly charactersMax?: number;
}

export type FetchLike = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** By the end of the path, so that gateways and deployments under paths of their own count too. */
export type CallFormats = readonly (readonly [RegExp, CallFormat])[];

export const openAiFormats: CallFormats = [
  [/\/chat\/completions$/, chatFormat],
  [/\/responses$/, responseFormat],
  [/\/completions$/, completionFormat],
  [/\/images\/(?:generations|edits)$/, imageFormat],
];

export function createRecordingFetch(options: RecordingFetchOptions): FetchLike {
  const warn = createTroubleLog(options.log, "model-call.not-recorded");
  const { fetch = globalThis.fetch, formats = openAiFormats, charactersMax = textLengthMax } = options;
  /** Nothing that goes wrong in recording reaches the caller. */
  const attempt = <T>(doing: string, work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      warn(doing, error);
      return undefined;
    }
  };
  const begin = (given: FetchArguments) => {
    const url = readUrl(given);
    const path = url?.pathname.replace(/\/$/, "") ?? "";
    const format = formats.find(([pattern]) => pattern.test(path))?.[1];
    if (!url || !format || readMethod(given) !== "POST") return undefined;
    return new RecordedCall(given, { ...options, charactersMax, url, format, attempt });
  };
  return async (input, init) => {
    const call = attempt("beginning", () => begin({ input, init }));
    if (!call) return fetch(input, init);
    let answer: Response;
    try {
      const answering = fetch(input, init);
      // While it is on its way.
      call.readAsked();
      answer = await answering;
    } catch (error) {
      call.fail(error);
      throw error;
    }
    return attempt("watching", () => watch(call, answer)) ?? answer;
  };
}

function watch(call: RecordedCall, answer: Response): Response {
  if (answer.status < 400) return watchAnswer(answer, call.openAnswer(answer));
  const beside = readBeside(answer);
  beside.text.then((text) => call.refuse(answer.status, text));
  return beside.answer;
}
