import type { Caller } from "../../../shared/callers.ts";
import { GatewayError, type IdentifiedCaller } from "../keys.ts";
import type { ChannelContext } from "./context.ts";
import { JoinRefused } from "./join.ts";

/** For whom a channel is open, and until when. */
export interface Holder {
  readonly caller: Caller;
  /** Absent for whoever has a key alone. */
  readonly token?: string;
  /** Absent for a key, which does not end. */
  readonly expiresAtMs?: number;
}

/** The holder of a token; without one, that of the key which opened the socket. Throws JoinRefused. */
export async function identifyHolder(
  context: ChannelContext,
  socketCaller: IdentifiedCaller,
  token: string | undefined,
): Promise<Holder> {
  const { caller, expiresAt } = token === undefined ? socketCaller : await verify(context, token);
  const holder: Holder = {
    caller,
    ...(token === undefined ? {} : { token }),
    ...(expiresAt ? { expiresAtMs: expiresAt.getTime() } : {}),
  };
  const nowMs = context.now();
  if (isExpired(holder, nowMs)) throw new JoinRefused("InvalidJWTToken", expiryMessage(holder, nowMs));
  return holder;
}

export function isExpired({ expiresAtMs }: Holder, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs;
}

export function expiryMessage({ expiresAtMs = 0 }: Holder, nowMs: number): string {
  return `Token has expired ${Math.floor((nowMs - expiresAtMs) / 1000)} seconds ago`;
}

async function verify(context: ChannelContext, token: string): Promise<IdentifiedCaller> {
  try {
    return await context.verifyToken(token);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    if (error.code === "token_expired") throw new JoinRefused("InvalidJWTToken", "Token has expired");
    throw new JoinRefused("JwtSignatureError", "Failed to validate JWT signature");
  }
}
