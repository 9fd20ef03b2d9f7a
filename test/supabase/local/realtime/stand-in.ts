import { Hono } from "hono";
import { SignJWT } from "jose";
import type { Sql } from "postgres";
import type { LocalDatabase } from "../../../../supabase/local/database.ts";
import { type LocalKeys, loadKeys } from "../../../../supabase/local/keys.ts";
import type { RealtimeLimits } from "../../../../supabase/local/realtime/limits.ts";
import { createRealtime } from "../../../../supabase/local/realtime/server.ts";
import { openTestDatabase } from "../../../helpers/database.ts";

/** The realtime stand-in alone, on a port of its own, over a database with nothing but the stand-in schemas. */
export interface StandIn {
  readonly url: string;
  readonly keys: LocalKeys;
  readonly database: LocalDatabase;
  /** May send, and may make policies. */
  readonly owner: Sql;
  /** What the server could tell nobody. */
  readonly errors: unknown[];
  signToken(userId: string, options?: TokenOptions): Promise<string>;
  /** Ends the server with all its sockets, and starts another on the same port. */
  restart(meanwhile?: () => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

export interface TokenOptions {
  /** Negative for a token that is over. */
  expiresInSeconds?: number;
  /** Other keys make a forged token. */
  keys?: LocalKeys;
  issuer?: string;
}

const issuer = "http://stand-in.test/auth/v1";

/** The policy of the migrations, alone. */
const ownTopicPolicy = `
  create policy "users hear their own topic" on realtime.messages
    for select to authenticated
    using (
      extension = 'broadcast'
      and (select realtime.topic()) = 'user:' || (select auth.uid())::text
    )
`;

export interface StandInOptions {
  limits?: Partial<RealtimeLimits>;
  /** A fresh one with the stand-in schemas; by default that of the tests. */
  database?: LocalDatabase;
}

export async function openStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const database = options.database ?? (await openTestDatabase({ migrate: false }));
  const owner = database.connect({ max: 2 });
  await owner.unsafe(ownTopicPolicy);
  const keys = await loadKeys();
  const errors: unknown[] = [];
  const start = () => startServer({ database, keys, errors, limits: options.limits ?? {} });
  let server = await start();
  const { port } = server;

  return {
    url: `http://127.0.0.1:${port}`,
    keys,
    database,
    owner,
    errors,
    signToken: (userId, token = {}) => signToken(userId, { keys, ...token }),
    async restart(meanwhile) {
      await server.stop();
      await meanwhile?.();
      server = await startServer({ database, keys, errors, limits: options.limits ?? {}, port });
    },
    async close() {
      await server.stop();
      await owner.end();
      await database.close();
    },
  };
}

interface ServerOptions {
  database: LocalDatabase;
  keys: LocalKeys;
  errors: unknown[];
  limits: Partial<RealtimeLimits>;
  port?: number;
}

async function startServer(options: ServerOptions): Promise<{ port: number; stop(): Promise<void> }> {
  const { database, keys, errors, limits, port = 0 } = options;
  const sql = database.connect({ role: "supabase_realtime_admin", max: 4 });
  const reportError = (error: unknown) => void errors.push(error);
  const realtime = await createRealtime({ sql, keys, issuer, limits, reportError });
  const app = new Hono().route("/realtime/v1", realtime.app);
  const server = Bun.serve({
    port,
    hostname: "127.0.0.1",
    fetch: (request, server) =>
      new URL(request.url).pathname === "/realtime/v1/websocket"
        ? realtime.upgrade(request, server)
        : app.fetch(request),
    websocket: realtime.websocket,
  });
  return {
    port: server.port ?? 0,
    async stop() {
      await realtime.close();
      await server.stop(true);
      await sql.end();
    },
  };
}

function signToken(userId: string, options: TokenOptions & { keys: LocalKeys }): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return new SignJWT({ role: "authenticated", email: `${userId}@example.com` })
    .setProtectedHeader({ alg: "ES256", kid: options.keys.kid, typ: "JWT" })
    .setSubject(userId)
    .setJti(crypto.randomUUID())
    .setAudience("authenticated")
    .setIssuer(options.issuer ?? issuer)
    .setIssuedAt(Math.min(nowSeconds, nowSeconds + (options.expiresInSeconds ?? 0)))
    .setExpirationTime(nowSeconds + (options.expiresInSeconds ?? 3600))
    .sign(options.keys.signingKey);
}
