import { exportSPKI, generateKeyPair, type JWTHeaderParameters, SignJWT } from "jose";
import { createId } from "../../../shared/ids.ts";
import { type LocalKeys, loadKeys } from "../../../supabase/local/keys.ts";

/** Whose token, for whom: what a good one says. */
export interface Project {
  readonly keys: LocalKeys;
  readonly issuer: string;
}

export interface Forgery {
  /** Over the claims of a good token; undefined takes a claim out. */
  claims?: Record<string, unknown>;
  header?: Partial<JWTHeaderParameters>;
  key?: CryptoKey | Uint8Array;
}

const nowSeconds = () => Math.floor(Date.now() / 1000);

/** A good token of the project but for what the forgery changes. */
export function signToken({ keys, issuer }: Project, forgery: Forgery = {}): Promise<string> {
  const { claims = {}, header = {}, key = keys.signingKey } = forgery;
  return new SignJWT(JSON.parse(JSON.stringify({ ...goodClaims(issuer), ...claims })))
    .setProtectedHeader({ alg: "ES256", kid: keys.kid, typ: "JWT", ...header })
    .sign(key);
}

function goodClaims(issuer: string): Record<string, unknown> {
  return {
    iss: issuer,
    aud: "authenticated",
    sub: createId(),
    role: "authenticated",
    session_id: createId(),
    iat: nowSeconds(),
    exp: nowSeconds() + 60,
  };
}

function signWithNothing({ issuer }: Project): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none", typ: "JWT" })}.${part(goodClaims(issuer))}.`;
}

const bytes = (text: string) => new TextEncoder().encode(text);

type Make = (project: Project) => Promise<string> | string;

/** Tokens that no service may accept, each told as what follows "a token". */
export const badTokens: readonly [name: string, make: Make][] = [
  ["signed by another key", async (to) => signToken(to, { key: (await loadKeys()).signingKey })],
  [
    "signed by another key that names itself",
    async (to) => {
      const { kid, signingKey } = await loadKeys();
      return signToken(to, { header: { kid }, key: signingKey });
    },
  ],
  ["that names another key", (to) => signToken(to, { header: { kid: "other" } })],
  ["that names no key", (to) => signToken(to, { header: JSON.parse('{"kid":""}') })],
  ["of algorithm none", signWithNothing],
  [
    "of HS256 over the public key as text",
    async (to) =>
      signToken(to, { header: { alg: "HS256" }, key: bytes(await exportSPKI(to.keys.verifyingKey)) }),
  ],
  [
    "of HS256 over the public key as JWK",
    (to) => signToken(to, { header: { alg: "HS256" }, key: bytes(JSON.stringify(to.keys.jwks.keys[0])) }),
  ],
  [
    "of HS256 over the publishable key",
    (to) => signToken(to, { header: { alg: "HS256" }, key: bytes(to.keys.publishableKey) }),
  ],
  [
    "of RS256",
    async (to) =>
      signToken(to, { header: { alg: "RS256" }, key: (await generateKeyPair("RS256")).privateKey }),
  ],
  ["that has expired", (to) => signToken(to, { claims: { exp: nowSeconds() - 10 } })],
  ["that never expires", (to) => signToken(to, { claims: { exp: undefined } })],
  ["that is not valid yet", (to) => signToken(to, { claims: { nbf: nowSeconds() + 60 } })],
  ["of another issuer", (to) => signToken(to, { claims: { iss: "http://127.0.0.1:1/auth/v1" } })],
  ["of no issuer", (to) => signToken(to, { claims: { iss: undefined } })],
  ["for another audience", (to) => signToken(to, { claims: { aud: "storage" } })],
  ["for no audience", (to) => signToken(to, { claims: { aud: undefined } })],
  ["of the service role", (to) => signToken(to, { claims: { role: "service_role" } })],
  ["of the role anon", (to) => signToken(to, { claims: { role: "anon" } })],
  ["of a superuser", (to) => signToken(to, { claims: { role: "postgres" } })],
  ["of no role", (to) => signToken(to, { claims: { role: undefined } })],
  ["of no subject", (to) => signToken(to, { claims: { sub: undefined } })],
  ["of a subject that is no id", (to) => signToken(to, { claims: { sub: "' or true --" } })],
  [
    "with another's claims under our signature",
    async (to) => {
      const [header, , signature] = (await signToken(to)).split(".");
      return `${header}.${(await signToken(to)).split(".")[1]}.${signature}`;
    },
  ],
  ["of three letters", () => "a.b.c"],
];
