/**
 * What an attacker has in hand: the whole stack as `bun run start` starts it, two users, an admin, the publishable
 * key, and sockets that say what no client would. Over Postgres where TEST_DATABASE_URL names a server.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@supabase/supabase-js";
import type { Sql } from "postgres";
import sharp from "sharp";
import type { Environment } from "../../shared/config.ts";
import { pgliteTemplate } from "../helpers/template.ts";
import { createDatabase, openStack } from "../http/targets.ts";

export interface User {
  readonly id: string;
  readonly token: string;
}

export type Who = User | "secret" | "publishable" | "nobody";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes; each test states what it expects of one.
  readonly body: any;
}

export interface Rig {
  readonly url: string;
  readonly publishableKey: string;
  readonly secretKey: string;
  readonly alice: User;
  readonly bob: User;
  readonly admin: User;
  /** As the owner of the tables. */
  readonly sql: Sql;
  /** The data folder. */
  readonly dataDir: string;
  readonly logPath: string;
  /** `path` is that of the API, or begins with a slash and the name of another service: `/storage/v1/…`. */
  call(who: Who, method: string, path: string, init?: RequestInit): Promise<Answer>;
  sendJson(who: Who, method: string, path: string, body: unknown): Promise<Answer>;
  sendForm(
    who: Who,
    parts: string | Uint8Array<ArrayBuffer>,
    boundary?: string,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  upload(who: Who, file: Uint8Array): Promise<Answer>;
  /** The job as it ended; 30 s at most. */
  follow(who: Who, jobId: string): Promise<{ state: string; error: { code: string } | null }>;
  /** A picture that is ready, and where its original lies. */
  addReady(who: User): Promise<{ id: string; path: string }>;
  /** Sends bytes as they are and answers with all that came until the server hung up; 10 s at most. */
  sendRaw(bytes: string | Uint8Array): Promise<string>;
  close(): Promise<void>;
}

let drawn = 0;

/** No two are the same file. */
export function drawJpeg(): Promise<Buffer> {
  drawn += 1;
  const background = { r: drawn % 256, g: 90, b: 160 };
  return sharp({ create: { width: 64, height: 48, channels: 3, background } })
    .jpeg()
    .toBuffer();
}

export async function openRig(settings: Environment = {}): Promise<Rig> {
  const serverUrl = process.env.TEST_DATABASE_URL;
  const database = serverUrl ? await createDatabase(serverUrl) : undefined;
  const prepared = serverUrl || settings.DATA_DIR ? undefined : await prepareDataDir();
  const wanted = prepared ? { ...settings, DATA_DIR: prepared } : settings;
  const { stack, folder, close } = await openStack(database?.url, wanted);
  const url = stack.publicUrl;
  const { publishableKey, secretKey } = stack.keys;
  const sql = stack.database.connect({ max: 2 });
  const call = createCall(url, { publishableKey, secretKey });

  const sendJson: Rig["sendJson"] = (who, method, path, body) =>
    call(who, method, path, {
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });

  const upload: Rig["upload"] = (who, file) => {
    const form = new FormData();
    form.set("file", new File([new Uint8Array(file)], `${crypto.randomUUID()}.jpg`));
    return call(who, "POST", "/images", { body: form });
  };

  const follow: Rig["follow"] = async (who, jobId) => {
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
      const { body } = await call(who, "GET", `/jobs/${jobId}`);
      if (["done", "failed", "cancelled"].includes(body.state)) return body;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`job ${jobId} did not end`);
  };

  async function signUp(name: string, appMetadata: object = {}): Promise<User> {
    const options = { auth: { persistSession: false, autoRefreshToken: false } };
    const credentials = { email: `${name}@example.com`, password: `correct horse ${name}` };
    const made = await createClient(url, secretKey, options).auth.admin.createUser({
      ...credentials,
      email_confirm: true,
      app_metadata: appMetadata,
    });
    if (made.error) throw made.error;
    const { data, error } = await createClient(url, publishableKey, options).auth.signInWithPassword(
      credentials,
    );
    if (error) throw error;
    return { id: data.user.id, token: data.session.access_token };
  }

  const [alice, bob, admin] = [
    await signUp("alice"),
    await signUp("bob"),
    await signUp("admin", { role: "admin" }),
  ];
  return {
    url,
    publishableKey,
    secretKey,
    alice,
    bob,
    admin,
    sql,
    dataDir: wanted.DATA_DIR ?? folder,
    logPath: join(folder, "parlance.log"),
    call,
    sendJson,
    sendForm: (who, parts, boundary = "x", headers = {}) =>
      call(who, "POST", "/images", {
        body: parts,
        headers: { "content-type": `multipart/form-data; boundary=${boundary}`, ...headers },
      }),
    upload,
    follow,
    async addReady(who) {
      const { body } = await upload(who, await drawJpeg());
      const job = await follow(who, body.job.id);
      if (job.state !== "done") throw new Error(`the picture ended ${JSON.stringify(job)}`);
      return { id: body.image.id, path: `${who.id}/${body.image.id}/original` };
    },
    sendRaw: (bytes) => sendRaw(url, bytes),
    async close() {
      await sql.end({ timeout: 1 });
      await close();
      await database?.drop();
      if (prepared) await rm(prepared, { recursive: true, force: true });
    },
  };
}

/** A data folder with a finished database: what a first start does takes seconds, and others show it. */
async function prepareDataDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parlance-attack-"));
  await mkdir(join(folder, "database"));
  const template = await pgliteTemplate({ migrate: true });
  const tar = Bun.spawn(["tar", "-x", "-C", join(folder, "database")], { stdin: template, stderr: "ignore" });
  if ((await tar.exited) !== 0) throw new Error("the template could not be unpacked");
  return folder;
}

function createCall(url: string, keys: { publishableKey: string; secretKey: string }): Rig["call"] {
  const credentialsOf = (who: Who): Record<string, string> => {
    if (who === "nobody") return {};
    if (who === "secret") return { apikey: keys.secretKey };
    if (who === "publishable") return { apikey: keys.publishableKey };
    return { apikey: keys.publishableKey, authorization: `Bearer ${who.token}` };
  };
  return async (who, method, path, init = {}) => {
    const isOther = /^\/(auth|storage|realtime|functions)\/v1\//.test(path);
    const response = await fetch(`${url}${isOther ? "" : "/functions/v1/api"}${path}`, {
      ...init,
      method,
      headers: { ...credentialsOf(who), ...(init.headers as Record<string, string>) },
      signal: AbortSignal.timeout(15_000),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    const body = isJson && text !== "" ? JSON.parse(text) : undefined;
    return { status: response.status, headers: response.headers, text, body };
  };
}

function sendRaw(url: string, bytes: string | Uint8Array): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let received = "";
  const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(bytes));
  socket.setTimeout(10_000, () => socket.destroy(new Error("the server did not hang up")));
  socket.on("data", (chunk) => {
    received += chunk.toString();
  });
  socket.on("error", reject);
  socket.on("close", () => resolve(received));
  return promise;
}

/** The parts of a form, each with its boundary before it. */
export function writeForm(
  fields: readonly (readonly [name: string, value: string])[],
  boundary = "x",
): string {
  const parts = fields.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return `${parts.join("")}--${boundary}--\r\n`;
}
