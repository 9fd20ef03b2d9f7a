import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRig, type Rig } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await openRig({ REQUEST_MS: "1000" });
});
afterAll(() => rig?.close());

const ask = (line: string, headers: readonly string[] = []) =>
  rig.sendRaw([line, ...headers, "Connection: close", "", ""].join("\r\n"));

describe("an answer tells nothing of how we are made", () => {
  test.each(["a b<>", "", "evil.test/auth/v1?", "evil.test#", "evil.test:99999999", "[::1", "%00"])(
    "to the host %j",
    async (host) => {
      for (const path of ["/functions/v1/api/health", "/auth/v1/user", "/storage/v1/bucket", "/nowhere"]) {
        const answer = await ask(`GET ${path} HTTP/1.1`, [`Host: ${host}`]);
        expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
        expect(answer).not.toMatch(/<html|node_modules|\/supabase\/local\/|\.ts\b|TypeError/i);
      }
    },
  );

  test.each(["TRACE", "CONNECT", "PROPFIND"])("to %s", async (method) => {
    for (const path of [
      "/functions/v1/api/images",
      "/auth/v1/user",
      "/storage/v1/bucket",
      "/realtime/v1/websocket",
    ]) {
      const answer = await ask(`${method} ${path} HTTP/1.1`, ["Host: x", "X-Secret: 1"]);
      expect(answer).not.toMatch(/^HTTP\/1\.1 (2|500)/);
      expect(answer).not.toMatch(/X-Secret|<html|node_modules/i);
    }
  });
});

test("a request that could be read in two ways is read in none", async () => {
  const post = "POST /functions/v1/api/images HTTP/1.1\r\nHost: x\r\n";
  const hidden = "GET /functions/v1/api/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  for (const headers of [
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Content-Length: 5\r\nContent-Length: 50\r\n\r\nabcde",
    "Content-Length: -5\r\n\r\n",
    "X-Folded: a\r\n b\r\n\r\n",
  ]) {
    const answer = await rig.sendRaw(post + headers + hidden);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer).not.toContain("isAlive");
  }
});

test("links are made of what we are called, not of what a caller calls us", async () => {
  const { id } = await rig.addReady(rig.alice);
  const answer = await ask(`GET /functions/v1/api/images/${id} HTTP/1.1`, [
    "Host: evil.test",
    "X-Forwarded-Host: evil.test",
    "Forwarded: host=evil.test",
    `Authorization: Bearer ${rig.alice.token}`,
  ]);
  expect(answer).toContain(`"original":"${rig.url}/storage/v1/object/sign/`);
  expect(answer).not.toContain("evil.test");
});

test("headers of the client do not say where it is", async () => {
  for (const name of ["X-Real-IP", "X-Forwarded-For", "CF-Connecting-IP", "Forwarded", "True-Client-IP"]) {
    await ask("GET /functions/v1/api/images HTTP/1.1", ["Host: x", `${name}: 203.0.113.7`]);
  }
  const buckets = await rig.sql<{ subject: string }[]>`
    select subject from parlance.rate_buckets where route_class = 'anonymous'
  `;
  expect(buckets).toEqual([{ subject: "nobody 127.0.0.1" }]);
});

/** Sends a byte now and then and never the end; answers with what came until the server hung up. */
async function drip(head: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect(Number(new URL(rig.url).port), "127.0.0.1", () => socket.write(head));
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk.toString();
  });
  const dripping = setInterval(() => socket.write("-"), 50);
  let isOurs = false;
  const patience = setTimeout(() => {
    isOurs = true;
    socket.destroy();
  }, 8_000);
  socket.on("error", () => {});
  socket.on("close", () => resolve());
  await promise;
  clearInterval(dripping);
  clearTimeout(patience);
  if (isOurs) throw new Error(`the server did not hang up after: ${received.slice(0, 100)}`);
  return received;
}

test.each(["application/json", "multipart/form-data; boundary=x"])(
  "a body of %s that never ends is not waited for, and nothing of it is kept",
  async (type) => {
    const head = [
      "POST /functions/v1/api/images HTTP/1.1",
      "Host: x",
      `Authorization: Bearer ${rig.alice.token}`,
      `Content-Type: ${type}`,
      "Content-Length: 500000",
      "",
      "--x",
    ].join("\r\n");
    const answer = await drip(head);
    expect(answer).toMatch(/^HTTP\/1\.1 504 /);
    expect(answer).toContain('"code":"deadline_exceeded"');
  },
);
