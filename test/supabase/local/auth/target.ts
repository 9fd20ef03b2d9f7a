import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { Hono } from "hono";
import type { Sql } from "postgres";
import type { AuthDeps, AuthOptions } from "../../../../supabase/local/auth/deps.ts";
import { createAuth } from "../../../../supabase/local/auth/routes.ts";
import { type LocalKeys, loadKeys } from "../../../../supabase/local/keys.ts";
import { openTestDatabase } from "../../../helpers/database.ts";

/** A project to try Auth on. */
export interface Target {
  readonly url: string;
  readonly publishableKey: string;
  readonly secretKey: string;
  /** Resolves when that much time has gone by for the server. */
  passTime(seconds: number): Promise<void>;
  close(): Promise<void>;
}

export interface StandIn extends Target {
  readonly keys: LocalKeys;
  readonly issuer: string;
  /** As supabase_auth_admin. */
  readonly sql: Sql;
  /** What went wrong on the server's side. */
  readonly errors: unknown[];
}

/**
 * The project that SUPABASE_TEST_URL names, with "Confirm email" off and passwords of six characters allowed; without
 * it the stand-in, with a clock of its own.
 */
export async function openTarget(): Promise<Target> {
  const { SUPABASE_TEST_URL: url, SUPABASE_TEST_PUBLISHABLE_KEY, SUPABASE_TEST_SECRET_KEY } = process.env;
  if (!url) return startStandIn();
  if (!SUPABASE_TEST_PUBLISHABLE_KEY || !SUPABASE_TEST_SECRET_KEY) {
    throw new Error("SUPABASE_TEST_URL needs SUPABASE_TEST_PUBLISHABLE_KEY and SUPABASE_TEST_SECRET_KEY.");
  }
  return {
    url,
    publishableKey: SUPABASE_TEST_PUBLISHABLE_KEY,
    secretKey: SUPABASE_TEST_SECRET_KEY,
    passTime: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
    close: async () => {},
  };
}

export async function startStandIn(options: Partial<AuthOptions> = {}): Promise<StandIn> {
  const database = await openTestDatabase({ migrate: false });
  const sql = database.connect({ role: "supabase_auth_admin", max: 5 });
  const keys = await loadKeys();
  const app = new Hono();
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: app.fetch });
  const url = `http://127.0.0.1:${server.port}`;
  const issuer = `${url}/auth/v1`;
  const errors: unknown[] = [];
  let aheadMs = 0;
  const now: AuthDeps["now"] = () => new Date(Date.now() + aheadMs);
  const reportError = (error: unknown) => errors.push(error);
  app.route("/auth/v1", createAuth({ sql, keys, issuer, now, reportError, ...options }));
  return {
    url,
    publishableKey: keys.publishableKey,
    secretKey: keys.secretKey,
    keys,
    issuer,
    sql,
    errors,
    async passTime(seconds) {
      aheadMs += seconds * 1000;
    },
    async close() {
      await server.stop(true);
      await sql.end({ timeout: 5 });
      await database.close();
    },
  };
}

/** A client that keeps its session in memory and refreshes only when told. */
export function connectClient(target: Target, key: string = target.publishableKey): SupabaseClient {
  return createClient(target.url, key, { auth: { persistSession: false, autoRefreshToken: false } });
}

export const password = "correct horse battery";

export function createEmail(): string {
  return `parlance-${crypto.randomUUID()}@example.com`;
}

/** A new user, signed in. */
export async function signUpSomeone(target: Target) {
  const client = connectClient(target);
  const email = createEmail();
  const { data, error } = await client.auth.signUp({ email, password });
  if (error) throw error;
  if (!data.user || !data.session) throw new Error("Signing up gave no session: is “Confirm email” off?");
  return { client, email, user: data.user, session: data.session };
}
