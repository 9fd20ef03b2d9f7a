/** A receiver of webhooks on this machine, over TLS by an authority of its own, that does to callers what a test says. */
import type { LookupAddress } from "node:dns";
import type { AddressInfo, Socket } from "node:net";
import net from "node:net";
import tls from "node:tls";
import { type Authority, type Certificate, createAuthority } from "../../helpers/certificates.ts";

export const hostName = "hooks.example.com";
const authority: Authority = createAuthority();
export const authorities = authority.certificate;

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is done with a request: its text is written as it stands; a function has the socket for itself. */
export type Reply = string | ((socket: Socket) => void);

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Connections, also those that sent nothing. */
  readonly connections: number;
  readonly received: readonly Received[];
  /** Replies to come, in order; the last one stays. */
  reply(...replies: Reply[]): void;
}

export interface ReceiverOptions {
  /** Default 127.0.0.1. */
  readonly address?: string;
  readonly port?: number;
  /** Default one of the authority for `hostName`. */
  readonly certificate?: Certificate;
  readonly isPlain?: boolean;
  /** Said to whoever connects, before they ask. */
  readonly greeting?: string;
}

export const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
export const answer = (status: number, headers = "") =>
  `HTTP/1.1 ${status} Whatever\r\n${headers}content-length: 0\r\n\r\n`;

export async function openReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const sockets = new Set<Socket>();
  const received: Received[] = [];
  let replies: Reply[] = [ok];
  let connections = 0;
  const serve = (socket: Socket) => {
    socket.on("error", () => {});
    readRequest(socket, (request) => {
      received.push(request);
      const reply = replies.length > 1 ? replies.shift() : replies[0];
      if (typeof reply === "string") socket.end(reply);
      else reply?.(socket);
    });
  };
  const { certificate, key } = options.certificate ?? authority.issue([hostName]);
  const server = options.isPlain
    ? net.createServer(serve)
    : tls.createServer({ cert: certificate, key }, serve).on("tlsClientError", () => {});
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket.on("error", () => {}));
    if (options.greeting) socket.write(options.greeting);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, options.address ?? "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.isPlain ? "http" : "https"}://${hostName}:${port}/hooks?for=parlance`,
    port,
    get connections() {
      return connections;
    },
    received,
    reply: (...wanted) => {
      replies = wanted;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function issue(names: readonly string[], options?: { hasExpired?: boolean }): Certificate {
  return authority.issue(names, options);
}

/** A resolver that gives these answers in turn; the last one stays. `asked` counts. */
export function createResolver(...answers: readonly (readonly string[])[]) {
  const resolver = {
    asked: [] as string[],
    resolve: async (host: string): Promise<LookupAddress[]> => {
      const turn = Math.min(resolver.asked.push(host), answers.length) - 1;
      return (answers[turn] ?? []).map((address) => ({ address, family: net.isIP(address) }));
    },
  };
  return resolver;
}

function readRequest(socket: Socket, onRequest: (request: Received) => void): void {
  let text = "";
  let isOver = false;
  socket.setEncoding("utf8");
  socket.on("data", (part: string) => {
    if (isOver) return;
    text += part;
    const [head = "", body] = text.split(/\r\n\r\n(.*)/s);
    const [first = "", ...lines] = head.split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(":")).toLowerCase(),
        line.slice(line.indexOf(":") + 1).trim(),
      ]),
    );
    if (body === undefined || Buffer.byteLength(body) < Number(headers["content-length"])) return;
    isOver = true;
    const [method = "", path = ""] = first.split(" ");
    onRequest({ method, path, headers, body });
  });
}
