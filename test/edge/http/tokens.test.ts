import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTokenVerifier } from "../../../edge/http/tokens.ts";
import { AppError } from "../../../shared/errors.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";

const issuer = "http://issuer.test/auth/v1";
const sub = "0190c0de-0000-4000-8000-000000000001";

interface Signer {
  alg: string;
  key: CryptoKey | Uint8Array;
  kid: string;
  jwk: JWK;
}

let elliptic: Signer;
let rsa: Signer;
let stranger: Signer;
beforeAll(async () => {
  [elliptic, rsa, stranger] = await Promise.all([
    makeSigner("ES256", "elliptic"),
    makeSigner("RS256", "rsa"),
    makeSigner("ES256", "elliptic"),
  ]);
});

async function makeSigner(alg: string, kid: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, key: privateKey, kid, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

const seconds = () => Math.floor(Date.now() / 1000);

function sign(signer: Pick<Signer, "alg" | "key" | "kid">, claims: JWTPayload = {}): Promise<string> {
  const usual = { iss: issuer, aud: "authenticated", role: "authenticated", sub, exp: seconds() + 60 };
  return new SignJWT({ ...usual, ...claims })
    .setProtectedHeader({ alg: signer.alg, kid: signer.kid })
    .sign(signer.key);
}

/** The caller, or the code of the refusal. */
async function verify(token: string): Promise<unknown> {
  const verifyToken = createTokenVerifier({
    jwks: { keys: [elliptic.jwk, rsa.jwk] as { kty: string }[] },
    jwtIssuer: issuer,
    supabaseUrl: "http://127.0.0.1:1",
  });
  return settle(verifyToken(token));
}

async function settle(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error) => (error instanceof AppError ? error.code : error));
}

test("a user's token by ES256 or RS256 gives role and claims", async () => {
  for (const signer of [elliptic, rsa]) {
    const caller = await verify(await sign(signer, { app_metadata: { role: "admin" } }));
    expect(caller).toMatchObject({
      role: "authenticated",
      claims: { sub, role: "authenticated", app_metadata: { role: "admin" } },
    });
  }
});

test("an expired token says so, a token of tomorrow is refused", async () => {
  expect(await verify(await sign(elliptic, { exp: seconds() - 60 }))).toBe("token_expired");
  expect(await verify(await sign(elliptic, { nbf: seconds() + 600 }))).toBe("unauthenticated");
});

test("clocks may differ by a few seconds", async () => {
  expect(await verify(await sign(elliptic, { exp: seconds() - 1 }))).toMatchObject({ role: "authenticated" });
});

test.each<[string, JWTPayload]>([
  ["another issuer", { iss: "http://other.test/auth/v1" }],
  ["an issuer with a slash more", { iss: `${issuer}/` }],
  ["another audience", { aud: "anon" }],
  ["the role of the secret key", { role: "service_role" }],
  ["the role of nobody", { role: "anon" }],
  ["a role of the database", { role: "postgres" }],
  ["a subject that is no id", { sub: "alice" }],
])("a token with %s is refused", async (_, claims) => {
  expect(await verify(await sign(elliptic, claims))).toBe("unauthenticated");
});

test.each(["iss", "aud", "role", "sub", "exp"])("a token without %s is refused", async (claim) => {
  expect(await verify(await sign(elliptic, { [claim]: undefined }))).toBe("unauthenticated");
});

test("a token of somebody else's key with our key id is refused", async () => {
  expect(await verify(await sign(stranger))).toBe("unauthenticated");
});

test("a token with another key id is refused", async () => {
  expect(await verify(await sign({ ...elliptic, kid: "other" }))).toBe("unauthenticated");
});

test("a changed payload, header or signature is refused", async () => {
  const [header = "", payload = "", signature = ""] = (await sign(elliptic)).split(".");
  const changed = btoa(
    JSON.stringify({ ...JSON.parse(atob(payload)), role: "authenticated", sub: crypto.randomUUID() }),
  );
  for (const token of [
    `${header}.${changed.replace(/=+$/, "")}.${signature}`,
    `${btoa('{"alg":"RS256","kid":"rsa"}').replace(/=+$/, "")}.${payload}.${signature}`,
    `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
    `${header}.${payload}.`,
    `${header}.${payload}`,
    "",
    "a.b.c",
    ".".repeat(20_000),
  ]) {
    expect(await verify(token)).toBe("unauthenticated");
  }
});

test("a token without a signature is refused", async () => {
  const token = new UnsecuredJWT({ role: "authenticated", sub, iss: issuer, aud: "authenticated" })
    .setExpirationTime("1h")
    .encode();
  expect(await verify(token)).toBe("unauthenticated");
});

test("a shared secret is refused with a line that says to rotate, also when it is our public key", async () => {
  const secret = new TextEncoder().encode("super-secret-jwt-token-with-at-least-32-characters-long");
  const publicKey = new TextEncoder().encode(JSON.stringify(elliptic.jwk));
  for (const key of [secret, publicKey]) {
    const token = await sign({ alg: "HS256", kid: "elliptic", key });
    expect(await verify(token)).toBe("unauthenticated");
    const verifyToken = createTokenVerifier({
      jwks: undefined,
      jwtIssuer: issuer,
      supabaseUrl: "http://127.0.0.1:1",
    });
    await expect(verifyToken(token)).rejects.toThrow(/rotate/);
  }
});

test("other algorithms are refused whatever keys there are", async () => {
  const signer = await makeSigner("EdDSA", "edwards");
  const verifyToken = createTokenVerifier({
    jwks: { keys: [signer.jwk] as { kty: string }[] },
    jwtIssuer: issuer,
    supabaseUrl: "http://127.0.0.1:1",
  });
  expect(await settle(verifyToken(await sign(signer)))).toBe("unauthenticated");
});

test("the project's keys are fetched once, and their absence is not the caller's fault", async () => {
  let requests = 0;
  let status = 500;
  const server = Bun.serve({
    port: 0,
    fetch: (request) => {
      requests++;
      const isPath = new URL(request.url).pathname === "/auth/v1/.well-known/jwks.json";
      return Response.json({ keys: [elliptic.jwk] }, { status: isPath ? status : 404 });
    },
  });
  const supabaseUrl = `http://127.0.0.1:${server.port}`;
  const verifyToken = createTokenVerifier({ jwks: undefined, jwtIssuer: issuer, supabaseUrl });
  const token = await sign(elliptic);
  expect(await settle(verifyToken(token))).toBe("unavailable");
  status = 200;
  await Promise.all([1, 2, 3, 4].map(() => verifyToken(token)));
  expect(requests).toBe(2);
  // A token with an unknown key id must not make us ask each time.
  for (let round = 0; round < 5; round++) {
    expect(await settle(verifyToken(await sign({ ...elliptic, kid: `unknown-${round}` })))).toBe(
      "unauthenticated",
    );
  }
  expect(requests).toBe(2);
  await server.stop(true);
  const alone = createTokenVerifier({
    jwks: undefined,
    jwtIssuer: issuer,
    supabaseUrl: "http://127.0.0.1:1",
  });
  expect(await settle(alone(token))).toBe("unavailable");
});

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());

test("a refused token is told as RFC 6750 says, an expired one so that the session is refreshed", async () => {
  const ask = async (token: string) =>
    house.call("nobody", "GET", "/jobs", { headers: { authorization: `Bearer ${token}` } });
  const expired = await ask(await house.signToken({ exp: seconds() - 60 }));
  expect([expired.status, expired.body.code]).toEqual([401, "token_expired"]);
  expect(expired.headers.get("www-authenticate")).toBe(
    'Bearer realm="parlance", error="invalid_token", error_description="The token has expired"',
  );
  const forged = await ask(`${house.alice.token.slice(0, -4)}AAAA`);
  expect([forged.status, forged.body.code]).toEqual([401, "unauthenticated"]);
  const nobody = await house.call("nobody", "GET", "/jobs");
  expect([nobody.status, nobody.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="parlance"']);
});
