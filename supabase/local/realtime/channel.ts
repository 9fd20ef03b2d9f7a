import { isPermitted } from "./authorization.ts";
import { parseTextBroadcast, toBroadcast } from "./broadcast.ts";
import type { ChannelContext, ChannelSocket } from "./context.ts";
import { expiryMessage, type Holder, identifyHolder, isExpired } from "./holder.ts";
import { type EncodedBroadcast, encodeOnce, type Subscriber } from "./hub.ts";
import { type Join, JoinRefused, parseToken } from "./join.ts";
import type { Broadcast, ClientFrame } from "./protocol.ts";
import { listReplay, type StoredMessage } from "./store.ts";

/** A timer longer than this overflows; the time is looked at again then. */
const expiryCheckMsMax = 3_600_000;
/** Messages that may come while the past is read. */
const heldMax = 1_000;

/**
 * One topic on one socket: opened, told of broadcasts, and ended by the client, by the end of its token, or by a new
 * token that may no longer read.
 */
export class Channel implements Subscriber {
  readonly fullTopic: string;
  readonly joinRef: string | null;
  readonly #context: ChannelContext;
  readonly #socket: ChannelSocket;
  readonly #join: Join;
  #holder: Holder;
  #expiry: ReturnType<typeof setTimeout> | undefined;
  /** Asked at the first message, and again after a new token. */
  #mayWrite: boolean | undefined;
  /** Live messages wait here while the past is read, then go out without those that were replayed. */
  #held: [Broadcast, EncodedBroadcast][] | undefined = [];
  #replayedIds: ReadonlySet<string> = new Set();
  #isEnded = false;

  private constructor(context: ChannelContext, socket: ChannelSocket, frame: ClientFrame, join: Join) {
    this.#context = context;
    this.#socket = socket;
    this.#join = join;
    this.fullTopic = frame.topic;
    this.joinRef = frame.joinRef ?? frame.ref;
    this.#holder = { caller: socket.identified.caller };
  }

  /**
   * Throws JoinRefused with the reason for the client. Of a new channel nothing is heard before `start`: the answer
   * to the join goes first.
   */
  static async open(
    context: ChannelContext,
    socket: ChannelSocket,
    frame: ClientFrame,
    join: Join,
  ): Promise<Channel> {
    const channel = new Channel(context, socket, frame, join);
    await channel.#identify(join.token);
    if (join.isPrivate && !(await channel.#mayRead())) throw channel.#unauthorized();
    return channel;
  }

  /**
   * Sends what is to be replayed, then everything live, nothing twice and nothing left out. What the database tells
   * late may be older than the oldest that was replayed.
   */
  async start(reply: () => void): Promise<void> {
    this.#context.hub.add(this.#join.topic, this.#join.isPrivate, this);
    try {
      const past = await this.#readPast();
      if (this.#isEnded) return;
      if ((this.#held?.length ?? 0) > heldMax) {
        throw new JoinRefused("UnableToReplayMessages", "Too many messages came while the past was read");
      }
      reply();
      for (const message of past) this.#replay(message);
      this.#replayedIds = new Set(past.map((message) => message.id));
    } catch (error) {
      this.end();
      throw error;
    }
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const [broadcast, encoded] of held) this.deliver(broadcast, encoded);
    if (this.#join.wantsReadiness) this.#sendSystem("ok", "Replication connection established");
    this.#watchExpiry();
  }

  deliver(broadcast: Broadcast, encoded: EncodedBroadcast): void {
    if (this.#isEnded) return;
    if (this.#held) {
      this.#held.push([broadcast, encoded]);
      return;
    }
    if (this.#isExpired()) {
      this.shutDown(expiryMessage(this.#holder, this.#context.now()));
      return;
    }
    if (typeof broadcast.meta?.id === "string" && this.#replayedIds.has(broadcast.meta.id)) return;
    const data = encoded(this.#socket.version);
    if (data !== undefined) this.#socket.sendEncoded(data);
  }

  /** A message of the client. Who may not write gets no answer, as from the real server. */
  async push(frame: ClientFrame): Promise<void> {
    const broadcast = frame.broadcast ?? parseTextBroadcast(frame.payload);
    if (!broadcast) return this.#reply(frame, "error", { reason: "A broadcast needs an event" });
    if (broadcast.meta && "persist" in broadcast.meta) {
      const error = "persist is not supported by the embedded mode";
      return this.#reply(frame, "error", { reason: error, error });
    }
    if (this.#join.isPrivate && !(await this.#isWriter())) return;
    if (this.#isEnded || this.#isExpired()) return;
    if (broadcast.payload.length > this.#context.limits.payloadBytesMax) {
      if (this.#join.wantsAck) this.#reply(frame, "error", { reason: "payload_size_exceeded" });
      return;
    }
    const { event, encoding, payload } = broadcast;
    const except = this.#join.wantsOwn ? undefined : this;
    this.#context.hub.publish(this.#join.topic, this.#join.isPrivate, { event, encoding, payload }, except);
    if (this.#join.wantsAck) this.#reply(frame, "ok", {});
  }

  /** Says why only when it ends the channel. */
  async refresh(value: unknown): Promise<void> {
    const token = parseToken(value);
    if (token === undefined || token === this.#holder.token) return;
    try {
      await this.#identify(token);
      this.#mayWrite = undefined;
      if (this.#join.isPrivate && !(await this.#mayRead())) throw this.#unauthorized();
      this.#watchExpiry();
    } catch (error) {
      if (!(error instanceof JoinRefused)) throw error;
      this.shutDown(error.message);
    }
  }

  shutDown(message: string): void {
    if (this.#isEnded) return;
    this.#sendSystem("error", message);
    this.close();
  }

  /** Tells the client that the channel has ended. */
  close(): void {
    if (this.#isEnded) return;
    this.end();
    this.#send("phx_close", {}, this.joinRef);
  }

  /** Without a word: the socket is gone, or was never told of this channel. */
  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#expiry);
    this.#context.hub.remove(this.#join.topic, this.#join.isPrivate, this);
    this.#socket.forget(this);
  }

  async #identify(token: string | undefined): Promise<void> {
    this.#holder = await identifyHolder(this.#context, this.#socket.identified, token);
  }

  async #mayRead(): Promise<boolean> {
    try {
      return await isPermitted(this.#context.sql, this.#holder.caller, "read", this.#join.topic);
    } catch (error) {
      this.#context.reportError(error);
      throw new JoinRefused("UnableToSetPolicies", "Realtime was unable to ask the policies of this topic");
    }
  }

  async #isWriter(): Promise<boolean> {
    try {
      this.#mayWrite ??= await isPermitted(this.#context.sql, this.#holder.caller, "write", this.#join.topic);
    } catch (error) {
      this.#context.reportError(error);
    }
    return this.#mayWrite ?? false;
  }

  async #readPast(): Promise<StoredMessage[]> {
    const { topic, replay } = this.#join;
    if (!replay) return [];
    try {
      return await listReplay(this.#context.sql, { topic, ...replay });
    } catch (error) {
      this.#context.reportError(error);
      throw new JoinRefused("UnableToReplayMessages", "Realtime was unable to replay messages");
    }
  }

  #replay(message: StoredMessage): void {
    const broadcast = toBroadcast(message, { replayed: true });
    const data = encodeOnce(this.fullTopic, broadcast)(this.#socket.version);
    if (data !== undefined) this.#socket.sendEncoded(data);
  }

  #isExpired(): boolean {
    return isExpired(this.#holder, this.#context.now());
  }

  #watchExpiry(): void {
    clearTimeout(this.#expiry);
    const { expiresAtMs } = this.#holder;
    if (this.#isEnded || expiresAtMs === undefined) return;
    if (this.#isExpired()) {
      this.shutDown(expiryMessage(this.#holder, this.#context.now()));
      return;
    }
    const leftMs = Math.min(expiresAtMs - this.#context.now(), expiryCheckMsMax);
    this.#expiry = setTimeout(() => this.#watchExpiry(), leftMs);
  }

  #unauthorized(): JoinRefused {
    const message = `You do not have permissions to read from this Channel topic: ${this.#join.topic}`;
    return new JoinRefused("Unauthorized", message);
  }

  #reply(frame: ClientFrame, status: "ok" | "error", response: unknown): void {
    this.#send("phx_reply", { status, response }, frame.ref);
  }

  #sendSystem(status: "ok" | "error", message: string): void {
    this.#send("system", { extension: "system", status, message, channel: this.#join.topic }, null);
  }

  #send(event: string, payload: unknown, ref: string | null): void {
    this.#socket.send({ joinRef: this.joinRef, ref, topic: this.fullTopic, event, payload });
  }
}
