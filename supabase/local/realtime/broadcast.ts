import { z } from "zod";
import { type Broadcast, encodePayload } from "./protocol.ts";
import type { StoredMessage } from "./store.ts";

const TextBroadcast = z.object({ event: z.string(), payload: z.unknown().optional() });

/** A row as it goes out, live or from the past. */
export function toBroadcast(message: StoredMessage, meta: { replayed?: true } = {}): Broadcast {
  return {
    event: message.event,
    encoding: message.binaryPayload ? "binary" : "json",
    payload: message.binaryPayload ?? new TextEncoder().encode(message.payload ?? "{}"),
    meta: { ...meta, id: message.id },
  };
}

/** The payload of a text frame; undefined where it names no event. */
export function parseTextBroadcast(payload: unknown): Broadcast | undefined {
  const found = TextBroadcast.safeParse(payload);
  if (!found.success) return undefined;
  return { event: found.data.event, encoding: "json", payload: encodePayload(found.data.payload) };
}
