import type { Sql } from "postgres";
import type { IdentifiedCaller } from "../keys.ts";
import type { Hub } from "./hub.ts";
import type { RealtimeLimits } from "./limits.ts";
import type { ServerFrame, Version } from "./protocol.ts";

/** What a channel needs of the server that it lives in. */
export interface ChannelContext {
  readonly sql: Sql;
  readonly hub: Hub;
  readonly limits: RealtimeLimits;
  readonly now: () => number;
  readonly verifyToken: (token: string) => Promise<IdentifiedCaller>;
  readonly reportError: (error: unknown) => void;
}

/** What a channel needs of the socket that it was opened on. */
export interface ChannelSocket {
  readonly version: Version;
  /** The caller of the key that the socket was opened with. */
  readonly identified: IdentifiedCaller;
  send(frame: ServerFrame): void;
  sendEncoded(data: string | Uint8Array): void;
  /** The channel has ended. */
  forget(channel: { readonly fullTopic: string }): void;
}
