import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import {
  type CallerHeaders,
  GatewayError,
  identifyCaller,
  isSameSecret,
  type LocalKeys,
  loadKeys,
} from "../../../supabase/local/keys.ts";
import { badTokens, signToken } from "./forge.ts";

const issuer = "http://127.0.0.1:54321/auth/v1";
const userId = createId();
let folder: string;
let keys: LocalKeys;
let foreign: LocalKeys;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parlance-keys-"));
  keys = await loadKeys();
  foreign = await loadKeys();
});
afterAll(() => rm(folder, { recursive: true }));

/** What came of a request: the role and subject, or the code of the refusal. */
async function identify(request: CallerHeaders): Promise<string> {
  try {
    const { caller } = await identifyCaller(keys, issuer, request);
    return caller.claims.sub === undefined ? caller.role : `${caller.role} ${caller.claims.sub}`;
  } catch (error) {
    if (error instanceof GatewayError) return `${error.status} ${error.code}`;
    throw error;
  }
}

const sign = (claims: Record<string, unknown> = {}) =>
  signToken({ keys, issuer }, { claims: { sub: userId, ...claims } });

describe("the keys of a folder", () => {
  test("are made at the first start and are the same at the second", async () => {
    const path = join(folder, "twice");
    const first = await loadKeys(path);
    const second = await loadKeys(path);
    expect(second.publishableKey).toBe(first.publishableKey);
    expect(second.secretKey).toBe(first.secretKey);
    expect(second.jwks).toEqual(first.jwks);
  });

  test("can be read by their owner only, even where they could be read by others before", async () => {
    const path = join(folder, "mode");
    await loadKeys(path);
    const file = join(path, "keys.json");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const open = join(folder, "open");
    await loadKeys(open);
    await rm(join(open, "keys.json"));
    await writeFile(join(open, "keys.json"), await readFile(file), { mode: 0o644 });
    await loadKeys(open);
    expect((await stat(join(open, "keys.json"))).mode & 0o777).toBe(0o600);
  });

  test("are one set where ten starts race for them, and no draft is left", async () => {
    const path = join(folder, "race");
    const loaded = await Promise.all(Array.from({ length: 10 }, () => loadKeys(path)));
    expect(new Set(loaded.map((each) => each.secretKey)).size).toBe(1);
    expect(new Set(loaded.map((each) => each.kid)).size).toBe(1);
    expect(await readdir(path)).toEqual(["keys.json"]);
  });

  test("are not replaced where their file is damaged", async () => {
    const path = join(folder, "damaged");
    await loadKeys(path);
    await writeFile(join(path, "keys.json"), "{");
    await expect(loadKeys(path)).rejects.toThrow(/keys\.json is not a file of keys/);
    expect(await readFile(join(path, "keys.json"), "utf8")).toBe("{");
  });

  test("differ from those of another folder and have the form of Supabase", () => {
    expect(keys.publishableKey).toMatch(/^sb_publishable_[\w-]{22}_[\w-]{8}$/);
    expect(keys.secretKey).toMatch(/^sb_secret_[\w-]{22}_[\w-]{8}$/);
    expect(foreign.secretKey).not.toBe(keys.secretKey);
    expect(foreign.kid).not.toBe(keys.kid);
  });

  test("publish no private half", () => {
    const [key] = keys.jwks.keys;
    expect(key).toMatchObject({ kty: "EC", crv: "P-256", alg: "ES256", use: "sig", kid: keys.kid });
    expect(key).not.toHaveProperty("d");
  });

  test("compare equal only to themselves", () => {
    expect(isSameSecret("abc", "abc")).toBe(true);
    expect(isSameSecret("abc", "abd")).toBe(false);
    expect(isSameSecret("abc", "abcd")).toBe(false);
  });
});

describe("a caller", () => {
  test("with the publishable key is anon, however supabase-js repeats it", async () => {
    const apikey = keys.publishableKey;
    expect(await identify({ apikey })).toBe("anon");
    expect(await identify({ apikey, authorization: `Bearer ${apikey}` })).toBe("anon");
  });

  test("with the secret key is the service, but not from a browser", async () => {
    const apikey = keys.secretKey;
    expect(await identify({ apikey, authorization: `Bearer ${apikey}` })).toBe("service_role");
    expect(await identify({ apikey, userAgent: "Bun/1.4.5" })).toBe("service_role");
    const userAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    expect(await identify({ apikey, userAgent })).toBe("401 secret_key_in_browser");
    expect(await identify({ apikey: keys.publishableKey, userAgent })).toBe("anon");
  });

  test("with a token is that user, whichever key comes along", async () => {
    const authorization = `Bearer ${await sign()}`;
    expect(await identify({ apikey: keys.publishableKey, authorization })).toBe(`authenticated ${userId}`);
    expect(await identify({ apikey: keys.secretKey, authorization })).toBe(`authenticated ${userId}`);
  });

  test("with a token is told when it ends and which it was", async () => {
    const exp = Math.floor(Date.now() / 1000) + 60;
    const token = await sign({ exp, app_metadata: { role: "admin" } });
    const authorization = `bearer ${token}`;
    const found = await identifyCaller(keys, issuer, { apikey: keys.publishableKey, authorization });
    expect(found.token).toBe(token);
    expect(found.expiresAt).toEqual(new Date(exp * 1000));
    expect(found.caller.claims.app_metadata).toEqual({ role: "admin" });
  });

  test.each<[string, () => CallerHeaders, string]>([
    ["no key", () => ({}), "401 no_api_key"],
    ["an empty key", () => ({ apikey: "" }), "401 no_api_key"],
    ["a key of another project", () => ({ apikey: foreign.publishableKey }), "401 invalid_api_key"],
    [
      "the beginning of the secret key",
      () => ({ apikey: keys.secretKey.slice(0, -1) }),
      "401 invalid_api_key",
    ],
    [
      "the secret key as a bearer beside the publishable key",
      () => ({ apikey: keys.publishableKey, authorization: `Bearer ${keys.secretKey}` }),
      "401 bad_jwt",
    ],
    [
      "the secret key as a bearer and no key",
      () => ({ authorization: `Bearer ${keys.secretKey}` }),
      "401 no_api_key",
    ],
    [
      "basic authorization",
      () => ({ apikey: keys.publishableKey, authorization: "Basic dTpw" }),
      "401 bad_jwt",
    ],
    ["a bearer of nothing", () => ({ apikey: keys.publishableKey, authorization: "Bearer " }), "401 bad_jwt"],
  ])("with %s is refused", async (_name, request, expected) => {
    expect(await identify(request())).toBe(expected);
  });

  test.each(badTokens)("with a token %s is refused", async (name, make) => {
    const authorization = `Bearer ${await make({ keys, issuer })}`;
    const code = name === "that has expired" ? "token_expired" : "bad_jwt";
    expect(await identify({ apikey: keys.publishableKey, authorization })).toBe(`401 ${code}`);
  });
});
