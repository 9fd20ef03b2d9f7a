/** A server on this machine that answers as a test says, in pieces, slowly, or by hanging up. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ModelCall } from "../../../edge/clients/record.ts";
import type { FetchLike, RecordingFetchOptions } from "../../../edge/clients/recording-fetch.ts";
import { createRecordingFetch } from "../../../edge/clients/recording-fetch.ts";
import { createLog } from "../../../shared/log.ts";

export interface SentRequest {
  readonly path: string;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

export type Answer = (response: ServerResponse, request: SentRequest) => unknown;

export interface ModelServer {
  readonly url: string;
  readonly requests: SentRequest[];
  close(): Promise<void>;
}

/** Each request takes the next answer; the last one stays. */
export async function openModelServer(...answers: Answer[]): Promise<ModelServer> {
  const requests: SentRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece as Buffer);
    const request = {
      path: incoming.url ?? "",
      headers: incoming.headers,
      body: Buffer.concat(pieces).toString(),
    };
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    await answer?.(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url: `http://127.0.0.1:${port}`, requests, close };
}

export function answerJson(body: unknown, status = 200): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

export interface StreamOptions {
  /** So many bytes at a time; without, an event at a time. */
  readonly bytes?: number;
  readonly lineEnd?: string;
  /** Hangs up after so many events. */
  readonly cutAfter?: number;
  /** Says nothing more after so many events, and stays. */
  readonly stallAfter?: number;
}

/** Server-sent events; a text is data as it is. */
export function answerEvents(events: readonly unknown[], options: StreamOptions = {}): Answer {
  const { lineEnd = "\n", bytes, cutAfter, stallAfter } = options;
  return async (response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    const written = events.slice(0, cutAfter ?? stallAfter).map((event) => {
      const name = (event as { type?: string }).type;
      const data = typeof event === "string" ? event : JSON.stringify(event);
      return `${name ? `event: ${name}${lineEnd}` : ""}data: ${data}${lineEnd}${lineEnd}`;
    });
    const pieces = bytes
      ? cut(Buffer.from(written.join("")), bytes)
      : written.map((text) => Buffer.from(text));
    for (const piece of pieces) {
      response.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    if (cutAfter !== undefined) response.socket?.destroy();
    else if (stallAfter === undefined) response.end();
  };
}

function cut(whole: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
    whole.subarray(index * size, (index + 1) * size),
  );
}

export interface Recording {
  readonly fetch: FetchLike;
  readonly calls: ModelCall[];
  readonly logLines: Record<string, unknown>[];
}

/** A recording fetch, and what it tells. */
export function openRecording(options: Partial<RecordingFetchOptions> = {}): Recording {
  const calls: ModelCall[] = [];
  const logLines: Record<string, unknown>[] = [];
  const log = createLog((line) => logLines.push(JSON.parse(line)));
  const record = (call: ModelCall) => void calls.push(call);
  const fetch = createRecordingFetch({ record, log, provider: "openai", ...options });
  return { fetch, calls, logLines };
}
