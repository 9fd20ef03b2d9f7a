import { type Message, readString } from "./protocol.ts";

const listenStatement = /(?:^|;)\s*(un)?listen\s+(\*|"(?:[^"]|"")*"|[\w$]+)/gi;

/** Which stream listens to which channel, read from the LISTEN and UNLISTEN that it had executed. */
export class Channels<Stream extends object> {
  readonly #listeners = new Map<string, Set<Stream>>();
  readonly #silenced = new Set<string>();

  /** Takes note of a round of messages that went well. */
  note(stream: Stream, messages: readonly Message[]): void {
    for (const message of messages) {
      const sql = readSql(message);
      if (!sql || !/listen/i.test(sql)) continue;
      for (const [, un, name = ""] of sql.matchAll(listenStatement)) {
        if (un) this.#unlisten(stream, name);
        else this.#listen(stream, channelName(name));
      }
    }
  }

  listeners(channel: string): ReadonlySet<Stream> {
    return this.#listeners.get(channel) ?? new Set();
  }

  /** The stream is gone. */
  forget(stream: Stream): void {
    for (const [channel, streams] of this.#listeners) {
      streams.delete(stream);
      if (streams.size === 0) this.#listeners.delete(channel);
    }
  }

  /** The channels that an UNLISTEN silenced although another stream listens; each is told once. */
  takeSilenced(): string[] {
    const channels = [...this.#silenced].filter((channel) => this.#listeners.has(channel));
    this.#silenced.clear();
    return channels;
  }

  #listen(stream: Stream, channel: string): void {
    const streams = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, streams.add(stream));
  }

  #unlisten(stream: Stream, name: string): void {
    for (const [channel, streams] of this.#listeners) {
      if (name !== "*" && channel !== channelName(name)) continue;
      streams.delete(stream);
      if (streams.size > 0) this.#silenced.add(channel);
      else this.#listeners.delete(channel);
    }
  }
}

/** The text of a simple query or of a Parse; undefined for every other message. */
export function readSql(message: Message): string | undefined {
  if (message.type === "Q") return readString(message.body).text;
  if (message.type === "P") return readString(message.body, readString(message.body).next).text;
  return undefined;
}

function channelName(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
}
