import { Duplex } from "node:stream";
import { readSql } from "./channels.ts";
import { LoginError } from "./engine.ts";
import * as protocol from "./protocol.ts";
import type { PgliteSession } from "./session.ts";

const copyFromClient = /(?:^|;)\s*copy\b[^;]*\bfrom\s+stdin\b/i;
const refuseCopy =
  "do $$ begin raise exception 'COPY FROM STDIN is not supported in embedded mode' using errcode = '0A000'; end $$";

/** The socket that postgres.js writes to and reads from: the server's end of the protocol, in this process. */
export class PgliteStream extends Duplex {
  readonly #session: PgliteSession;
  #received: Uint8Array = new Uint8Array();
  #loggedIn = false;

  constructor(session: PgliteSession) {
    super({ highWaterMark: 1024 * 1024 });
    this.#session = session;
  }

  /** As of net.Socket; postgres.js says goodbye only to a socket that is open. */
  get readyState(): "open" | "closed" {
    return this.destroyed ? "closed" : "open";
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#receive(chunk).then(() => done(), done);
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: (error?: Error | null) => void): void {
    this.#receive(protocol.concatBytes(chunks.map(({ chunk }) => chunk))).then(() => done(), done);
  }

  override _final(done: () => void): void {
    done();
    this.destroy();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#session.leave(this).then(() => done(error), done);
  }

  async #receive(chunk: Uint8Array): Promise<void> {
    // Nothing is answered from within `write`: postgres.js would lose what it says while it is still writing.
    await undefined;
    this.#received = this.#received.length === 0 ? chunk : protocol.concatBytes([this.#received, chunk]);
    if (!this.#loggedIn && !(await this.#greet())) return;
    const { messages, rest } = protocol.splitMessages(this.#received);
    this.#received = rest;
    const goodbye = messages.findIndex((message) => message.type === "X");
    const wanted = goodbye < 0 ? messages : messages.slice(0, goodbye);
    if (wanted.length > 0) await this.#session.run(this, wanted.map(refuseWhatWedges));
    if (goodbye >= 0) this.destroy();
  }

  /** True once the stream has logged in; answers whatever may come before. */
  async #greet(): Promise<boolean> {
    const startup = protocol.readStartup(this.#received);
    if (!startup) return false;
    this.#received = startup.rest;
    if (startup.code === protocol.sslRequest || startup.code === protocol.gssRequest) {
      this.push("N");
      return this.#greet();
    }
    // A statement runs to its end before anything else is read, so there is never one to cancel.
    if (startup.code !== protocol.protocolVersion) {
      this.destroy();
      return false;
    }
    return this.#logIn(startup.parameters);
  }

  async #logIn(parameters: Readonly<Record<string, string>>): Promise<boolean> {
    const { user, database: _database, client_encoding: _encoding, ...settings } = parameters;
    try {
      await this.#session.login(this, { role: user ?? "", settings });
    } catch (error) {
      if (!(error instanceof LoginError)) throw error;
      this.push(protocol.encodeError("FATAL", error.code, error.message));
      this.destroy();
      return false;
    }
    this.push(this.#session.greeting);
    this.#loggedIn = true;
    return true;
  }
}

/** COPY FROM STDIN would wait inside the engine for data that cannot come: it fails as a statement instead. */
function refuseWhatWedges(message: protocol.Message): protocol.Message {
  const sql = readSql(message);
  if (!sql || !copyFromClient.test(sql)) return message;
  const name = message.type === "P" ? protocol.readString(message.body).text : "";
  const bytes =
    message.type === "P" ? protocol.encodeParse(name, refuseCopy) : protocol.encodeQuery(refuseCopy);
  return { type: message.type, bytes, body: bytes.subarray(5) };
}
