import { readFile } from "node:fs/promises";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { password, type StandIn, signUpSomeone, startStandIn } from "./target.ts";

/** What auth-js can ask for, walked on its own client, against the table of what the stand-in can answer. */

const Table = z.array(z.object({ method: z.string(), state: z.enum(["supported", "501", "client-only"]) }));
const table = Table.parse(
  JSON.parse(await readFile(new URL("../../../fixtures/supabase-js-auth.json", import.meta.url), "utf8")),
);
const missing = table.filter(({ state }) => state === "501").map(({ method }) => method);

let target: StandIn;
/** Somebody's client. */
let user: SupabaseClient;
let service: SupabaseClient;

beforeAll(async () => {
  target = await startStandIn();
  const { session } = await signUpSomeone(target);
  user = connect(target.publishableKey);
  await user.auth.setSession(session);
  service = connect(target.secretKey);
});
afterAll(() => target.close());

function connect(key: string): SupabaseClient {
  const experimental = { passkey: true, recoveryCodes: true };
  return createClient(target.url, key, {
    auth: { persistSession: false, autoRefreshToken: false, experimental },
  });
}

/** Methods by their path, but for what begins with an underscore and what was handed to the client. */
function listMethods(holder: object, path: string): string[] {
  return listNames(holder).flatMap((name) => {
    const value: unknown = Reflect.get(holder, name);
    if (typeof value === "function") return [`${path}.${name}`];
    return namespaces.has(name) && value instanceof Object ? listMethods(value, `${path}.${name}`) : [];
  });
}

const namespaces = new Set([
  "admin",
  "mfa",
  "webauthn",
  "recoveryCodes",
  "oauth",
  "passkey",
  "customProviders",
]);
const handedIn = new Set(["constructor", "fetch", "logger", "lock"]);

function listNames(holder: object): string[] {
  const names = new Set<string>();
  for (let each = holder; each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    for (const name of Object.getOwnPropertyNames(each)) names.add(name);
  }
  return [...names].filter((name) => !name.startsWith("_") && !handedIn.has(name));
}

const id = crypto.randomUUID();
const email = "ada@example.com";
const credential = {
  id: "x",
  rawId: "x",
  type: "public-key" as const,
  response: {},
  clientExtensionResults: {},
};

/** How each method that is not there is called, as far as it gets to the server without a browser. */
const calls: Record<string, () => Promise<{ error: unknown }>> = {
  "auth.linkIdentity": () => user.auth.linkIdentity({ provider: "github" }),
  "auth.reauthenticate": () => user.auth.reauthenticate(),
  "auth.resend": () => user.auth.resend({ type: "signup", email }),
  "auth.resetPasswordForEmail": () => user.auth.resetPasswordForEmail(email),
  "auth.signInAnonymously": () => user.auth.signInAnonymously(),
  "auth.signInWithIdToken": () => user.auth.signInWithIdToken({ provider: "google", token: "x" }),
  "auth.signInWithOtp": () => user.auth.signInWithOtp({ email }),
  "auth.signInWithSSO": () => user.auth.signInWithSSO({ domain: "example.com" }),
  "auth.signInWithWeb3": () =>
    user.auth.signInWithWeb3({ chain: "ethereum", message: "x", signature: `0x${"0".repeat(130)}` }),
  "auth.unlinkIdentity": async () => {
    const { data } = await user.auth.getUserIdentities();
    const [identity] = data?.identities ?? [];
    if (!identity) throw new Error("The user has no identity.");
    return user.auth.unlinkIdentity(identity);
  },
  "auth.verifyOtp": () => user.auth.verifyOtp({ email, token: "123456", type: "email" }),
  "auth.mfa.challenge": () => user.auth.mfa.challenge({ factorId: id }),
  "auth.mfa.challengeAndVerify": () => user.auth.mfa.challengeAndVerify({ factorId: id, code: "1" }),
  "auth.mfa.enroll": () => user.auth.mfa.enroll({ factorType: "totp" }),
  "auth.mfa.unenroll": () => user.auth.mfa.unenroll({ factorId: id }),
  "auth.mfa.verify": () => user.auth.mfa.verify({ factorId: id, challengeId: id, code: "1" }),
  "auth.mfa.recoveryCodes.generate": () => user.auth.mfa.recoveryCodes.generate(),
  "auth.mfa.recoveryCodes.getStatus": () => user.auth.mfa.recoveryCodes.getStatus(),
  "auth.mfa.recoveryCodes.regenerate": () => user.auth.mfa.recoveryCodes.regenerate(),
  "auth.mfa.recoveryCodes.unenroll": () => user.auth.mfa.recoveryCodes.unenroll(),
  "auth.mfa.recoveryCodes.verify": () => user.auth.mfa.recoveryCodes.verify({ code: "1" }),
  "auth.mfa.webauthn.enroll": () => user.auth.mfa.webauthn.enroll({ friendlyName: "key" }),
  "auth.oauth.approveAuthorization": () => user.auth.oauth.approveAuthorization(id),
  "auth.oauth.denyAuthorization": () => user.auth.oauth.denyAuthorization(id),
  "auth.oauth.getAuthorizationDetails": () => user.auth.oauth.getAuthorizationDetails(id),
  "auth.oauth.listGrants": () => user.auth.oauth.listGrants(),
  "auth.oauth.revokeGrant": () => user.auth.oauth.revokeGrant({ clientId: id }),
  "auth.passkey.delete": () => user.auth.passkey.delete({ passkeyId: id }),
  "auth.passkey.list": () => user.auth.passkey.list(),
  "auth.passkey.startAuthentication": () => user.auth.passkey.startAuthentication(),
  "auth.passkey.startRegistration": () => user.auth.passkey.startRegistration(),
  "auth.passkey.update": () => user.auth.passkey.update({ passkeyId: id, friendlyName: "key" }),
  "auth.admin.generateLink": () => service.auth.admin.generateLink({ type: "magiclink", email }),
  "auth.admin.inviteUserByEmail": () => service.auth.admin.inviteUserByEmail(email),
  "auth.admin.mfa.deleteFactor": () => service.auth.admin.mfa.deleteFactor({ userId: id, id }),
  "auth.admin.mfa.listFactors": () => service.auth.admin.mfa.listFactors({ userId: id }),
  "auth.admin.oauth.createClient": () =>
    service.auth.admin.oauth.createClient({ client_name: "x", redirect_uris: ["http://localhost"] }),
  "auth.admin.oauth.deleteClient": () => service.auth.admin.oauth.deleteClient(id),
  "auth.admin.oauth.getClient": () => service.auth.admin.oauth.getClient(id),
  "auth.admin.oauth.listClients": () => service.auth.admin.oauth.listClients(),
  "auth.admin.oauth.regenerateClientSecret": () => service.auth.admin.oauth.regenerateClientSecret(id),
  "auth.admin.oauth.updateClient": () => service.auth.admin.oauth.updateClient(id, { client_name: "x" }),
  "auth.admin.customProviders.createProvider": () =>
    service.auth.admin.customProviders.createProvider({
      provider_type: "oidc",
      identifier: "custom:x",
      name: "x",
      client_id: "x",
      client_secret: "x",
      issuer: "https://example.com",
    }),
  "auth.admin.customProviders.deleteProvider": () =>
    service.auth.admin.customProviders.deleteProvider("custom:x"),
  "auth.admin.customProviders.getProvider": () => service.auth.admin.customProviders.getProvider("custom:x"),
  "auth.admin.customProviders.listProviders": () => service.auth.admin.customProviders.listProviders(),
  "auth.admin.customProviders.updateProvider": () =>
    service.auth.admin.customProviders.updateProvider("custom:x", { name: "y" }),
  "auth.admin.passkey.deletePasskey": () =>
    service.auth.admin.passkey.deletePasskey({ userId: id, passkeyId: id }),
  "auth.admin.passkey.listPasskeys": () => service.auth.admin.passkey.listPasskeys({ userId: id }),
};

/** What the other methods would ask of the server, were they in a browser or had they an answer to go on with. */
const requests: Record<string, [method: string, path: string]> = {
  "auth.exchangeCodeForSession": ["POST", "/token?grant_type=pkce"],
  "auth.linkIdentityIdToken": ["POST", "/token?grant_type=id_token"],
  "auth.linkIdentityOAuth": ["GET", "/user/identities/authorize?provider=github"],
  "auth.registerPasskey": ["POST", "/passkeys/registration/options"],
  "auth.signInWithEthereum": ["POST", "/token?grant_type=web3"],
  "auth.signInWithOAuth": ["GET", "/authorize?provider=github"],
  "auth.signInWithPasskey": ["POST", "/passkeys/authentication/options"],
  "auth.signInWithSolana": ["POST", "/token?grant_type=web3"],
  "auth.mfa.webauthn.authenticate": ["POST", `/factors/${id}/challenge`],
  "auth.mfa.webauthn.challenge": ["POST", `/factors/${id}/challenge`],
  "auth.mfa.webauthn.register": ["POST", "/factors"],
  "auth.mfa.webauthn.verify": ["POST", `/factors/${id}/verify`],
  "auth.passkey.verifyAuthentication": ["POST", "/passkeys/authentication/verify"],
  "auth.passkey.verifyRegistration": ["POST", "/passkeys/registration/verify"],
};

test("the table names every method of the client, and no other", () => {
  expect(table.map(({ method }) => method).sort()).toEqual(listMethods(user.auth, "auth").sort());
});

test("every method that is not there is tried below, one way or the other", () => {
  expect([...Object.keys(calls), ...Object.keys(requests)].sort()).toEqual([...missing].sort());
});

test.each(Object.entries(calls))(
  "%s is told that it is not part of the embedded mode",
  async (_name, call) => {
    const { error } = await call();
    expect(error).toMatchObject({ status: 501 });
    expect(String(error)).toContain("is not part of the embedded mode; use a real Supabase project");
  },
);

test.each(Object.entries(requests))("what %s asks for is not there", async (_name, [method, path]) => {
  const headers = { apikey: target.publishableKey };
  const body = method === "GET" ? {} : { body: JSON.stringify({ email, password, credential }) };
  const response = await fetch(`${target.url}/auth/v1${path}`, { method, headers, ...body });
  expect(response.status).toBe(501);
  expect(await response.json()).toMatchObject({ code: 501, error_code: "not_implemented" });
});
