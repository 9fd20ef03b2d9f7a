/** Reads an answer while its bytes pass: a stream of events, or JSON in one piece. Keeps its texts, no bytes. */
import type { Answered, CallFormat, EventReader } from "./call-formats.ts";
import { JsonThinner } from "./json-thinner.ts";
import { parseJson } from "./loose-json.ts";
import { ServerSentEvents } from "./server-sent-events.ts";

/** `partial`: there may be more. `unreadable`: it is no answer of this API. */
export type Completeness = "whole" | "partial" | "unreadable";

export interface AnswerReader {
  readonly isStream: boolean;
  push(bytes: Uint8Array): void;
  /** Nothing more comes. */
  end(): void;
  read(): { readonly answered: Answered; readonly completeness: Completeness };
}

export function createAnswerReader(
  format: CallFormat,
  { isStream, charactersMax }: { isStream: boolean; charactersMax: number },
): AnswerReader {
  return isStream ? readStream(format.openEvents(charactersMax)) : readJson(format);
}

function readStream(events: EventReader): AnswerReader {
  let isDone = false;
  const reader = new ServerSentEvents({
    readEvent: (event) => events.readEvent(event),
    readDone: () => {
      isDone = true;
    },
  });
  return {
    isStream: true,
    push: (bytes) => reader.push(bytes),
    end: () => reader.end(),
    read: () => ({
      answered: events.read(),
      completeness: isDone || events.isComplete() ? "whole" : "partial",
    }),
  };
}

const nothing: Answered = { output: "" };

function readJson(format: CallFormat): AnswerReader {
  const decoder = new TextDecoder();
  const thinner = new JsonThinner();
  let read: ReturnType<AnswerReader["read"]> = { answered: nothing, completeness: "partial" };
  return {
    isStream: false,
    push: (bytes) => thinner.push(decoder.decode(bytes, { stream: true })),
    end: () => {
      const body = parseJson(thinner.take() ?? "");
      read =
        body === undefined
          ? { answered: nothing, completeness: "unreadable" }
          : { answered: format.readAnswered(body), completeness: "whole" };
    },
    read: () => read,
  };
}
