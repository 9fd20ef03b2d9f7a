import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { type JWTPayload, SignJWT } from "jose";
import type { Sql } from "postgres";
import { type App, createApp } from "../../edge/app.ts";
import { type EdgeConfig, readEdgeConfig } from "../../edge/config.ts";
import { createDeps } from "../../edge/create-deps.ts";
import type { Deps } from "../../edge/deps.ts";
import type { ObjectStore } from "../../edge/storage/objects.ts";
import type { Environment } from "../../shared/config.ts";
import { importBytesMax } from "../../shared/interactions/imports.ts";
import { createLog } from "../../shared/log.ts";
import type { LocalDatabase } from "../../supabase/local/database.ts";
import { type LocalKeys, loadKeys } from "../../supabase/local/keys.ts";
import { createStorage } from "../../supabase/local/storage/routes.ts";
import { openTestDatabase } from "./database.ts";

export interface TestUser {
  readonly id: string;
  readonly token: string;
}

export interface TestApp {
  readonly app: App;
  readonly deps: Deps;
  readonly config: EdgeConfig;
  readonly database: LocalDatabase;
  /** As the owner of the tables. */
  readonly sql: Sql;
  readonly keys: LocalKeys;
  readonly alice: TestUser;
  readonly bob: TestUser;
  readonly admin: TestUser;
  /** The lines of the log so far. */
  readonly logLines: Record<string, unknown>[];
  /** A token of a new user, with claims that replace the usual ones. */
  signToken(claims?: JWTPayload): Promise<string>;
  /** Calls the app; `path` without `/api`. */
  call(who: Who, method: string, path: string, init?: RequestInit): Promise<TestAnswer>;
  /** The same app over the same database with other settings, and other things in place of the usual ones. */
  withSettings(environment: Environment, replaced?: Partial<Deps>): TestApp;
  close(): Promise<void>;
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes; each test states what it expects of one.
  readonly body: any;
}

/** Who asks: a user, a token, a key, or nobody. */
export type Who = TestUser | "secret" | "publishable" | "nobody";

export interface TestAppOptions {
  /** Settings that replace the usual ones. */
  environment?: Environment;
  /** Instead of the real client of Storage against its stand-in. */
  objects?: (config: EdgeConfig) => ObjectStore;
}

/** The whole app on a database of its own, and three users that exist in `auth.users`. */
export async function openTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const database = await openTestDatabase();
  const sql = database.connect({ max: 4 });
  const keys = await loadKeys();
  const storage = await serveStorage(database, keys);
  const supabaseUrl = storage.url;
  const issuer = issuerOf(supabaseUrl);
  const [alice, bob, admin] = await Promise.all([
    addUser(sql, keys, { iss: issuer, email: "alice@example.com" }),
    addUser(sql, keys, { iss: issuer, email: "bob@example.com" }),
    addUser(sql, keys, { iss: issuer, email: "admin@example.com", app_metadata: { role: "admin" } }),
  ]);
  const close = async () => {
    await storage.close();
    await sql.end();
    await database.close();
  };
  const build = (environment: Environment, replaced: Partial<Deps> = {}): TestApp => {
    const config = readEdgeConfig({
      SUPABASE_URL: supabaseUrl,
      SUPABASE_DB_URL: "postgres://unused@127.0.0.1:1/unused",
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
      SUPABASE_JWKS: JSON.stringify(keys.jwks),
      ...environment,
    });
    const logLines: Record<string, unknown>[] = [];
    const log = createLog((line) => logLines.push(JSON.parse(line)), config.logLevel);
    const deps: Deps = {
      ...createDeps(config, { sql, log }),
      ...(options.objects ? { objects: options.objects(config) } : {}),
      ...replaced,
    };
    const app = createApp(deps);
    return {
      app,
      deps,
      config,
      database,
      sql,
      keys,
      alice,
      bob,
      admin,
      logLines,
      signToken: (claims) => signToken(keys, { iss: issuer, ...claims }),
      call: (who, method, path, init) => callApp(app, credentialsOf(keys, who), method, path, init),
      withSettings: (more, others) => build({ ...environment, ...more }, others),
      close,
    };
  };
  return build(options.environment ?? {});
}

function issuerOf(url: string): string {
  return `${url}/auth/v1`;
}

/** Storage on a port of its own, over the same database, its bytes in a folder that goes with it. */
async function serveStorage(
  database: LocalDatabase,
  keys: LocalKeys,
): Promise<{ url: string; close(): Promise<void> }> {
  const sql = database.connect({ role: "supabase_storage_admin", max: 4 });
  const folder = await mkdtemp(join(tmpdir(), "parlance-objects-"));
  let answer: (request: Request) => Response | Promise<Response> = () => new Response(null, { status: 503 });
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    maxRequestBodySize: 2 * importBytesMax,
    fetch: (request) => answer(request),
  });
  const url = `http://127.0.0.1:${server.port}`;
  const storage = createStorage({
    sql,
    keys,
    issuer: issuerOf(url),
    folder,
    fileSizeLimitBytes: importBytesMax,
  });
  answer = new Hono().route("/storage/v1", storage).fetch;
  const close = async () => {
    await server.stop(true);
    await sql.end();
    await rm(folder, { recursive: true, force: true });
  };
  return { url, close };
}

async function addUser(sql: Sql, keys: LocalKeys, claims: JWTPayload & { email: string }): Promise<TestUser> {
  const id = crypto.randomUUID();
  await sql`insert into auth.users (id, email) values (${id}, ${claims.email})`;
  return { id, token: await signToken(keys, { ...claims, sub: id }) };
}

/** As Supabase Auth signs it: ES256 with a key id; claims given here replace its own. */
function signToken(keys: LocalKeys, claims: JWTPayload): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const usual = {
    aud: "authenticated",
    role: "authenticated",
    sub: crypto.randomUUID(),
    iat: now,
    exp: now + 3600,
  };
  return new SignJWT({ ...usual, ...claims })
    .setProtectedHeader({ alg: "ES256", kid: keys.kid, typ: "JWT" })
    .sign(keys.signingKey);
}

export function credentialsOf(keys: LocalKeys, who: Who): Record<string, string> {
  if (who === "nobody") return {};
  if (who === "secret") return { apikey: keys.secretKey };
  if (who === "publishable") return { apikey: keys.publishableKey };
  return { apikey: keys.publishableKey, authorization: `Bearer ${who.token}` };
}

async function callApp(
  app: App,
  credentials: Record<string, string>,
  method: string,
  path: string,
  init: RequestInit = {},
): Promise<TestAnswer> {
  const headers = new Headers(init.headers);
  for (const [name, value] of Object.entries(credentials)) if (!headers.has(name)) headers.set(name, value);
  const response = await app.request(`/api${path}`, { ...init, method, headers });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "") && text !== "";
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : text };
}
