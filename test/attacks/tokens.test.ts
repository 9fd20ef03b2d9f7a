import { exportJWK, exportSPKI, generateKeyPair, importJWK, type JWTHeaderParameters, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRaw } from "../supabase/local/realtime/raw.ts";
import { drawJpeg, openRig, type Rig } from "./rig.ts";

let rig: Rig;
let picture: { id: string; path: string };
/** What is published for whoever checks tokens. */
let publicKey: { jwk: { kid: string; x: string } & Record<string, string>; pem: string };
let claims: Record<string, unknown>;
beforeAll(async () => {
  rig = await openRig();
  picture = await rig.addReady(rig.alice);
  const { body } = await rig.call("nobody", "GET", "/auth/v1/.well-known/jwks.json");
  const jwk = body.keys[0];
  const key = await importJWK({ ...jwk, ext: true }, "ES256", { extractable: true });
  publicKey = { jwk, pem: await exportSPKI(key as CryptoKey) };
  claims = { ...read(rig.alice.token.split(".")[1]), app_metadata: { role: "admin" } };
});
afterAll(() => rig?.close());

const read = (part = "") => JSON.parse(Buffer.from(part, "base64url").toString());
const write = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

const withSecret = (secret: string | Uint8Array, header: object = {}) =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256", ...header })
    .sign(typeof secret === "string" ? new TextEncoder().encode(secret) : secret);

async function withOwnKey(header: Partial<JWTHeaderParameters>): Promise<string> {
  const { privateKey, publicKey: own } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(own);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "ES256", jwk, ...header } as JWTHeaderParameters)
    .sign(privateKey);
}

const signatureOf = (token: string) => token.split(".")[2] ?? "";

const forgeries: [string, () => string | Promise<string>][] = [
  ["HS256 under our public key as PEM", () => withSecret(publicKey.pem, { kid: publicKey.jwk.kid })],
  [
    "HS256 under our public key as JSON",
    () => withSecret(JSON.stringify(publicKey.jwk), { kid: publicKey.jwk.kid }),
  ],
  ["HS256 under a coordinate of our public key", () => withSecret(Buffer.from(publicKey.jwk.x, "base64url"))],
  ["HS256 under the publishable key", () => withSecret(rig.publishableKey)],
  ["no algorithm", () => `${write({ alg: "none" })}.${write(claims)}.`],
  [
    "no algorithm, in other letters",
    () => `${write({ alg: "nOnE", kid: publicKey.jwk.kid })}.${write(claims)}.`,
  ],
  ["a key that the token brings along", () => withOwnKey({ kid: publicKey.jwk.kid })],
  ["a key from somewhere else", () => withOwnKey({ jku: `${rig.url}/nowhere.json`, kid: "evil" })],
  ["a key from a file", () => withOwnKey({ kid: "../../../../dev/null" })],
  ["a key from a query", () => withOwnKey({ kid: "' union select '" })],
  [
    "a signature of zeros",
    () => `${rig.alice.token.split(".").slice(0, 2).join(".")}.${Buffer.alloc(64).toString("base64url")}`,
  ],
  [
    "claims of an admin under the user's signature",
    () => `${rig.alice.token.split(".")[0]}.${write(claims)}.${signatureOf(rig.alice.token)}`,
  ],
  [
    "a header that must be understood",
    () =>
      `${write({ alg: "ES256", kid: publicKey.jwk.kid, crit: ["x"], x: 1 })}.${rig.alice.token.split(".").slice(1).join(".")}`,
  ],
  [
    "a header without an encoding",
    () =>
      `${write({ alg: "ES256", b64: false, crit: ["b64"] })}.${rig.alice.token.split(".").slice(1).join(".")}`,
  ],
  ["a link that was signed", async () => await linkTokenOf()],
  ["an upload that was signed", async () => await uploadTokenOf()],
  ["megabytes", () => `${write({ alg: "ES256" })}.${"a".repeat(12_000)}.x`],
];

async function linkTokenOf(): Promise<string> {
  const { body } = await rig.call(rig.alice, "GET", `/images/${picture.id}`);
  return new URL(body.links.original).searchParams.get("token") ?? "";
}

async function uploadTokenOf(): Promise<string> {
  const announced = { name: crypto.randomUUID(), mediaType: "image/jpeg", sizeBytes: 9 };
  return (await rig.sendJson(rig.alice, "POST", "/images", announced)).body.upload.token;
}

test.each(forgeries)("a token with %s opens nothing, at no service", async (_what, forge) => {
  const token = await forge();
  const forger = { id: rig.alice.id, token };
  const api = await rig.call(forger, "GET", "/images?scope=all");
  expect([api.status, api.body.code]).toEqual([401, "unauthenticated"]);
  expect((await rig.call(forger, "GET", "/auth/v1/user")).status).toBe(403);
  expect((await rig.call(forger, "GET", `/storage/v1/object/images/${picture.path}`)).status).toBe(400);
  const socket = await openRaw(rig.url, rig.publishableKey);
  const answer = await socket.join(
    `realtime:user:${rig.alice.id}`,
    { private: true },
    { access_token: token },
  );
  expect(answer.response.reason).toMatch(/^JwtSignatureError: /);
  socket.close();
});

describe("a good token", () => {
  test("opens no signed URL", async () => {
    for (const deed of ["sign", "upload/sign"]) {
      const url = `/storage/v1/object/${deed}/images/${picture.path}?token=${rig.alice.token}`;
      const answer = await rig.call(
        "nobody",
        deed === "sign" ? "GET" : "PUT",
        url,
        deed === "sign" ? {} : { body: "x" },
      );
      expect(answer.status).toBe(400);
    }
  });

  test.each(["sb_secret_wrong", "sb_secret_", "", "null", "undefined"])(
    "is not helped by the key %j",
    async (apikey) => {
      const answer = await rig.call(rig.alice, "GET", "/images?scope=all", { headers: { apikey } });
      expect([401, 403]).toContain(answer.status);
    },
  );

  test("and a secret key together are the user, not the service", async () => {
    const answer = await rig.call(rig.alice, "GET", "/images?scope=all", {
      headers: { apikey: rig.secretKey },
    });
    expect([answer.status, answer.body.code]).toEqual([403, "forbidden"]);
  });
});

test("a secret key is refused to whatever looks like a browser, at every service", async () => {
  const headers = { "user-agent": "Mozilla/5.0" };
  for (const path of [
    "/images",
    "/auth/v1/admin/users",
    "/storage/v1/bucket",
    "/realtime/v1/api/broadcast",
  ]) {
    const method = path.endsWith("broadcast") ? "POST" : "GET";
    expect((await rig.call("secret", method, path, { headers })).status, path).toBe(401);
  }
});

describe("accounts", () => {
  const claimsOf = (token: string) => read(token.split(".")[1]);

  test.each([
    ["their metadata", { data: { role: "admin", app_metadata: { role: "admin" }, sub: "x" } }, 200],
    ["columns", { role: "service_role", is_super_admin: true, raw_app_meta_data: { role: "admin" } }, 200],
    [
      "keys of Object",
      '{"data":{"__proto__":{"role":"admin"}},"__proto__":{"app_metadata":{"role":"admin"}}}',
      200,
    ],
    ["what is the operator's", { app_metadata: { role: "admin" } }, 403],
  ])("of users who write %s are no admins'", async (_what, change, status) => {
    const credentials = { email: `${crypto.randomUUID()}@example.com`, password: "correct horse" };
    const { body: session } = await rig.sendJson("publishable", "POST", "/auth/v1/signup", credentials);
    const user = { id: session.user.id, token: session.access_token };
    expect((await rig.sendJson(user, "PUT", "/auth/v1/user", change)).status).toBe(status);
    const refreshed = await rig.sendJson("publishable", "POST", "/auth/v1/token?grant_type=refresh_token", {
      refresh_token: session.refresh_token,
    });
    const token = refreshed.body.access_token;
    expect(claimsOf(token)).toMatchObject({
      role: "authenticated",
      app_metadata: { provider: "email" },
      sub: user.id,
    });
    expect(claimsOf(token).app_metadata.role).toBeUndefined();
    expect((await rig.call({ id: user.id, token }, "GET", "/images?scope=all")).status).toBe(403);
  });

  test("of those who sign up as somebody are nobody's but their own", async () => {
    const wanted = {
      email: `${crypto.randomUUID()}@example.com`,
      password: "correct horse",
      id: rig.alice.id,
      role: "service_role",
      app_metadata: { role: "admin" },
      data: { role: "admin" },
    };
    const { body } = await rig.sendJson("publishable", "POST", "/auth/v1/signup", wanted);
    expect(body.user.id).not.toBe(rig.alice.id);
    expect(body.user).toMatchObject({ role: "authenticated", app_metadata: { provider: "email" } });
    expect(body.user.app_metadata.role).toBeUndefined();
  });

  test("are the operator's to list and to change", async () => {
    for (const who of [rig.bob, rig.admin, "publishable", "nobody"] as const) {
      for (const [method, path] of [
        ["GET", "/auth/v1/admin/users"],
        ["GET", `/auth/v1/admin/users/${rig.alice.id}`],
        ["PUT", `/auth/v1/admin/users/${rig.bob.id}`],
        ["DELETE", `/auth/v1/admin/users/${rig.alice.id}`],
      ] as const) {
        const answer = await rig.call(who, method, path, method === "PUT" ? { body: "{}" } : {});
        expect([401, 403], `${method} ${path}`).toContain(answer.status);
      }
    }
  });

  test("that are gone add and see nothing, whatever their token says", async () => {
    const credentials = { email: `${crypto.randomUUID()}@example.com`, password: "correct horse" };
    const { body } = await rig.sendJson("publishable", "POST", "/auth/v1/signup", credentials);
    const user = { id: body.user.id, token: body.access_token };
    const { id } = await rig.addReady(user);
    expect((await rig.call("secret", "DELETE", `/auth/v1/admin/users/${user.id}`)).status).toBe(200);
    expect((await rig.upload(user, await drawJpeg())).status).toBe(401);
    expect((await rig.call(user, "GET", `/images/${id}`)).status).toBe(404);
    expect((await rig.call(user, "GET", "/images")).body.items).toEqual([]);
    expect((await rig.call(user, "GET", "/auth/v1/user")).status).toBe(403);
  });
});
