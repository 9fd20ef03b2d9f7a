import { createClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestApp, type TestApp } from "../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp({
    environment: keyDictionaries,
  });
});
afterAll(() => house.close());

const publishable = "sb_publishable_0123456789abcdef0123";
const otherPublishable = "sb_publishable_4567890123abcdef0123";
const secret = "sb_secret_0123456789abcdef0123";
const sidecarSecret = "sb_secret_4567890123abcdef0123";
const keyDictionaries = {
  SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: publishable, web: otherPublishable }),
  SUPABASE_SECRET_KEYS: JSON.stringify({ default: secret, sidecar: sidecarSecret }),
};

/** What the log says of the caller, or the code of the refusal. */
async function whoIs(headers: Record<string, string>): Promise<unknown> {
  house.logLines.length = 0;
  const answer = await house.call("nobody", "GET", "/images", { headers });
  if (answer.status === 401) {
    expect(answer.headers.get("www-authenticate")).toContain('Bearer realm="parlance"');
    return answer.body.code;
  }
  expect(answer.status, answer.text).toBe(200);
  return house.logLines.at(-1)?.callerKind;
}

describe("who is asking", () => {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  test("nobody, a key, a key as bearer, or a user", async () => {
    expect(await whoIs({})).toBe("nobody");
    expect(await whoIs({ apikey: publishable })).toBe("publishable");
    expect(await whoIs({ apikey: otherPublishable })).toBe("publishable");
    expect(await whoIs(bearer(publishable))).toBe("publishable");
    expect(await whoIs({ apikey: publishable, ...bearer(publishable) })).toBe("publishable");
    expect(await whoIs({ apikey: secret })).toBe("secret");
    expect(await whoIs({ apikey: sidecarSecret })).toBe("secret");
    expect(await whoIs(bearer(secret))).toBe("secret");
    expect(await whoIs(bearer(house.alice.token))).toBe("user");
    expect(await whoIs({ apikey: publishable, authorization: `bearer   ${house.alice.token}` })).toBe("user");
  });

  test("a user's token wins over the secret key", async () => {
    expect(await whoIs({ apikey: secret, ...bearer(house.alice.token) })).toBe("user");
  });

  test.each([
    ["an unknown key", { apikey: "sb_secret_0123456789abcdef0124" }],
    ["a key cut short", { apikey: secret.slice(0, -1) }],
    ["a key with more behind it", { apikey: `${secret}0` }],
    ["a key in other letters", { apikey: secret.toUpperCase() }],
    ["an empty key", { apikey: "" }],
    ["two different keys", { apikey: publishable, ...bearer(secret) }],
    ["an unknown key as bearer", bearer("sb_publishable_unknown")],
    ["a legacy key", { apikey: "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.x" }],
    ["a password", { authorization: "Basic YWxpY2U6cGFzc3dvcmQ=" }],
    ["a bearer of nothing", { authorization: "Bearer" }],
    ["two tokens", { authorization: "Bearer one two" }],
  ])("%s is refused", async (_, headers) => {
    expect(await whoIs(headers as Record<string, string>)).toBe("unauthenticated");
  });

  test("a good token does not save an unknown key", async () => {
    expect(await whoIs({ apikey: "sb_publishable_unknown", ...bearer(house.alice.token) })).toBe(
      "unauthenticated",
    );
  });

  test("a secret key in a browser is refused, a publishable one is not", async () => {
    const chrome = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36" };
    expect(await whoIs({ apikey: secret, ...chrome })).toBe("unauthenticated");
    expect(await whoIs({ apikey: secret, origin: "https://app.example.com" })).toBe("unauthenticated");
    expect(await whoIs({ ...bearer(secret), ...chrome })).toBe("unauthenticated");
    expect(await whoIs({ apikey: publishable, ...chrome })).toBe("publishable");
  });

  test("supabase-js is known by what it sends, signed in or not", async () => {
    const invoke = async (accessToken?: string) => {
      house.logLines.length = 0;
      const client = createClient("http://house.test", publishable, {
        ...(accessToken ? { accessToken: async () => accessToken } : {}),
        global: { fetch: forward as typeof fetch },
      });
      const { error } = await client.functions.invoke("api/images", { method: "GET" });
      expect(error).toBeNull();
      return house.logLines.at(-1)?.callerKind;
    };
    expect(await invoke()).toBe("publishable");
    expect(await invoke(house.alice.token)).toBe("user");
  });
});

/** As the embedded mode and Supabase's gateway do: without /functions/v1. */
async function forward(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const url = new URL(request.url);
  url.pathname = url.pathname.replace("/functions/v1", "");
  return house.app.request(new Request(url, request));
}
