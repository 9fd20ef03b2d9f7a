import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { createAuth } from "../../../supabase/local/auth/routes.ts";
import type { LocalDatabase } from "../../../supabase/local/database.ts";
import { type LocalKeys, loadKeys } from "../../../supabase/local/keys.ts";
import { createRealtime, type Realtime } from "../../../supabase/local/realtime/server.ts";
import { type LocalServer, startServer } from "../../../supabase/local/server.ts";
import { createStorage } from "../../../supabase/local/storage/routes.ts";
import { openTestDatabase } from "../../helpers/database.ts";

/**
 * Every method of supabase-js, walked on the client itself, against the tables that say what the embedded mode does
 * with it: "supported", "501" (an error), or "client-only" (asks nothing of a server). A new version of supabase-js
 * with a method that nobody thought of fails here.
 */
const Row = z.object({
  method: z.string(),
  state: z.enum(["supported", "501", "client-only"]),
  note: z.string().optional(),
});
const files = ["auth", "client", "realtime", "storage"];
const tables = await Promise.all(files.map(readTable));
const rows = tables.flat();

async function readTable(name: string) {
  const file = new URL(`../../fixtures/supabase-js-${name}.json`, import.meta.url);
  return z.array(Row).parse(JSON.parse(await readFile(file, "utf8")));
}

/** The objects of the client that have methods, by the path that the tables name them with. */
function openParts(client: SupabaseClient): Record<string, object> {
  const { auth, storage, functions, realtime } = client;
  const vectors = storage.vectors.from("x");
  return {
    client,
    rest: readObject(client, "rest"),
    from: client.from("x"),
    functions,
    realtime,
    channel: client.channel("x"),
    auth,
    "auth.admin": auth.admin,
    "auth.admin.customProviders": auth.admin.customProviders,
    "auth.admin.mfa": auth.admin.mfa,
    "auth.admin.oauth": auth.admin.oauth,
    "auth.admin.passkey": auth.admin.passkey,
    "auth.mfa": auth.mfa,
    "auth.mfa.recoveryCodes": auth.mfa.recoveryCodes,
    "auth.mfa.webauthn": auth.mfa.webauthn,
    "auth.oauth": auth.oauth,
    "auth.passkey": auth.passkey,
    storage,
    "storage.from": storage.from("x"),
    "storage.from.download": storage.from("x").download("x"),
    "storage.vectors": storage.vectors,
    "storage.vectors.from": vectors,
    "storage.vectors.from.index": vectors.index("x"),
    "storage.analytics": storage.analytics,
    "storage.analytics.from": storage.analytics.from("x"),
  };
}

/** What a part was made of, or keeps for itself: objects and functions that are not there for its callers. */
const inner = new Set([
  "client.realtimeUrl",
  "client.authUrl",
  "client.storageUrl",
  "client.functionsUrl",
  "client.functionsFetch",
  "rest.baseFetch",
  "rest.decorateFetch",
  "rest.wrapFetch",
  "from.url",
  "from.cloneRequestState",
  "realtime.accessToken",
  "realtime.decode",
  "realtime.encode",
  "realtime.heartbeatCallback",
  "realtime.reconnectAfterMs",
  "realtime.reconnectTimer",
  "realtime.serializer",
  "realtime.socketAdapter",
  "realtime.transport",
  "channel.socket",
  "channel.channelAdapter",
  "channel.joinPush",
  "channel.presence",
  "channel.rejoinTimer",
  "auth.logger",
  "auth.lock",
  "auth.stateChangeEmitters",
  "auth.storage",
  "auth.mfa.webauthn.client",
  "storage.bucketLifecycleUrl",
  "storage.listBucketOptionsToQueryString",
  "storage.from.uploadOrUpdate",
  "storage.from.prepareUploadFormData",
  "storage.from.encodeMetadata",
  "storage.from.applyTransformOptsToQuery",
  "storage.from.download.getPromise",
  "storage.from.download.execute",
  "storage.from.download.downloadFn",
  "storage.analytics.from.client",
  "storage.analytics.from.namespaceOps",
  "storage.analytics.from.tableOps",
]);

/** Of every class of storage, of every promise, and what every client was given to ask with. */
const innerEverywhere = new Set([
  "constructor",
  "handleOperation",
  "then",
  "catch",
  "finally",
  "fetch",
  "headers",
]);

/** The properties of a part by their path, its own and those of its class. */
function listProperties(path: string, part: object): [path: string, value: unknown][] {
  const names = new Set<string>();
  for (let each = part; each !== null && each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    for (const name of Object.getOwnPropertyNames(each)) names.add(name);
  }
  return [...names]
    .filter((name) => !name.startsWith("_") && !innerEverywhere.has(name))
    .map((name): [string, unknown] => [`${path}.${name}`, Reflect.get(part, name)])
    .filter(([name]) => !inner.has(name));
}

function isGroup([path, value]: [path: string, value: unknown]): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return listProperties(path, value).some(([, inside]) => typeof inside === "function");
}

function readObject(holder: object, name: string): object {
  const value: unknown = Reflect.get(holder, name);
  if (typeof value !== "object" || value === null) throw new Error(`The client has no ${name}.`);
  return value;
}

function connect(url: string, key: string): SupabaseClient {
  return createClient(url, key, {
    realtime: { logger: () => {} },
    auth: {
      persistSession: false,
      autoRefreshToken: false,
      experimental: { passkey: true, recoveryCodes: true },
    },
  });
}

describe("the tables of methods", () => {
  const parts = Object.entries(openParts(connect("http://127.0.0.1:1", "sb_publishable_x")));

  const paths = new Set(parts.map(([path]) => path));
  const properties = parts.flatMap(([path, part]) => listProperties(path, part));

  test("name every method that the client has, and none that it has not", () => {
    // storage.vectors and storage.analytics are getters that the table names as well.
    const methods = properties.filter(([path, value]) => typeof value === "function" || paths.has(path));
    const found = new Set(methods.map(([path]) => path));
    const named = rows.map(({ method }) => method);
    const groups = [...paths].filter((path) => path.includes(".") && !named.includes(path));
    expect([...found].filter((path) => !groups.includes(path)).sort()).toEqual(named.sort());
  });

  test("leave out no part of the client that has methods", () => {
    const groups = properties.filter(isGroup).map(([path]) => path.replace(/^client\./, ""));
    expect(groups.filter((path) => !paths.has(path))).toEqual([]);
  });

  test("name no method twice", () => {
    const named = rows.map(({ method }) => method);
    expect(named.filter((method, index) => named.indexOf(method) !== index)).toEqual([]);
  });
});

describe("what the tables call 501", () => {
  let keys: LocalKeys;
  let database: LocalDatabase;
  let realtime: Realtime;
  let server: LocalServer;
  let folder: string;
  let client: SupabaseClient;
  const sqls: Sql[] = [];

  beforeAll(async () => {
    keys = await loadKeys();
    database = await openTestDatabase({ migrate: false });
    folder = await mkdtemp(join(tmpdir(), "parlance-methods-"));
    const issuer = "http://stand-in.test/auth/v1";
    const sqlOf = (service: string) => {
      const sql = database.connect({ role: `supabase_${service}_admin`, max: 2 });
      sqls.push(sql);
      return sql;
    };
    realtime = await createRealtime({ sql: sqlOf("realtime"), keys, issuer });
    const services = {
      auth: createAuth({ sql: sqlOf("auth"), keys, issuer }).fetch,
      storage: createStorage({ sql: sqlOf("storage"), keys, issuer, folder }).fetch,
      realtime,
      functions: () => Response.json({ ran: true }),
    };
    server = startServer({
      port: 0,
      host: "127.0.0.1",
      services: Promise.resolve(services),
      reportError: (error) => console.error(error),
    });
    client = connect(`http://127.0.0.1:${server.port}`, keys.secretKey);
  });
  afterAll(async () => {
    await client.removeAllChannels();
    await realtime.close();
    await server.stop();
    await Promise.all(sqls.map((sql) => sql.end()));
    await database.close();
    await rm(folder, { recursive: true, force: true });
  });

  const is501 = (answer: { error: unknown; status?: number }) => {
    expect(answer.error).toBeTruthy();
    expect(answer.status ?? Object(answer.error).status).toBe(501);
  };
  const id = crypto.randomUUID();

  /** Every such method of the client itself and of rest, and some of auth and storage, which try theirs elsewhere. */
  const calls: Record<string, () => PromiseLike<{ error: unknown; status?: number }>> = {
    "client.from": () => client.from("x").select(),
    "client.rpc": () => client.rpc("x"),
    "client.schema": () => client.schema("x").from("x").select(),
    "client.getOpenApiSpec": () => client.getOpenApiSpec(),
    "from.select": () => client.from("x").select().eq("id", 1).single(),
    "from.insert": () => client.from("x").insert({ id: 1 }),
    "from.upsert": () => client.from("x").upsert({ id: 1 }),
    "from.update": () => client.from("x").update({ id: 1 }).eq("id", 1),
    "from.delete": () => client.from("x").delete().eq("id", 1),
    "auth.signInWithOtp": () => client.auth.signInWithOtp({ email: "ada@example.com" }),
    "auth.signInAnonymously": () => client.auth.signInAnonymously(),
    "auth.admin.generateLink": () =>
      client.auth.admin.generateLink({ type: "magiclink", email: "ada@example.com" }),
    "auth.admin.mfa.listFactors": () => client.auth.admin.mfa.listFactors({ userId: id }),
    "storage.vectors.listBuckets": () => client.storage.vectors.listBuckets(),
    "storage.analytics.listBuckets": () => client.storage.analytics.listBuckets(),
    "storage.from.purgeCache": () => client.storage.from("x").purgeCache("x"),
  };

  test.each(Object.entries(calls))("%s is told so", async (method, call) => {
    expect(rows.find((row) => row.method === method)?.state).toBe("501");
    is501(await call());
  });

  test("covers every method of the client, of rest and of channels that is not there", () => {
    const tried = new Set([...Object.keys(calls), "channel.track", "channel.untrack"]);
    const missing = rows.filter(
      ({ state, method }) => state === "501" && /^(client|from|channel)\./.test(method),
    );
    expect(missing.filter(({ method }) => !tried.has(method))).toEqual([]);
  });

  test("rest is what the client's own from, rpc and schema use", () => {
    expect(readObject(client, "rest").constructor.name).toBe("PostgrestClient");
  });

  test("channel.track and channel.untrack are answered with an error", async () => {
    const channel = client.channel("present");
    const status = await new Promise((resolve) => void channel.subscribe(resolve));
    expect([status, await channel.track({ online: true }), await channel.untrack()]).toEqual([
      "SUBSCRIBED",
      "error",
      "error",
    ]);
  });

  test("a channel that asks for presence or postgres_changes is refused", async () => {
    const presence = client.channel("a").on("presence", { event: "sync" }, () => {});
    const changes = client.channel("b").on("postgres_changes", { event: "*", schema: "public" }, () => {});
    for (const channel of [presence, changes]) {
      const told = await new Promise<string>((resolve) => {
        channel.subscribe((status, error) => resolve(`${status} ${error?.message}`));
      });
      expect(told).toMatch(/^CHANNEL_ERROR .* is not supported by the embedded mode$/);
    }
  });

  test("functions.invoke reaches the functions", async () => {
    expect(await client.functions.invoke("api/x")).toMatchObject({ data: { ran: true }, error: null });
  });
});
