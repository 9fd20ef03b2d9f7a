import { createClient } from "@supabase/supabase-js";
import { check, waitUntil } from "./clients.ts";

/** A websocket without supabase-js: says what no client of good will says. Protocol 2.0.0. */
export interface RawSocket {
  readonly frames: RawFrame[];
  readonly closed: { code: number; reason: string }[];
  send(frame: unknown): void;
  sendRaw(data: string | Uint8Array<ArrayBuffer>): void;
  /** Sends a frame and resolves with the payload of the answer to it. */
  ask(
    topic: string,
    event: string,
    payload?: unknown,
  ): Promise<{ status: string; response: { reason?: string } }>;
  join(topic: string, config?: object, more?: object): ReturnType<RawSocket["ask"]>;
  /** Resolves with the first frame of this event on this topic. */
  heard(topic: string, event: string): Promise<RawFrame>;
  /** Resolves with what all channels were told, when so many messages have come. */
  broadcasts(count: number): Promise<RawFrame[]>;
  ended(): Promise<{ code: number; reason: string }>;
  close(): void;
}

export interface RawFrame {
  joinRef: string | null;
  ref: string | null;
  topic: string;
  event: string;
  payload: { status?: string; response?: { reason?: string }; message?: string; event?: string };
}

/** Reads the frames as the real client does. */
const { serializer } = createClient("http://127.0.0.1:1", "sb_publishable_x").realtime;

export async function openRaw(url: string, key: string, query = "vsn=2.0.0"): Promise<RawSocket> {
  const address = `${url.replace("http", "ws")}/realtime/v1/websocket?apikey=${key}&${query}`;
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  const frames: RawFrame[] = [];
  const closed: { code: number; reason: string }[] = [];
  let opened = false;
  let reference = 0;
  socket.onopen = () => {
    opened = true;
    check();
  };
  socket.onclose = ({ code, reason }) => {
    closed.push({ code, reason });
    check();
  };
  socket.onmessage = ({ data }) => {
    serializer.decode(data, ({ join_ref: joinRef, ...frame }: RawFrame & { join_ref: string | null }) => {
      frames.push({ ...frame, joinRef });
      check();
    });
  };
  await waitUntil(() => opened || closed.length > 0, "the websocket");

  async function ask(topic: string, event: string, payload: unknown = {}) {
    reference += 1;
    const ref = String(reference);
    socket.send(JSON.stringify([event === "phx_join" ? ref : null, ref, topic, event, payload]));
    let answer: RawFrame | undefined;
    await waitUntil(() => {
      answer = frames.find((frame) => frame.event === "phx_reply" && frame.ref === ref);
      return answer !== undefined;
    }, `an answer to ${event} on ${topic}`);
    return { status: answer?.payload.status ?? "", response: answer?.payload.response ?? {} };
  }

  return {
    frames,
    closed,
    send: (frame) => socket.send(JSON.stringify(frame)),
    sendRaw: (data) => socket.send(data),
    ask,
    join: (topic, config = {}, more = {}) => ask(topic, "phx_join", { config, ...more }),
    async heard(topic, event) {
      let found: RawFrame | undefined;
      await waitUntil(() => {
        found = frames.find((frame) => frame.topic === topic && frame.event === event);
        return found !== undefined;
      }, `${event} on ${topic}`);
      if (!found) throw new Error("It was heard and is gone.");
      return found;
    },
    async broadcasts(count) {
      const found = () => frames.filter(({ event }) => event === "broadcast");
      await waitUntil(() => found().length >= count, `${count} messages`);
      return found();
    },
    async ended() {
      await waitUntil(() => closed.length > 0, "the end of the websocket");
      return closed[0] ?? { code: 0, reason: "" };
    },
    close: () => socket.close(),
  };
}
