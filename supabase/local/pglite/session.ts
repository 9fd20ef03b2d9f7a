import { Channels } from "./channels.ts";
import { type Engine, type Login, LoginError, quoteIdentifier, superuser } from "./engine.ts";
import { Gate } from "./gate.ts";
import * as protocol from "./protocol.ts";
import { Refusal } from "./refusal.ts";
import { Turn } from "./turn.ts";

/**
 * PGlite is one session; postgres.js believes that it has many connections. This shares the one among them.
 *
 * A stream enters the gate with its first message and leaves when ReadyForQuery says `I` (no transaction) and
 * every Sync was answered. When the gate passes to another stream, the session is made that stream's: settings
 * and role are reset and its login role becomes the session's, so that grants and policies judge as on a server.
 * What a client sets for its session (`set`, not `set local`) lasts until another stream enters, as behind a
 * transaction pooler. Temporary tables and session-level advisory locks belong to everyone: do not use them.
 */

/** One connection of a client, as the session sees it. */
export interface SessionStream {
  readonly destroyed: boolean;
  /** Gives bytes to the client. */
  push(bytes: Uint8Array): unknown;
  destroy(error?: Error): unknown;
}

export class PgliteSession {
  readonly #engine: Engine;
  readonly #gate = new Gate<SessionStream>();
  readonly #channels = new Channels<SessionStream>();
  readonly #logins = new WeakMap<SessionStream, Login>();
  /** The streams whose transaction was taken from them and which have not noticed yet. */
  readonly #refusals = new Map<SessionStream, Refusal>();
  readonly #transactionIdleMs: number;
  /** Whose the session is now; it stays theirs until another stream enters. */
  #owner: SessionStream | undefined;
  #turn = new Turn();
  #executing = false;
  #closed = false;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  /** What a server says after a login: authentication, parameters, key, ready. */
  readonly greeting: Uint8Array;

  private constructor(engine: Engine, greeting: Uint8Array, transactionIdleMs: number) {
    this.#engine = engine;
    this.greeting = greeting;
    this.#transactionIdleMs = transactionIdleMs;
  }

  /** `transactionIdleMs`: how long an open transaction may stay silent before it is rolled back. */
  static async open(engine: Engine, transactionIdleMs: number): Promise<PgliteSession> {
    return new PgliteSession(engine, await engine.greet(), transactionIdleMs);
  }

  /** Lets a stream in under a role; refuses as a server does. */
  async login(stream: SessionStream, login: Login): Promise<void> {
    if (!(await this.#gate.ask(stream))) return;
    this.#executing = true;
    try {
      if (this.#closed) throw new LoginError("57P03", "the database is closed");
      await this.#engine.become({ role: superuser, settings: {} });
      await this.#engine.checkMayLogIn(login.role);
      await this.#engine.become(login);
      this.#logins.set(stream, login);
    } finally {
      this.#owner = undefined;
      this.#executing = false;
      this.#gate.leave(stream);
    }
  }

  /** Runs whole messages of one stream and gives it the answer; waits for the gate first. */
  async run(stream: SessionStream, messages: readonly protocol.Message[]): Promise<void> {
    const allowed = this.#refuse(stream, messages);
    if (allowed.length === 0 || !(await this.#gate.ask(stream))) return;
    clearTimeout(this.#idleTimer);
    this.#executing = true;
    try {
      if (this.#owner !== stream) await this.#handOver(stream);
      for (const message of allowed) this.#turn.say(message.type);
      const bytes = protocol.concatBytes(allowed.map((message) => message.bytes));
      this.#answer(stream, allowed, await this.#engine.execute(bytes));
    } finally {
      this.#executing = false;
      await this.#settle(stream);
    }
  }

  /** The client is gone: its open transaction is rolled back and the gate opens. */
  async leave(stream: SessionStream): Promise<void> {
    this.#channels.forget(stream);
    this.#refusals.delete(stream);
    this.#gate.giveUp(stream);
    if (this.#gate.holder === stream && !this.#executing) await this.#settle(stream);
  }

  /** Does `work` as the superuser while everybody else is outside. */
  async exclusive<T>(work: (run: (sql: string) => Promise<unknown>) => Promise<T>): Promise<T> {
    const visitor: SessionStream = { destroyed: false, push: () => {}, destroy: () => {} };
    await this.#gate.ask(visitor);
    this.#owner = undefined;
    try {
      await this.#engine.become({ role: superuser, settings: {} });
      return await work((sql) => this.#engine.query(sql));
    } finally {
      this.#gate.leave(visitor);
    }
  }

  /** Refuses new logins, waits until nobody is inside, then does `work`. */
  async close(work: () => Promise<void>): Promise<void> {
    this.#closed = true;
    await this.exclusive(work);
  }

  async #handOver(stream: SessionStream): Promise<void> {
    const login = this.#logins.get(stream);
    if (!login) throw new LoginError("28000", "the stream has not logged in");
    this.#owner = undefined;
    this.#turn = new Turn();
    await this.#engine.become(login);
    this.#owner = stream;
  }

  /** Sorts what came back: notifications go to those who listen, all else to the stream that asked. */
  #answer(stream: SessionStream, messages: readonly protocol.Message[], output: Uint8Array): void {
    const kept: Uint8Array[] = [];
    const notifications: Uint8Array[] = [];
    let failed = false;
    let keptFrom = 0;
    protocol.scanMessages(output, (type, start, end) => {
      if (type === "E") failed = true;
      if (type === "Z") this.#turn.hearReady(String.fromCharCode(output[start + 5] ?? 0));
      if (type === "S") this.#watchAuthorization(stream, output.subarray(start + 5, end));
      if (type !== "A") return;
      kept.push(output.subarray(keptFrom, start));
      notifications.push(output.subarray(start, end));
      keptFrom = end;
    });
    kept.push(output.subarray(keptFrom));
    if (!failed) this.#channels.note(stream, messages);
    if (!stream.destroyed) stream.push(protocol.concatBytes(kept));
    for (const notification of notifications) this.#notify(notification);
  }

  #notify(notification: Uint8Array): void {
    const { text: channel } = protocol.readString(notification.subarray(9));
    for (const listener of this.#channels.listeners(channel)) listener.push(notification);
  }

  /**
   * On a server only a superuser may change who the session is. Here everybody could, the engine's own user being
   * one, so it is undone at once. That keeps honest code honest; it is no wall around SQL written to climb it.
   */
  #watchAuthorization(stream: SessionStream, parameter: Uint8Array): void {
    const { text: name, next } = protocol.readString(parameter);
    if (name !== "session_authorization") return;
    const role = protocol.readString(parameter, next).text || superuser;
    const login = this.#logins.get(stream)?.role;
    if (login === superuser || role === login) return;
    this.#owner = undefined;
    this.#refusals.set(stream, new Refusal("42501", "permission denied to set session authorization"));
  }

  /** After each run: opens the gate, or watches the transaction that stays open. */
  async #settle(stream: SessionStream): Promise<void> {
    if (this.#turn.over) this.#refusals.delete(stream);
    else if (stream.destroyed || this.#refusals.has(stream)) await this.#rollBack();
    await this.#relisten();
    if (stream.destroyed || this.#turn.over) return this.#gate.leave(stream);
    this.#idleTimer = setTimeout(() => {
      this.#takeBack(stream).catch((error) => stream.destroy(error));
    }, this.#transactionIdleMs);
    this.#idleTimer.unref();
  }

  async #takeBack(stream: SessionStream): Promise<void> {
    const reason = `the transaction was rolled back: nothing was heard of it for ${this.#transactionIdleMs} ms`;
    this.#refusals.set(stream, new Refusal("25P03", reason));
    await this.#settle(stream);
  }

  /** Answers what a stream without its transaction still says; returns the messages that may be executed. */
  #refuse(stream: SessionStream, messages: readonly protocol.Message[]): readonly protocol.Message[] {
    const refusal = this.#refusals.get(stream);
    if (!refusal) return messages;
    for (const [index, message] of messages.entries()) {
      if (refusal.endsWith(message)) {
        this.#refusals.delete(stream);
        return messages.slice(index);
      }
      const { bytes, over } = refusal.answer(message);
      for (const part of bytes) stream.push(part);
      if (!over) continue;
      this.#refusals.delete(stream);
      return messages.slice(index + 1);
    }
    return [];
  }

  async #rollBack(): Promise<void> {
    clearTimeout(this.#idleTimer);
    this.#executing = true;
    try {
      if (this.#turn.wantsSync) await this.#engine.execute(protocol.syncMessage);
      await this.#engine.query("rollback");
    } finally {
      this.#executing = false;
      this.#owner = undefined;
      this.#turn = new Turn();
    }
  }

  /** One stream's UNLISTEN silences the session for all: listens again for those who still want to hear. */
  async #relisten(): Promise<void> {
    if (!this.#turn.over) return;
    for (const channel of this.#channels.takeSilenced()) {
      await this.#engine.query(`listen ${quoteIdentifier(channel)}`);
    }
  }
}
