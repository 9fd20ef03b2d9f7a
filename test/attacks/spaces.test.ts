import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRig, type Rig, type Who } from "./rig.ts";

/** Embedding spaces: for admins alone, and one that searches whatever they do at once. */
let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  await rig.addReady(rig.alice);
});
afterAll(() => rig?.close());

const ask = (method: string, path: string, body?: unknown, who: Who = rig.admin) =>
  body === undefined ? rig.call(who, method, path) : rig.sendJson(who, method, path, body);

let made = 0;
async function makeSpace(dimensions = 3): Promise<number> {
  made += 1;
  const space = { model: "nobody-has-it", modelDigest: "d", dimensions, name: `made-${made}` };
  const answer = await ask("POST", "/spaces", space);
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.body.id;
}

async function currentSpaces(): Promise<string[]> {
  const { body } = await ask("GET", "/spaces");
  const spaces = body.items as { name: string; isCurrent: boolean }[];
  return spaces.filter(({ isCurrent }) => isCurrent).map(({ name }) => name);
}

const routes: [string, string, unknown?][] = [
  ["GET", "/spaces"],
  ["GET", "/spaces/1"],
  ["GET", "/spaces/99"],
  ["POST", "/spaces", { model: "x", modelDigest: "x", dimensions: 3 }],
  ["POST", "/spaces", "{"],
  ["PUT", "/spaces/current", { spaceId: 1, force: true }],
  ["POST", "/spaces/1/fills"],
  ["POST", "/spaces/1/comparisons", { queries: 1 }],
  ["DELETE", "/spaces/1?force=true"],
  ["GET", "/images/recall"],
  ["GET", "/gpu-stats"],
  ["GET", "/metrics"],
];

describe("operators' routes", () => {
  test.each(routes)(
    "%s %s is for admins alone, and says nothing else to others",
    async (method, path, body) => {
      for (const [who, status] of [
        ["nobody", 401],
        ["publishable", 401],
        [rig.alice, 403],
      ] as const) {
        const answer = await ask(method, path, body, who);
        expect(answer.status, answer.text).toBe(status);
        expect(answer.body.errors).toEqual([]);
      }
      for (const headers of [
        { apikey: rig.publishableKey, authorization: `Bearer ${rig.admin.token.slice(0, -6)}AAAAAA` },
        { authorization: `Bearer ${rig.secretKey}x` },
        { apikey: rig.secretKey.toUpperCase() },
      ]) {
        const answer = await rig.call("nobody", method, path, { headers });
        expect(answer.status, answer.text).toBe(401);
      }
    },
  );

  test("changed nothing", async () => {
    expect((await ask("GET", "/spaces")).body.items).toHaveLength(1);
    expect(await currentSpaces()).toEqual(["palette"]);
  });

  test("who writes that they are an admin is none", async () => {
    const claims = JSON.parse(
      atob((rig.alice.token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")),
    );
    const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    const admin = Buffer.from(JSON.stringify({ ...claims, app_metadata: { role: "admin" } })).toString(
      "base64url",
    );
    const [head, , signature] = rig.alice.token.split(".");
    for (const token of [`${none}.${admin}.`, `${head}.${admin}.${signature}`])
      expect((await ask("GET", "/spaces", undefined, { id: rig.alice.id, token })).status).toBe(401);
  });
});

describe("what a space cannot be", () => {
  test.each([
    ["a name that leaves its quotes", { name: `x"; drop table parlance.images; --` }],
    ["a name of the file system", { name: "../x" }],
    ["a name without end", { name: "x".repeat(65) }],
    ["a model that is no key", { model: "A b" }],
    ["a digest without end", { modelDigest: "x".repeat(101) }],
    ["a digest that holds a NUL", { modelDigest: "x\0" }],
    ["no dimensions", { dimensions: 0 }],
    ["more dimensions than an index has", { dimensions: 2001 }],
    ["half a dimension", { dimensions: 1.5 }],
    ["dimensions in words", { dimensions: "3); drop table parlance.images; --" }],
    ["a number of its own", { id: 7 }],
    ["a place among those that search", { isCurrent: true }],
  ])("%s", async (_what, change) => {
    const answer = await ask("POST", "/spaces", { model: "x", modelDigest: "x", dimensions: 3, ...change });
    expect([answer.status, answer.body.code], answer.text).toEqual([400, "invalid_request"]);
  });

  test.each(["0", "-1", "32768", "1.5", "x", "%00", "1;", "1e9", "9999999999999999999"])(
    "one of the number %s is refused",
    async (id) => {
      for (const [method, path] of [
        ["GET", `/spaces/${id}`],
        ["DELETE", `/spaces/${id}`],
        ["POST", `/spaces/${id}/fills`],
      ] as const)
        expect((await ask(method, path)).status).toBe(400);
      expect((await ask("PUT", "/spaces/current", { spaceId: id })).status).toBe(400);
    },
  );

  test("one more than there are numbers is refused in words", async () => {
    const [before] = await rig.sql<
      { lastValue: string }[]
    >`select last_value from parlance.embedding_space_ids`;
    await rig.sql`select setval('parlance.embedding_space_ids', 32767)`;
    const answer = await ask("POST", "/spaces", { model: "x", modelDigest: "x", dimensions: 3 });
    await rig.sql`select setval('parlance.embedding_space_ids', ${before?.lastValue ?? 1}::bigint, false)`;
    expect([answer.status, answer.body.code], answer.text).toEqual([409, "conflict"]);
  });
});

describe("many changes at once", () => {
  test("leave one space that searches, and no search without an answer", async () => {
    const ids = [1, await makeSpace(), await makeSpace()];
    const switches = Array.from({ length: 12 }, (_, index) =>
      ask("PUT", "/spaces/current", { spaceId: ids[index % ids.length], force: true }),
    );
    const searches = Array.from({ length: 12 }, (_, index) =>
      rig.call(rig.alice, "GET", `/images/search?q=blue+${index}`),
    );
    for (const answer of await Promise.all(switches))
      expect([200, 503], answer.text).toContain(answer.status);
    for (const answer of await Promise.all(searches)) expect(answer.status, answer.text).toBe(200);
    expect(await currentSpaces()).toHaveLength(1);
    expect((await ask("PUT", "/spaces/current", { spaceId: 1, force: true })).status).toBe(200);
    for (const id of ids.slice(1)) expect((await ask("DELETE", `/spaces/${id}?force=true`)).status).toBe(204);
  });

  test("drop a space once, whoever fills, compares or switches to it", async () => {
    const id = await makeSpace();
    const answers = await Promise.all([
      ask("POST", `/spaces/${id}/fills`),
      ask("DELETE", `/spaces/${id}?force=true`),
      ask("POST", `/spaces/${id}/comparisons`, {}),
      ask("DELETE", `/spaces/${id}?force=true`),
      ask("POST", `/spaces/${id}/fills`),
      ask("GET", `/spaces/${id}`),
    ]);
    for (const { status, text } of answers) expect([200, 202, 204, 404, 409, 503], text).toContain(status);
    await ask("DELETE", `/spaces/${id}?force=true`);
    for (const [method, path] of [
      ["POST", `/spaces/${id}/fills`],
      ["POST", `/spaces/${id}/comparisons`],
      ["DELETE", `/spaces/${id}`],
    ] as const)
      expect((await ask(method, path)).status).toBe(404);
    expect((await ask("PUT", "/spaces/current", { spaceId: id, force: true })).status).toBe(404);
    expect(await currentSpaces()).toEqual(["palette"]);
    const left = await rig.sql`select to_regclass(${`parlance.image_vectors_${id}`}) as name`;
    expect(left).toEqual([{ name: null }]);
  });

  test("make a name once", async () => {
    const space = { model: "nobody-has-it", modelDigest: "d", dimensions: 3, name: "wanted-by-all" };
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask("POST", "/spaces", space)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const { status, text } of answers) expect([201, 409, 503], text).toContain(status);
  });

  test("the space that searches is dropped by no force", async () => {
    expect((await ask("DELETE", "/spaces/1?force=true")).status).toBe(409);
    expect((await rig.call(rig.alice, "GET", "/images/search?q=blue")).body.method).toBe("vectors");
  });
});
