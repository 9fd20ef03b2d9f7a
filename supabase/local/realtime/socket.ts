import type { IdentifiedCaller } from "../keys.ts";
import { Channel } from "./channel.ts";
import type { ChannelContext, ChannelSocket } from "./context.ts";
import { JoinRefused, parseJoin } from "./join.ts";
import { RateLimit } from "./limits.ts";
import {
  type ClientFrame,
  decodeFrame,
  encodeFrame,
  ProtocolError,
  type ServerFrame,
  type Version,
} from "./protocol.ts";

/** The wire under a socket: what Bun's ServerWebSocket offers. */
export interface Transport {
  /** 0 when the data was dropped. */
  send(data: string | Uint8Array): number;
  close(code: number, reason: string): void;
  terminate(): void;
  getBufferedAmount(): number;
}

/** How long a closing socket may take to read its last words. */
const closeGraceMs = 5_000;

/**
 * One client. Its frames are worked on one after the other, so that a message sent after a join finds the channel
 * open; only heartbeats do not wait.
 */
export class RealtimeSocket implements ChannelSocket {
  readonly version: Version;
  readonly identified: IdentifiedCaller;
  readonly #context: ChannelContext;
  readonly #rate: RateLimit;
  readonly #channels = new Map<string, Channel>();
  #transport: Transport | undefined;
  #waiting: ClientFrame[] = [];
  #isWorking = false;
  #heardAtMs: number;
  #heartbeat: ReturnType<typeof setTimeout> | undefined;

  constructor(context: ChannelContext, version: Version, identified: IdentifiedCaller) {
    this.#context = context;
    this.version = version;
    this.identified = identified;
    this.#rate = new RateLimit(context.limits.messagesPerSecond, context.now);
    this.#heardAtMs = context.now();
  }

  opened(transport: Transport): void {
    this.#transport = transport;
    this.#heardAtMs = this.#context.now();
    this.#watchHeartbeat();
  }

  /** The client or the network has ended it. */
  closed(): void {
    clearTimeout(this.#heartbeat);
    this.#transport = undefined;
    this.#waiting = [];
    for (const channel of this.#channels.values()) channel.end();
  }

  received(data: string | Uint8Array): void {
    this.#heardAtMs = this.#context.now();
    try {
      this.#accept(decodeFrame(this.version, data));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.close(1007, error.message);
    }
  }

  send(frame: ServerFrame): void {
    this.sendEncoded(encodeFrame(this.version, frame));
  }

  /** A reader too slow for what it subscribed to is closed rather than kept in memory. */
  sendEncoded(data: string | Uint8Array): void {
    if (!this.#transport) return;
    const sent = this.#transport.send(data);
    const limit = this.#context.limits.sendBufferBytesMax;
    if (sent === 0 || this.#transport.getBufferedAmount() > limit) {
      this.close(1013, `Too slow: more than ${limit} bytes are waiting`);
    }
  }

  forget(channel: { readonly fullTopic: string }): void {
    if (this.#channels.get(channel.fullTopic) === channel) this.#channels.delete(channel.fullTopic);
  }

  /** Codes of RFC 6455, 7.4: 1001 going away, 1007 invalid frame, 1008 policy, 1013 try again later. */
  close(code: number, reason: string): void {
    const transport = this.#transport;
    if (!transport) return;
    this.closed();
    transport.close(code, reason);
    setTimeout(() => transport.terminate(), closeGraceMs).unref();
  }

  #accept(frame: ClientFrame): void {
    if (!this.#rate.take()) {
      this.#refuseForRate(frame);
    } else if (frame.topic === "phoenix") {
      this.#reply(frame, "ok", {});
    } else if (this.#waiting.length >= this.#context.limits.waitingFramesMax) {
      this.close(1008, "Too many frames are waiting");
    } else {
      this.#waiting.push(frame);
      if (!this.#isWorking) void this.#work();
    }
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let frame = this.#waiting.shift(); frame; frame = this.#waiting.shift()) {
      try {
        await this.#handle(frame);
      } catch (error) {
        this.#context.reportError(error);
      }
    }
    this.#isWorking = false;
  }

  async #handle(frame: ClientFrame): Promise<void> {
    if (frame.event === "phx_join") return this.#join(frame);
    const channel = this.#channels.get(frame.topic);
    if (!channel) return this.#answerUnknown(frame);
    if (frame.joinRef !== null && frame.joinRef !== channel.joinRef) return;
    switch (frame.event) {
      case "broadcast":
        return channel.push(frame);
      case "access_token":
        return channel.refresh(readToken(frame.payload));
      case "phx_leave":
        this.#reply(frame, "ok", {});
        return channel.close();
      case "presence":
        return this.#reply(frame, "error", { reason: "Presence is not supported by the embedded mode" });
    }
  }

  async #join(frame: ClientFrame): Promise<void> {
    if (!frame.topic.startsWith("realtime:")) return this.#answerUnknown(frame);
    this.#channels.get(frame.topic)?.close();
    try {
      if (this.#channels.size >= this.#context.limits.channelsPerSocketMax) {
        throw new JoinRefused("ChannelRateLimitReached", "Too many channels");
      }
      const join = parseJoin(frame.topic, frame.payload);
      const channel = await Channel.open(this.#context, this, frame, join);
      if (!this.#transport) return;
      this.#channels.set(frame.topic, channel);
      await channel.start(() => this.#reply(frame, "ok", { postgres_changes: [] }));
    } catch (error) {
      if (!(error instanceof JoinRefused)) this.#context.reportError(error);
      const reason = error instanceof JoinRefused ? error.reason : "Unknown Error on Channel";
      this.#reply(frame, "error", { reason });
    }
  }

  #answerUnknown(frame: ClientFrame): void {
    if (frame.event === "phx_leave") this.#reply(frame, "ok", {});
    else this.#reply(frame, "error", { reason: "unmatched topic" });
  }

  #refuseForRate(frame: ClientFrame): void {
    const message = "Too many messages per second";
    const channel = this.#channels.get(frame.topic);
    if (channel) channel.shutDown(message);
    else this.close(1008, message);
  }

  #reply(frame: ClientFrame, status: "ok" | "error", response: unknown): void {
    const { joinRef, ref, topic } = frame;
    this.send({ joinRef, ref, topic, event: "phx_reply", payload: { status, response } });
  }

  /** Looked at when the time could be up, not at every frame. */
  #watchHeartbeat(): void {
    const silentMs = this.#context.now() - this.#heardAtMs;
    const leftMs = this.#context.limits.heartbeatTimeoutMs - silentMs;
    if (leftMs <= 0) this.close(1002, "No heartbeat");
    else this.#heartbeat = setTimeout(() => this.#watchHeartbeat(), leftMs);
  }
}

function readToken(payload: unknown): unknown {
  return typeof payload === "object" && payload !== null && "access_token" in payload
    ? payload.access_token
    : undefined;
}
