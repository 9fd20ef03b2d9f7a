import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openRaw, type RawSocket } from "./raw.ts";
import { openStandIn, type StandIn } from "./stand-in.ts";

/** Broadcast by HTTP, and everything that the embedded mode does not do. */
let standIn: StandIn;
let hearer: RawSocket;
const user = crypto.randomUUID();

beforeAll(async () => {
  standIn = await openStandIn({
    limits: { payloadBytesMax: 10_000, frameBytesMax: 20_000, messagesPerSecond: 100 },
  });
  hearer = await openRaw(standIn.url, standIn.keys.publishableKey);
});
afterEach(() => expect(standIn.errors).toEqual([]));
afterAll(async () => {
  hearer.close();
  await standIn.close();
});

interface Request {
  method?: string;
  key?: string | null;
  token?: string;
  type?: string;
  body?: BodyInit;
}

async function call(path: string, request: Request = {}): Promise<{ status: number; body: string }> {
  const {
    method = "POST",
    key = standIn.keys.publishableKey,
    token,
    type = "application/json",
    body = "{}",
  } = request;
  const response = await fetch(`${standIn.url}/realtime/v1${path}`, {
    method,
    headers: {
      ...(key === null ? {} : { apikey: key }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      "content-type": type,
    },
    ...(method === "GET" ? {} : { body }),
  });
  return { status: response.status, body: await response.text() };
}

const batch = (...messages: unknown[]) => JSON.stringify({ messages });

test("a batch is delivered in its order, and answered without a word", async () => {
  await hearer.join("realtime:order");
  const messages = ["a", "b", "c"].map((event) => ({ topic: "order", event, payload: { [event]: 1 } }));
  expect(await call("/api/broadcast", { body: batch(...messages) })).toEqual({ status: 202, body: "" });
  const heard = await hearer.broadcasts(3);
  expect(heard.map(({ payload }) => payload)).toEqual([
    { type: "broadcast", event: "a", payload: { a: 1 } },
    { type: "broadcast", event: "b", payload: { b: 1 } },
    { type: "broadcast", event: "c", payload: { c: 1 } },
  ]);
});

test.each<[string, Request, number]>([
  ["without a key", { key: null }, 401],
  ["with a key of nobody", { key: "sb_secret_nobody" }, 401],
  ["with a token that is none", { token: "a.b.c" }, 401],
  ["without messages", { body: "{}" }, 422],
  ["that is no JSON", { body: "{" }, 422],
  ["of a message without a topic", { body: batch({ event: "e", payload: {} }) }, 422],
  ["of a message whose payload is no object", { body: batch({ topic: "t", event: "e", payload: [1] }) }, 422],
  [
    "of a message that is too large",
    { body: batch({ topic: "t", event: "e", payload: { x: "x".repeat(11_000) } }) },
    422,
  ],
  ["that is too large", { body: batch({ topic: "t", event: "e", payload: { x: "x".repeat(30_000) } }) }, 422],
  [
    "of more than a second may bear",
    { body: batch(...Array.from({ length: 250 }, () => ({ topic: "t", event: "e", payload: {} }))) },
    429,
  ],
])("a batch %s is refused", async (_, request, status) => {
  expect((await call("/api/broadcast", request)).status).toBe(status);
});

test.each<[string, Request, number]>([
  ["without a key", { key: null }, 401],
  ["that is no JSON", { body: "{" }, 422],
  ["of another type", { type: "text/plain" }, 415],
  ["that is too large", { body: JSON.stringify("x".repeat(11_000)) }, 422],
])("a message %s is refused", async (_, request, status) => {
  expect((await call("/api/broadcast/t/events/e", request)).status).toBe(status);
});

test("a private message is for whom the policy lets write: the service, and no user of this project", async () => {
  const path = `/api/broadcast/user:${user}/events/e?private=true`;
  expect((await call(path)).status).toBe(403);
  expect((await call(path, { token: await standIn.signToken(user) })).status).toBe(403);
  expect((await call(path, { key: standIn.keys.secretKey })).status).toBe(202);
});

test("a private message of a batch is dropped where the policy says so, and the rest is delivered", async () => {
  const mine = await openRaw(standIn.url, standIn.keys.secretKey);
  await mine.join("realtime:closed", { private: true });
  await mine.join("realtime:open");
  const body = batch(
    { topic: "closed", event: "e", payload: {}, private: true },
    { topic: "open", event: "e", payload: {} },
  );
  expect((await call("/api/broadcast", { body })).status).toBe(202);
  expect((await call("/api/broadcast", { body, key: standIn.keys.secretKey })).status).toBe(202);
  const heard = await mine.broadcasts(3);
  expect(heard.map(({ topic }) => topic)).toEqual(["realtime:open", "realtime:closed", "realtime:open"]);
  mine.close();
});

test("a browser of any origin may ask", async () => {
  const answer = await fetch(`${standIn.url}/realtime/v1/api/broadcast/t/events/e`, {
    method: "OPTIONS",
    headers: {
      origin: "https://app.example.com",
      "access-control-request-method": "POST",
      "access-control-request-headers": "apikey,authorization,content-type",
    },
  });
  expect(answer.status).toBe(204);
  expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  expect(answer.headers.get("access-control-allow-headers")).toBe("apikey,authorization,content-type");
});

test.each([
  ["GET", "/api/ping"],
  ["GET", "/api/tenants"],
  ["POST", "/api/tenants/x/reload"],
  ["GET", "/api/broadcast"],
  ["DELETE", "/api/broadcast/t/events/e"],
  ["POST", "/api/broadcast/t/events/e?private=true&persist=true"],
  ["POST", "/api/broadcast/t/events/e?private=true&persist[ttl]=60"],
  ["GET", "/longpoll"],
  ["GET", "/"],
])("%s %s is answered 501", async (method, path) => {
  const answer = await call(path, { method });
  expect(answer.status).toBe(501);
  expect(JSON.parse(answer.body)).toMatchObject({ code: "not_supported" });
});
