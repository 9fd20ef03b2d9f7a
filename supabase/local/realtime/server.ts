import type { Server, WebSocketHandler } from "bun";
import type { Hono } from "hono";
import type { Sql } from "postgres";
import { GatewayError, identifyCaller, type LocalKeys, verifyUserToken } from "../keys.ts";
import { toBroadcast } from "./broadcast.ts";
import { startFeed } from "./feed.ts";
import { Hub } from "./hub.ts";
import { defaultLimits, type RealtimeLimits } from "./limits.ts";
import { parseVersion } from "./protocol.ts";
import { startPruning } from "./retention.ts";
import { createRoutes, type RoutesContext } from "./routes.ts";
import { RealtimeSocket } from "./socket.ts";
import type { StoredMessage } from "./store.ts";

/**
 * The stand-in for Supabase Realtime: broadcast on public and private channels, from clients, by REST and from the
 * database; no presence, no postgres_changes, and every request for them is refused.
 */
export interface Realtime {
  /** To be mounted at `/realtime/v1`; answers 501 for what it has not. */
  readonly app: Hono;
  /** `GET /realtime/v1/websocket`: undefined when the socket has been taken over, else the refusal. */
  upgrade(request: Request, server: Server<RealtimeSocket>): Promise<Response | undefined>;
  /** For Bun.serve. */
  readonly websocket: WebSocketHandler<RealtimeSocket>;
  close(): Promise<void>;
}

export interface RealtimeOptions {
  /** Logged in as supabase_realtime_admin; stays the caller's to end. */
  readonly sql: Sql;
  readonly keys: LocalKeys;
  /** `<publicUrl>/auth/v1` */
  readonly issuer: string;
  readonly limits?: Partial<RealtimeLimits>;
  readonly now?: () => number;
  /** Told what went wrong and cannot be answered to anyone. Default: standard error. */
  readonly reportError?: (error: unknown) => void;
}

/** Resolves when the database is listened to. */
export async function createRealtime(options: RealtimeOptions): Promise<Realtime> {
  const context = createContext(options);
  const { limits, reportError } = context;
  const sockets = new Set<RealtimeSocket>();
  const feed = await startFeed(context.sql, { deliver: (message) => publish(context, message), reportError });
  const pruning = startPruning(context.sql, reportError);

  async function upgrade(request: Request, server: Server<RealtimeSocket>): Promise<Response | undefined> {
    const query = new URL(request.url).searchParams;
    const version = parseVersion(query.get("vsn"));
    if (!version) return refuse(400, "The protocol is 1.0.0 or 2.0.0.");
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
      return refuse(426, "Open a websocket here.");
    if (sockets.size >= limits.socketsMax) return refuse(429, "Too many connected users");
    try {
      const apikey = query.get("apikey") ?? undefined;
      const userAgent = request.headers.get("user-agent") ?? undefined;
      const identified = await identifyCaller(options.keys, options.issuer, { apikey, userAgent });
      const data = new RealtimeSocket(context, version, identified);
      return server.upgrade(request, { data })
        ? undefined
        : refuse(400, "The websocket could not be opened.");
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return refuse(error.status, error.message);
    }
  }

  return {
    app: createRoutes(context),
    upgrade,
    websocket: {
      maxPayloadLength: limits.frameBytesMax,
      // A last resort: the socket closes itself, with a reason, at half of it.
      backpressureLimit: 2 * limits.sendBufferBytesMax + limits.frameBytesMax,
      closeOnBackpressureLimit: true,
      idleTimeout: 0,
      sendPings: false,
      perMessageDeflate: false,
      open(transport) {
        sockets.add(transport.data);
        transport.data.opened(transport);
      },
      message: (transport, data) => transport.data.received(data),
      close(transport) {
        sockets.delete(transport.data);
        transport.data.closed();
      },
    },
    async close() {
      for (const socket of sockets) socket.close(1001, "The server is stopping");
      await Promise.all([pruning.stop(), feed.close()]);
    },
  };
}

function createContext(options: RealtimeOptions): RoutesContext {
  const { sql, keys, issuer } = options;
  return {
    sql,
    hub: new Hub(),
    limits: { ...defaultLimits, ...options.limits },
    now: options.now ?? Date.now,
    reportError: options.reportError ?? ((error) => console.error("realtime:", error)),
    verifyToken: (token) => verifyUserToken(keys, issuer, token),
    identify: (headers) =>
      identifyCaller(keys, issuer, {
        apikey: headers.get("apikey") ?? undefined,
        authorization: headers.get("authorization") ?? undefined,
        userAgent: headers.get("user-agent") ?? undefined,
      }),
  };
}

/** To whoever listens when the row is read; the row itself stays for replay. */
function publish({ hub, limits, reportError }: RoutesContext, message: StoredMessage): void {
  const broadcast = toBroadcast(message);
  if (broadcast.payload.length > limits.payloadBytesMax) {
    reportError(new Error(`A message of ${broadcast.payload.length} bytes was not delivered.`));
    return;
  }
  hub.publish(message.topic, message.isPrivate, broadcast);
}

function refuse(status: number, message: string): Response {
  return Response.json({ message }, { status });
}
