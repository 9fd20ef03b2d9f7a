import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmod, link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  calculateJwkThumbprint,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  jwtVerify,
} from "jose";
import { z } from "zod";
import { anonymousCaller, type Caller, serviceCaller } from "../../shared/callers.ts";

/**
 * The keys of the embedded mode and who is calling with them, as the gateway of a Supabase project decides it:
 *
 *   apikey: sb_publishable_… ──▶ anon           ┐  unless Authorization carries a user's token:
 *   apikey: sb_secret_…      ──▶ service_role   ┘  then that user, whatever the key
 *
 * supabase-js sends its key a second time as `Authorization: Bearer <key>` while nobody is signed in.
 */
export interface LocalKeys {
  /** `sb_publishable_…`: may be shown to browsers. */
  readonly publishableKey: string;
  /** `sb_secret_…`: passes row level security. */
  readonly secretKey: string;
  /** ES256, private. */
  readonly signingKey: CryptoKey;
  readonly verifyingKey: CryptoKey;
  readonly kid: string;
  /** What `/auth/v1/.well-known/jwks.json` answers: public halves only. */
  readonly jwks: { readonly keys: JWK[] };
}

export type GatewayErrorCode =
  | "no_api_key"
  | "invalid_api_key"
  | "secret_key_in_browser"
  | "bad_jwt"
  | "token_expired";

/** A request that is refused before any service sees it. Each stand-in tells it in its own form. */
export class GatewayError extends Error {
  readonly status = 401;
  readonly code: GatewayErrorCode;

  constructor(code: GatewayErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "GatewayError";
    this.code = code;
  }
}

export interface CallerHeaders {
  apikey?: string | undefined;
  authorization?: string | undefined;
  /** Where given, a secret key sent by a browser is refused. */
  userAgent?: string | undefined;
}

export interface IdentifiedCaller {
  readonly caller: Caller;
  /** When the user's token ends; absent for a key. */
  readonly expiresAt?: Date;
  /** The user's token; absent for a key. */
  readonly token?: string;
}

const algorithm = "ES256";
const audience = "authenticated";
/** Two clocks that differ by less than this agree on what has expired. */
const clockToleranceSeconds = 2;

const KeyFile = z.object({
  publishableKey: z.string().startsWith("sb_publishable_"),
  secretKey: z.string().startsWith("sb_secret_"),
  signingKey: z.object({
    kty: z.literal("EC"),
    crv: z.literal("P-256"),
    x: z.string(),
    y: z.string(),
    d: z.string(),
    kid: z.string().min(1),
  }),
});
type KeyFile = z.infer<typeof KeyFile>;

/** Makes the keys at the first start and finds the same ones ever after; without a folder they live in memory. */
export async function loadKeys(folder?: string): Promise<LocalKeys> {
  if (folder === undefined) return importKeys(await createKeyFile());
  const path = join(folder, "keys.json");
  const found = await readKeyFile(path);
  if (found) return importKeys(found);
  await mkdir(folder, { recursive: true });
  await placeKeyFile(path, await createKeyFile());
  const placed = await readKeyFile(path);
  if (!placed) throw new Error(`The keys were written to ${path} and are not there.`);
  return importKeys(placed);
}

/**
 * As Supabase's gateway: `Authorization: Bearer <JWT>` wins, else the key's role. Throws GatewayError for a missing or
 * unknown key and for a token that is forged, expired or not meant for this issuer.
 */
export async function identifyCaller(
  keys: LocalKeys,
  issuer: string,
  request: CallerHeaders,
): Promise<IdentifiedCaller> {
  if (!request.apikey) throw new GatewayError("no_api_key", "No API key found in request");
  const caller = findKeyCaller(keys, request.apikey);
  if (!caller) throw new GatewayError("invalid_api_key", "Invalid API key");
  if (caller.role === "service_role" && isBrowser(request.userAgent)) {
    throw new GatewayError("secret_key_in_browser", "Forbidden use of secret API key in browser");
  }
  const token = parseBearer(request.authorization);
  if (token === undefined || isSameSecret(token, request.apikey)) return { caller };
  return verifyUserToken(keys, issuer, token);
}

/** The caller of an access token that this issuer signed; throws GatewayError for any other. */
export async function verifyUserToken(
  keys: LocalKeys,
  issuer: string,
  token: string,
): Promise<Required<IdentifiedCaller>> {
  const { payload, protectedHeader } = await jwtVerify(token, keys.verifyingKey, {
    algorithms: [algorithm],
    issuer,
    audience,
    clockTolerance: clockToleranceSeconds,
    requiredClaims: ["sub", "exp", "iat"],
  }).catch((cause: unknown) => {
    if (cause instanceof errors.JWTExpired) {
      throw new GatewayError("token_expired", "invalid JWT: token is expired", { cause });
    }
    throw new GatewayError("bad_jwt", "invalid JWT: unable to verify it", { cause });
  });
  const known = protectedHeader.kid === keys.kid && payload.role === "authenticated";
  if (!known || payload.exp === undefined || !z.uuid().safeParse(payload.sub).success) {
    throw new GatewayError("bad_jwt", "invalid JWT: its key, role or subject is not one of this project");
  }
  return {
    caller: { role: "authenticated", claims: payload },
    expiresAt: new Date(payload.exp * 1000),
    token,
  };
}

/** Compares in a time that tells nothing about where two secrets differ. */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

function findKeyCaller(keys: LocalKeys, key: string): Caller | undefined {
  const isSecret = isSameSecret(key, keys.secretKey);
  const isPublishable = isSameSecret(key, keys.publishableKey);
  if (isSecret) return serviceCaller;
  return isPublishable ? anonymousCaller : undefined;
}

/** Undefined without the header; throws where it is there and is no bearer token. */
function parseBearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const token = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1];
  if (token === undefined)
    throw new GatewayError("bad_jwt", "Authorization must be of the form: Bearer <token>");
  return token;
}

/** Every browser since Netscape calls itself Mozilla; servers and command lines do not. */
function isBrowser(userAgent: string | undefined): boolean {
  return userAgent !== undefined && /^Mozilla\//i.test(userAgent);
}

async function createKeyFile(): Promise<KeyFile> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(privateKey);
  return KeyFile.parse({
    publishableKey: createApiKey("sb_publishable_"),
    secretKey: createApiKey("sb_secret_"),
    signingKey: { ...jwk, kid: await calculateJwkThumbprint(jwk) },
  });
}

/** 128 random bits, then eight characters by which a mistyped key can be told from a foreign one. */
function createApiKey(prefix: string): string {
  const start = `${prefix}${randomBytes(16).toString("base64url")}`;
  return `${start}_${sha256(start).subarray(0, 6).toString("base64url")}`;
}

async function importKeys(file: KeyFile): Promise<LocalKeys> {
  const { kid, d: _private, ...point } = file.signingKey;
  const publicKey: JWK = { ...point, kid, alg: algorithm, use: "sig", key_ops: ["verify"], ext: true };
  return {
    publishableKey: file.publishableKey,
    secretKey: file.secretKey,
    signingKey: await importCryptoKey(file.signingKey),
    verifyingKey: await importCryptoKey(publicKey),
    kid,
    jwks: { keys: [publicKey] },
  };
}

async function importCryptoKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm);
  if (key instanceof Uint8Array) throw new Error("An EC key was imported as bytes.");
  return key;
}

async function readKeyFile(path: string): Promise<KeyFile | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  await chmod(path, 0o600);
  try {
    return KeyFile.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(
      `${path} is not a file of keys. Remove it to have new ones; everyone signs in again then.`,
      {
        cause,
      },
    );
  }
}

/** Whole or not at all, and never over keys that another start placed first: a link fails where a name is taken. */
async function placeKeyFile(path: string, file: KeyFile): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(file, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
