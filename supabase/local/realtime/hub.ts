import { type Broadcast, encodeBroadcast, type Version } from "./protocol.ts";

/** Encodes a broadcast once for all subscribers that speak the same version. */
export type EncodedBroadcast = (version: Version) => string | Uint8Array | undefined;

export interface Subscriber {
  deliver(broadcast: Broadcast, encoded: EncodedBroadcast): void;
}

/** Who listens to what. A private and a public topic of the same name are two topics that never meet. */
export class Hub {
  readonly #topics = new Map<string, Set<Subscriber>>();

  add(topic: string, isPrivate: boolean, subscriber: Subscriber): void {
    const key = topicKey(topic, isPrivate);
    const subscribers = this.#topics.get(key) ?? new Set();
    subscribers.add(subscriber);
    this.#topics.set(key, subscribers);
  }

  remove(topic: string, isPrivate: boolean, subscriber: Subscriber): void {
    const key = topicKey(topic, isPrivate);
    const subscribers = this.#topics.get(key);
    subscribers?.delete(subscriber);
    if (subscribers?.size === 0) this.#topics.delete(key);
  }

  publish(topic: string, isPrivate: boolean, broadcast: Broadcast, except?: Subscriber): void {
    const encoded = encodeOnce(`realtime:${topic}`, broadcast);
    for (const subscriber of this.#topics.get(topicKey(topic, isPrivate)) ?? []) {
      if (subscriber !== except) subscriber.deliver(broadcast, encoded);
    }
  }
}

export function encodeOnce(topic: string, broadcast: Broadcast): EncodedBroadcast {
  const frames = new Map<Version, string | Uint8Array | undefined>();
  return (version) => {
    if (!frames.has(version)) frames.set(version, encodeBroadcast(version, topic, broadcast));
    return frames.get(version);
  };
}

function topicKey(topic: string, isPrivate: boolean): string {
  return `${isPrivate ? "private" : "public"}:${topic}`;
}
