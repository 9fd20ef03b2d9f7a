/**
 * One POST to addresses that were checked before. `node:http(s)` with a `lookup` of our own connects to these alone,
 * while the certificate is held against the name; it follows no redirects and asks no proxy, which fetch would.
 */
import type { LookupAddress } from "node:dns";
import http from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import { faultOf } from "./faults.ts";

/** Of the answer; what is more than that is not read. */
const headerBytesMax = 16_384;
const bodyBytesMax = 16_384;

export interface Call {
  readonly url: URL;
  readonly addresses: readonly LookupAddress[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  /** Certificates in PEM that are trusted instead of the system's. */
  readonly authorities?: string | undefined;
}

export interface Answer {
  readonly statusCode: number;
  readonly retryAfter: string | undefined;
}

/** The answer's status; throws a CallFault where there is none. */
export function post(call: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { request } = call.url.protocol === "https:" ? https : http;
    const body = new TextEncoder().encode(call.body);
    const sent = request(
      call.url,
      {
        method: "POST",
        headers: { ...call.headers, "content-length": String(body.length) },
        lookup: pinTo(call.addresses),
        // A connection of its own: one that is shared may have been made for another name.
        agent: false,
        maxHeaderSize: headerBytesMax,
        signal: call.signal,
        ...(call.authorities === undefined ? {} : { ca: call.authorities }),
      },
      (response) => {
        const answer = { statusCode: response.statusCode ?? 0, retryAfter: response.headers["retry-after"] };
        drain(response, () => resolve(answer));
      },
    );
    // An answer too: nothing was offered that the receiver could change to.
    sent.on("upgrade", ({ statusCode = 101 }, socket) => {
      socket.destroy();
      resolve({ statusCode, retryAfter: undefined });
    });
    sent.on("error", (error) => reject(faultOf(error)));
    sent.end(body);
  });
}

/** Reads a little of the body, as receivers expect; the status counts, whatever becomes of the rest. */
function drain(response: http.IncomingMessage, finish: () => void): void {
  let bytes = 0;
  response.on("data", (part: Uint8Array) => {
    bytes += part.length;
    if (bytes > bodyBytesMax) response.destroy();
  });
  response.on("error", finish);
  response.on("close", finish);
  response.on("end", finish);
}

function pinTo(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, options, answer) => {
    const [first] = addresses;
    if (options.all) answer(null, [...addresses]);
    else answer(null, first?.address ?? "", first?.family ?? 4);
  };
}
