import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestApp, type TestApp } from "../../helpers/app.ts";

const allowed = "https://app.example.com";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp({ environment: { ALLOWED_ORIGINS: `${allowed},http://localhost:3000` } });
});
afterAll(() => house.close());

async function ask(origin: string, app = house) {
  const { headers, status } = await app.call(house.alice, "GET", "/jobs", { headers: { origin } });
  return { status, origin: headers.get("access-control-allow-origin"), vary: headers.get("vary") };
}

async function preflight(origin: string, app = house) {
  const { headers, status } = await app.call("nobody", "OPTIONS", "/jobs", {
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,idempotency-key",
    },
  });
  return { status, headers };
}

test("an allowed origin is named, and caches are told that it matters", async () => {
  expect(await ask(allowed)).toEqual({
    status: 200,
    origin: allowed,
    vary: expect.stringContaining("Origin"),
  });
  expect((await ask("http://localhost:3000")).origin).toBe("http://localhost:3000");
});

test.each([
  "https://evil.example.com",
  "https://app.example.com.evil.com",
  "https://app.example.com:8443",
  "http://app.example.com",
  "https://APP.example.com",
  "https://xapp.example.com",
  "http://localhost:3001",
  "null",
])("the origin %s is not let in", async (origin) => {
  expect(await ask(origin)).toMatchObject({ origin: null, vary: expect.stringContaining("Origin") });
  expect((await preflight(origin)).headers.get("access-control-allow-origin")).toBeNull();
});

test("a preflight asks for no credentials and says what may be sent", async () => {
  const { status, headers } = await preflight(allowed);
  expect(status).toBe(204);
  expect(headers.get("access-control-allow-origin")).toBe(allowed);
  expect(headers.get("access-control-allow-methods")).toContain("DELETE");
  for (const name of ["authorization", "apikey", "content-type", "idempotency-key", "x-client-info"]) {
    expect(headers.get("access-control-allow-headers")).toContain(name);
  }
  expect(headers.get("access-control-allow-credentials")).toBeNull();
  expect(headers.get("ratelimit")).toBeNull();
});

test("a script may read the headers that it needs, also of a refusal", async () => {
  const answer = await house.call("nobody", "GET", "/jobs", { headers: { origin: allowed } });
  expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([401, allowed]);
  for (const name of ["X-Request-Id", "RateLimit", "RateLimit-Policy", "Retry-After", "Location"]) {
    expect(answer.headers.get("access-control-expose-headers")).toContain(name);
  }
});

test("with * every origin is let in, with no setting none is", async () => {
  const open = house.withSettings({ ALLOWED_ORIGINS: "*" });
  expect((await ask("https://anywhere.example", open)).origin).toBe("*");
  const closed = house.withSettings({ ALLOWED_ORIGINS: "" });
  expect((await ask(allowed, closed)).origin).toBeNull();
});
