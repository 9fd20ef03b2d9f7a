import { z } from "zod";

/** Why a channel was not opened. The client gets `<code>: <message>`, the form of the real server. */
export class JoinRefused extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "JoinRefused";
    this.code = code;
  }

  get reason(): string {
    return `${this.code}: ${this.message}`;
  }
}

const replayLimitDefault = 10;
const replayLimitMax = 25;
/** The end of what a timestamp of JavaScript can say. */
const millisecondsMax = 8_640_000_000_000_000;

const JoinConfig = z.object({
  broadcast: z
    .object({
      ack: z.boolean().nullish(),
      self: z.boolean().nullish(),
      replay: z.unknown().optional(),
      replication_ready: z.boolean().nullish(),
    })
    .nullish(),
  presence: z.object({ enabled: z.boolean().nullish() }).nullish(),
  postgres_changes: z.array(z.unknown()).nullish(),
  private: z.boolean().nullish(),
});
const JoinPayload = z.object({
  config: JoinConfig.nullish(),
  access_token: z.string().nullish(),
});
const Replay = z.object({
  since: z.int().min(0).max(millisecondsMax).default(0),
  limit: z.int().default(replayLimitDefault),
});

export interface Join {
  /** Without `realtime:`. */
  readonly topic: string;
  readonly isPrivate: boolean;
  readonly wantsAck: boolean;
  readonly wantsOwn: boolean;
  /** Asks for a word when the database is listened to. */
  readonly wantsReadiness: boolean;
  readonly replay?: { readonly sinceMs: number; readonly limit: number };
  /** A token of a user; keys (`sb_…`) are left out, the socket has one already. */
  readonly token?: string;
}

/** Throws JoinRefused for what the embedded mode does not do: no success that is none. */
export function parseJoin(fullTopic: string, payload: unknown): Join {
  const topic = fullTopic.slice("realtime:".length);
  if (topic === "") throw new JoinRefused("TopicNameRequired", "You must provide a topic name");
  if (topic.includes("\0")) throw new JoinRefused("InvalidTopic", "A topic cannot hold a zero byte");
  const found = JoinPayload.safeParse(payload ?? {});
  if (!found.success) throw new JoinRefused("InvalidJoinPayload", z.prettifyError(found.error));
  const { config, access_token: token } = found.data;
  if (config?.presence?.enabled) {
    throw new JoinRefused("PresenceNotSupported", "Presence is not supported by the embedded mode");
  }
  if (config?.postgres_changes?.length) {
    throw new JoinRefused(
      "PostgresChangesNotSupported",
      "postgres_changes is not supported by the embedded mode",
    );
  }
  const isPrivate = config?.private ?? false;
  const replay = parseReplay(config?.broadcast?.replay, isPrivate);
  const userToken = parseToken(token);
  return {
    topic,
    isPrivate,
    wantsAck: config?.broadcast?.ack ?? false,
    wantsOwn: config?.broadcast?.self ?? false,
    wantsReadiness: config?.broadcast?.replication_ready ?? false,
    ...(replay ? { replay } : {}),
    ...(userToken ? { token: userToken } : {}),
  };
}

/** Clients send their key where they have no token. */
export function parseToken(token: unknown): string | undefined {
  return typeof token === "string" && token !== "" && !token.startsWith("sb_") ? token : undefined;
}

function parseReplay(value: unknown, isPrivate: boolean): Join["replay"] {
  if (value === undefined || value === null) return undefined;
  if (!isPrivate)
    throw new JoinRefused("UnableToReplayMessages", "Replay is not allowed for public channels");
  const found = Replay.safeParse(value);
  if (!found.success) throw new JoinRefused("UnableToReplayMessages", "Replay params are not valid");
  const { since, limit } = found.data;
  return { sinceMs: since, limit: Math.max(1, Math.min(limit, replayLimitMax)) };
}
