/**
 * Who is asking. As users of Supabase expect it: a user's token wins, else the key's role, else nobody.
 *
 *   Authorization: Bearer <JWT>      ──▶ user          acts as `authenticated` with the token's claims
 *   apikey: sb_publishable_…         ──▶ publishable   acts as `anon`
 *   apikey: sb_secret_…              ──▶ secret        acts as `service_role`
 *   neither                          ──▶ nobody        acts as `anon`
 *
 * A key sent as a bearer token counts as the key: some versions of supabase-js send it so while nobody is signed in.
 */
import type { MiddlewareHandler } from "hono";
import { anonymousCaller, type Caller, callerUserId, isAdmin, serviceCaller } from "../../shared/callers.ts";
import type { NamedKey } from "../../shared/config.ts";
import { AppError } from "../../shared/errors.ts";
import type { Deps } from "../deps.ts";
import type { AppEnv, Identity } from "./router.ts";

interface Credentials {
  readonly apikey: string | undefined;
  readonly authorization: string | undefined;
  readonly isBrowser: boolean;
}

const nobody: Identity = { kind: "nobody", caller: anonymousCaller, subject: "nobody" };

/** Puts the caller into the context; a forged, unknown or expired credential ends the request with 401. */
export function authenticate(deps: Deps): MiddlewareHandler<AppEnv> {
  const identify = createIdentifier(deps);
  return async (c, next) => {
    const identity = await identify({
      apikey: c.req.header("apikey"),
      authorization: c.req.header("authorization"),
      isBrowser: c.req.header("origin") !== undefined || /^Mozilla\//i.test(c.req.header("user-agent") ?? ""),
    });
    c.set("identity", identity);
    c.set("caller", identity.caller);
    await next();
  };
}

function createIdentifier({ config, verifyToken }: Deps) {
  const findSecret = createKeyFinder(config.secretKeys);
  const findPublishable = createKeyFinder(config.publishableKeys);

  const identifyKey = async (key: string, isBrowser: boolean): Promise<Identity> => {
    const [secret, publishable] = await Promise.all([findSecret(key), findPublishable(key)]);
    if (secret !== undefined && isBrowser) {
      throw new AppError("unauthenticated", "A secret key must not be used in a browser.");
    }
    if (secret !== undefined) return { kind: "secret", caller: serviceCaller, subject: `secret:${secret}` };
    if (publishable === undefined) throw unknownKey(key);
    return { kind: "publishable", caller: anonymousCaller, subject: `publishable:${publishable}` };
  };

  return async ({ apikey, authorization, isBrowser }: Credentials): Promise<Identity> => {
    const bearer = parseBearer(authorization);
    const token = bearer?.startsWith("sb_") ? undefined : bearer;
    const keys = [apikey, token === undefined ? bearer : undefined].filter((key) => key !== undefined);
    const identities = await Promise.all(keys.map((key) => identifyKey(key, isBrowser)));
    if (identities.length === 2 && identities[0]?.subject !== identities[1]?.subject) {
      throw new AppError("unauthenticated", "`apikey` and `Authorization` bear different keys.");
    }
    if (token === undefined) return identities[0] ?? nobody;
    const caller = await verifyToken(token);
    return { kind: "user", caller, subject: `user:${callerUserId(caller)}` };
  };
}

function unknownKey(key: string): AppError {
  const isLegacy = key.startsWith("ey");
  const hint = isLegacy ? " Legacy JWT keys are not accepted: use an sb_publishable_ or sb_secret_ key." : "";
  return new AppError("unauthenticated", `The API key is not one of this project.${hint}`);
}

/** Undefined without the header; throws where it is there and bears no token. */
function parseBearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const token = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1];
  if (token === undefined) {
    throw new AppError("unauthenticated", "`Authorization` must be of the form: Bearer <token>.");
  }
  return token;
}

/**
 * Finds the name of a key. Hashes are compared, all of them and whole, so that the time taken tells nothing of
 * where two keys differ.
 */
function createKeyFinder(keys: readonly NamedKey[]): (key: string) => Promise<string | undefined> {
  const hashes = Promise.all(keys.map(async ({ name, key }) => ({ name, hash: await hashText(key) })));
  return async (key) => {
    const given = await hashText(key);
    let found: string | undefined;
    for (const { name, hash } of await hashes) if (areEqual(given, hash)) found = name;
    return found;
  };
}

async function hashText(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (let index = 0; index < one.length; index++) difference |= (one[index] ?? 0) ^ (other[index] ?? 0);
  return difference === 0;
}

/** The signed-in user's id; nobody else may pass. */
export function requireUser(caller: Caller): string {
  const id = callerUserId(caller);
  if (id === undefined || caller.role !== "authenticated") {
    throw new AppError("unauthenticated", "This needs a signed-in user.");
  }
  return id;
}

/** Signed-in users and the secret key may pass; answers the user's id, or null for the secret key. */
export function requireSignedIn(caller: Caller): string | null {
  return caller.role === "service_role" ? null : requireUser(caller);
}

/** Admins and the secret key may pass. */
export function requireAdmin(caller: Caller): void {
  if (requireSignedIn(caller) !== null && !isAdmin(caller)) {
    throw new AppError("forbidden", "This needs an admin.");
  }
}

/** Only the secret key may pass. */
export function requireSecretKey(caller: Caller): void {
  if (requireSignedIn(caller) !== null) throw new AppError("forbidden", "This needs the secret key.");
}
