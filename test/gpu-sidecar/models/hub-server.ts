import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

/**
 * A server that behaves like the Hugging Face hub, and as badly as one is told to: small files are answered by itself,
 * large ones (LFS) by a second server to which it redirects. It speaks HTTP by hand, so that it can lie.
 */
export interface HubRequest {
  readonly host: "hub" | "store";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a file is answered with instead; each fault is used up by one request. */
export type Fault =
  | { readonly kind: "status"; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: "cut"; readonly share: number }
  | { readonly kind: "stall"; readonly share: number }
  | { readonly kind: "length"; readonly more: number }
  | { readonly kind: "unframed"; readonly more: number }
  | { readonly kind: "wrong" }
  | { readonly kind: "noRange" }
  | { readonly kind: "otherRange" }
  | { readonly kind: "otherEtag" };

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
  /** Bytes after which the connection is cut, or left silent. */
  stopAfter?: number;
  stalls?: boolean;
}

const lfsFrom = 10_000;

export class HubServer {
  readonly requests: HubRequest[] = [];
  readonly faults = new Map<string, Fault[]>();
  /** Answers of the API, before all others. */
  readonly apiFaults: Fault[] = [];
  token: string | undefined;
  commit = "1".repeat(40);
  pageSize = 1_000;
  prefix = "";
  files = new Map<string, Uint8Array>();
  /** Told when a transfer has been left silent. */
  onStall: () => void = () => {};
  readonly #hub: Server;
  readonly #store: Server;
  readonly #sockets = new Set<Socket>();
  readonly #doomed = new Set<Socket>();

  constructor() {
    this.#hub = createServer((socket) => this.#serve("hub", socket));
    this.#store = createServer((socket) => this.#serve("store", socket));
  }

  static async open(folder: string): Promise<HubServer> {
    const server = new HubServer();
    await server.load(folder);
    for (const one of [server.#hub, server.#store]) {
      one.listen(0, "127.0.0.1");
      await once(one, "listening");
    }
    return server;
  }

  async load(folder: string): Promise<void> {
    this.files = new Map();
    for (const name of await readdir(folder, { recursive: true })) {
      const content = await readFile(join(folder, name)).catch(() => undefined);
      if (content) this.files.set(name, content);
    }
  }

  get endpoint(): string {
    return `http://127.0.0.1:${portOf(this.#hub)}${this.prefix}`;
  }

  fail(path: string, ...faults: Fault[]): void {
    this.faults.set(path, [...(this.faults.get(path) ?? []), ...faults]);
  }

  /** Requests for the content of a file, at the server that has it. */
  contentOf(path: string): HubRequest[] {
    const { isLarge, sha256 } = this.#describe(path);
    return this.requests.filter((request) =>
      isLarge ? request.host === "store" && request.path.includes(sha256) : request.path.endsWith(path),
    );
  }

  /** Cuts the transfers that are to be cut; told by whoever received something of them, or it would all be lost. */
  cut(): void {
    for (const socket of this.#doomed) socket.destroy();
    this.#doomed.clear();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const one of [this.#hub, this.#store]) {
      one.close();
      await once(one, "close");
    }
  }

  #serve(host: HubRequest["host"], socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    let head = "";
    socket.on("data", (chunk) => {
      head += chunk.toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      const request = parseHead(host, head.slice(0, end));
      head = head.slice(end + 4);
      this.requests.push(request);
      this.#send(socket, this.#answer(request));
    });
  }

  #send(socket: Socket, { status, headers, body, stopAfter, stalls }: Answer): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${status} Whatever\r\n${lines.join("")}connection: close\r\n\r\n`);
    if (stopAfter === undefined) return void socket.end(body);
    if (!stalls) this.#doomed.add(socket);
    socket.write(body.subarray(0, stopAfter), () => {
      if (stalls) this.onStall();
    });
  }

  #answer(request: HubRequest): Answer {
    const path = decodeURIComponent(request.path);
    if (request.host === "store") return this.#answerStored(request, path);
    if (!path.startsWith(this.prefix)) return plain(404);
    const local = path.slice(this.prefix.length);
    if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`)
      return plain(401);
    if (local.startsWith("/api/models/")) return this.#answerApi(local);
    const name = /^\/some\/model\/resolve\/([0-9a-f]{40})\/(.+)$/.exec(local);
    if (!name || name[1] !== this.commit || !this.files.has(name[2] ?? "")) return plain(404);
    return this.#answerFile(request, name[2] ?? "");
  }

  #answerApi(path: string): Answer {
    const fault = this.apiFaults.shift();
    if (fault?.kind === "status") return plain(fault.status, fault.headers);
    if (fault?.kind === "wrong") return json({ html: "<title>Login</title>" });
    if (path.startsWith("/api/models/some/model/revision/")) {
      const revision = path.split("/").at(-1) ?? "";
      return ["main", "v1", this.commit].includes(revision)
        ? json({ id: "some/model", sha: this.commit })
        : plain(404);
    }
    const tree = new RegExp(
      `^/api/models/some/model/tree/${this.commit}\\?recursive=true(&cursor=(\\d+))?$`,
    ).exec(path);
    if (!tree) return plain(404);
    const start = Number(tree[2] ?? 0);
    const entries = [{ type: "directory", path: "onnx", oid: "0".repeat(40), size: 0 }, ...this.#listTree()];
    const answer = json(entries.slice(start, start + this.pageSize));
    const next = `${this.endpoint}/api/models/some/model/tree/${this.commit}?recursive=true&cursor=${start + this.pageSize}`;
    if (start + this.pageSize < entries.length) answer.headers.link = `<${next}>; rel="next"`;
    return answer;
  }

  #listTree(): object[] {
    return [...this.files.keys()].map((path) => {
      const { isLarge, sha256, size, gitSha1 } = this.#describe(path);
      if (!isLarge) return { type: "file", oid: gitSha1, size, path };
      const lfs = { oid: sha256, size, pointerSize: 134 };
      return { type: "file", oid: "2".repeat(40), size, lfs, xetHash: "3".repeat(64), path };
    });
  }

  #answerFile(request: HubRequest, name: string): Answer {
    const { isLarge, sha256 } = this.#describe(name);
    if (!isLarge) return this.#answerContent(request, name);
    const location = `http://127.0.0.1:${portOf(this.#store)}/store/${sha256}?signature=x`;
    return { ...plain(302, { location, "x-linked-etag": `"${sha256}"` }), body: Buffer.from("Found") };
  }

  #answerStored(request: HubRequest, path: string): Answer {
    const name = [...this.files.keys()].find((one) =>
      path.startsWith(`/store/${this.#describe(one).sha256}`),
    );
    return name === undefined ? plain(404) : this.#answerContent(request, name);
  }

  #answerContent({ headers }: HubRequest, name: string): Answer {
    const fault = this.faults.get(name)?.shift();
    if (fault?.kind === "status") return plain(fault.status, fault.headers);
    const whole = this.files.get(name) ?? new Uint8Array();
    const etag = fault?.kind === "otherEtag" ? '"other"' : `"${this.#describe(name).sha256}"`;
    const asked = /^bytes=(\d+)-$/.exec(headers.range ?? "");
    const isSame = headers["if-range"] === undefined || headers["if-range"] === etag;
    const from = asked && isSame && fault?.kind !== "noRange" ? Number(asked[1]) : 0;
    if (from >= whole.length && from > 0) return plain(416, { "content-range": `bytes */${whole.length}` });
    const body = whole.slice(from);
    const shown = fault?.kind === "otherRange" ? from + 1 : from;
    const range =
      from > 0 || fault?.kind === "otherRange"
        ? { "content-range": `bytes ${shown}-${whole.length - 1}/${whole.length}` }
        : {};
    const status = "content-range" in range ? 206 : 200;
    return spoil({ status, headers: { etag, "content-length": String(body.length), ...range }, body }, fault);
  }

  #describe(name: string) {
    const content = this.files.get(name) ?? new Uint8Array();
    const gitSha1 = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { isLarge: content.length >= lfsFrom, size: content.length, sha256, gitSha1 };
  }
}

function spoil(answer: Answer, fault: Fault | undefined): Answer {
  const { body, headers } = answer;
  switch (fault?.kind) {
    case "cut":
      return { ...answer, stopAfter: Math.floor(body.length * fault.share) };
    case "stall":
      return { ...answer, stopAfter: Math.floor(body.length * fault.share), stalls: true };
    case "wrong":
      return { ...answer, body: body.map((byte) => byte ^ 1) };
    case "length":
      return { ...answer, headers: { ...headers, "content-length": String(body.length + fault.more) } };
    case "unframed": {
      const { "content-length": _, ...rest } = headers;
      const sent =
        fault.more < 0 ? body.subarray(0, fault.more) : Buffer.concat([body, new Uint8Array(fault.more)]);
      return { ...answer, headers: rest, body: sent };
    }
    default:
      return answer;
  }
}

function parseHead(host: HubRequest["host"], head: string): HubRequest {
  const [first = "", ...lines] = head.split("\r\n");
  const headers = lines.map((line) => [
    line.slice(0, line.indexOf(":")).toLowerCase(),
    line.slice(line.indexOf(":") + 1).trim(),
  ]);
  return { host, path: first.split(" ")[1] ?? "", headers: Object.fromEntries(headers) };
}

function plain(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { "content-length": "5", ...headers }, body: Buffer.from("Found") };
}

function json(content: unknown): Answer {
  const body = Buffer.from(JSON.stringify(content));
  return {
    status: 200,
    headers: { "content-type": "application/json", "content-length": String(body.length) },
    body,
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
