import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashBody } from "../../edge/http/body-hash.ts";
import { openRig, type Rig, writeForm } from "./rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig?.close());

const MiB = 2 ** 20;
const id = "019a0000-0000-7000-8000-000000000000";
const toCursor = (json: string) => Buffer.from(json).toString("base64url");

describe("a cursor that is well-formed and none of ours", () => {
  const listed = [
    { createdAt: `2026-01-01T00:00:00.${"1".repeat(200)}Z`, id },
    { createdAt: `2026-01-01T00:00:00.${"1".repeat(7)}Z`, id },
    { createdAt: "0001-01-01T00:00:00Z", id },
    { createdAt: "9999-12-31T23:59:59Z", id },
    { createdAt: "2026-02-30T00:00:00Z", id },
    { createdAt: "2026-01-01T00:00:00+14:00", id },
    { createdAt: "infinity", id },
    { createdAt: 1, id },
    { createdAt: "2026-01-01T00:00:00Z", id: `${id}' or true --` },
    { createdAt: "2026-01-01T00:00:00Z", id, ownerId: id },
  ].map((cursor) => ["/images", JSON.stringify(cursor)] as const);
  const score = (text: string, rest = "") =>
    `{"way":"vectors","space":1,"phase":"window","score":${text},"id":"${id}","depth":1,"question":"${"a".repeat(16)}","isMinusVector":false,"isMatched":false${rest}}`;
  const searched = [
    score("1e999"),
    score("-1e999"),
    score("1e308"),
    score("null"),
    score('"0.5"'),
    score("[0.5]"),
    score("0.5", ',"x":1'),
    score("0.5").replace('"depth":1', '"depth":1000'),
    score("0.5").replace('"depth":1', '"depth":-1'),
    score("0.5").replace('"depth":1', '"depth":1.5'),
    score("0.5").replace("vectors", "vectors'; select 1 --"),
    score("0.5").replace('"space":1', '"space":"1"'),
    score("0.5").replace('"space":1', '"space":1e9'),
    score("0.5").replace("window", "beyond"),
    score("0.5"),
  ].map((cursor) => ["/images/search?q=red", cursor] as const);
  const others = [
    ["/jobs", `{"id":"${id}' or true --"}`],
    ["/jobs", '{"id":null}'],
    ["/jobs", "[]"],
    ["/images", "[".repeat(700)],
    ["/images", "\ufeff{}"],
  ] as const;

  test.each([...listed, ...searched, ...others])("is refused by %s: %s", async (path, cursor) => {
    const answer = await rig.call(
      rig.alice,
      "GET",
      `${path}${path.includes("?") ? "&" : "?"}cursor=${toCursor(cursor)}`,
    );
    expect([answer.status, answer.body.code]).toEqual([400, "invalid_cursor"]);
  });

  test.each([
    ["score", "5e-324"],
    ["score", "-5e-324"],
    ["score", "-0"],
    ["score", "1.01"],
    ["score", "-1.01"],
    ["space", "1"],
    ["space", "2147483648"],
    ["phase", '"rest"'],
    ["way", '"fused"'],
    ["isMinusVector", "true"],
  ])("of a question of ours may begin anywhere: %s %s", async (field, value) => {
    const hidden = await rig.addReady(rig.bob);
    for (let count = 0; count < 2; count++) await rig.addReady(rig.alice);
    const path = "/images/search?q=jpg&limit=1";
    const first = await rig.call(rig.alice, "GET", path);
    const cursor = JSON.parse(Buffer.from(first.body.nextCursor, "base64url").toString());
    const forged = JSON.stringify({ ...cursor, [field]: "here" }).replace('"here"', value);
    const answer = await rig.call(rig.alice, "GET", `${path}&cursor=${toCursor(forged)}`);
    expect([200, 400, 503], answer.text).toContain(answer.status);
    if (answer.status === 400) expect(answer.body.code).toBe("invalid_cursor");
    expect(answer.text).not.toContain(hidden.id);
  });
});

describe("a query parameter", () => {
  const nasty = [
    "%00",
    "a%00b",
    "%ED%A0%80",
    "%ff%fe",
    "%",
    "'%3B%20drop%20table%20parlance.images%3B%20--",
    "$1",
    "%27%20or%201%3D1%20--",
    "NaN",
    "Infinity",
    "1e400",
    "9".repeat(400),
    "%5B%5D",
    "__proto__",
    "\u202e",
  ];
  const targets = [
    "/images?name=",
    "/images?limit=",
    "/images?scope=",
    "/images?cursor=",
    "/images/search?q=",
    "/images/search?q=red&limit=",
    "/images/search?q=red&cursor=",
    `/images/${id}/similar?cursor=`,
    "/images/",
    "/jobs?state=",
    "/jobs?kind=",
    "/jobs?subjectId=",
    "/jobs?cursor=",
    "/jobs/",
    `/jobs/${id}/events?after=`,
  ];
  test.each(targets)("%s takes what it can and refuses the rest, and nothing breaks", async (target) => {
    for (const value of nasty) {
      const answer = await rig.call(rig.alice, "GET", target + value);
      expect([200, 400, 404], `${target}${value}: ${answer.text}`).toContain(answer.status);
    }
  });
});

describe("a body", () => {
  const announced = { name: "n", mediaType: "image/jpeg", sizeBytes: 10 };
  test.each([
    ["deep arrays", "[".repeat(500_000)],
    ["deep arrays that are closed", "[".repeat(250_000) + "]".repeat(250_000)],
    ["deep objects in a field", `{"name":${'{"a":'.repeat(150_000)}1${"}".repeat(150_000)}}`],
    ["a zero byte in the name", JSON.stringify({ ...announced, name: "a\0b" })],
    ["a zero byte in a keyword", JSON.stringify({ ...announced, keywords: ["\0"] })],
    ["a size beyond numbers", '{"name":"n","mediaType":"x","sizeBytes":1e400}'],
    ["a size that is a fraction", JSON.stringify({ ...announced, sizeBytes: 1.5 })],
    ["keys of Object", '{"__proto__":{"name":"n","mediaType":"x","sizeBytes":1}}'],
    ["nothing", ""],
    ["no JSON", "\x00\x01\x02"],
  ])("of %s is refused", async (_what, body) => {
    const answer = await rig.sendJson(rig.alice, "POST", "/images", body);
    expect([answer.status, answer.body.code], answer.text.slice(0, 300)).toEqual([400, "invalid_request"]);
  });

  test("of half characters and of names of Object's parts is kept as harmless text", async () => {
    const body = `{"name":"half \\ud800","title":"\\udc00","keywords":["constructor","\\"","\\\\","{a,b}","NULL"],"mediaType":"x","sizeBytes":10,"constructor":{"prototype":{"polluted":1}}}`;
    const answer = await rig.sendJson(rig.alice, "POST", "/images", body);
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body.image).toMatchObject({
      name: "half \ufffd",
      title: "\ufffd",
      keywords: ["constructor", '"', "\\", "{a,b}", "NULL"],
    });
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  test("with thousands of faults is answered in few words", async () => {
    const change = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`key${index}`, 1]));
    const unknown = await rig.sendJson(rig.alice, "PATCH", `/images/${id}`, change);
    expect([unknown.status, unknown.body.code]).toEqual([400, "invalid_request"]);
    expect(unknown.text.length).toBeLessThan(50_000);
    const fields = Array.from({ length: 10_000 }, () => ["keywords", ""] as const);
    const many = await rig.sendForm(rig.alice, writeForm(fields));
    expect([many.status, many.body.code]).toEqual([400, "invalid_request"]);
    expect(many.text.length).toBeLessThan(50_000);
  });
});

describe("a form", () => {
  test.each(["__proto__", "constructor", "toString", "file[]", "__proto__[]", ""])(
    "with a field named %j is none with a file",
    async (name) => {
      const file = `--x\r\nContent-Disposition: form-data; name="${name}"; filename="a.jpg"\r\n\r\n\xff\xd8\xff\r\n--x--\r\n`;
      const answer = await rig.sendForm(rig.alice, Buffer.from(file, "latin1"));
      expect([answer.status, answer.body.code], answer.text).toEqual([400, "invalid_request"]);
    },
  );

  test("with megabytes of keywords is refused unsplit", async () => {
    const answer = await rig.sendForm(rig.alice, writeForm([["keywords", "a,".repeat(4 * MiB)]]));
    expect(answer.status).toBe(400);
    const tooLong = { field: "body.keywords", message: expect.stringContaining("characters") };
    expect(answer.body.errors).toContainEqual(tooLong);
  });

  test("with a hundred thousand fields is refused", async () => {
    const fields = Array.from({ length: 100_000 }, (_, index) => [`field${index}`, ""] as const);
    expect((await rig.sendForm(rig.alice, writeForm(fields))).status).toBe(400);
  });

  // Read anew from every byte, this took 25 s, and nobody else was answered meanwhile.
  test("that is almost the boundary at every byte is read once", { timeout: 8_000 }, async () => {
    const boundary = `${"-".repeat(66)}x`;
    const body = new Uint8Array(25 * MiB).fill("-".charCodeAt(0));
    expect(await hashBody(body, `multipart/form-data; boundary=${boundary}`)).toMatch(/^[0-9a-f]{64}$/);
    const key = { "idempotency-key": crypto.randomUUID() };
    const sent = rig.sendForm(rig.alice, body, boundary, key);
    expect((await rig.call("nobody", "GET", "/health")).status).toBe(200);
    expect((await sent).status).toBe(400);
  });
});

test("the boundary is found wherever a search by comparing finds it", async () => {
  const split = (text: string, mark: string) => text.split(mark);
  for (const [text, boundary] of [
    ["aaaaab--aab--aaab", "aab"],
    ["--abab--ababab----ababx", "ababab"],
    ["----------x--------x", "------x"],
    ["--a--a--a", "a"],
    ["nothing", "x"],
  ] as const) {
    const parts = split(text, `--${boundary}`);
    // Another boundary that cannot occur, between the same parts, makes the same form.
    const other = parts.join("--\u0001never\u0001");
    const hash = (body: string, mark: string) =>
      hashBody(new TextEncoder().encode(body), `multipart/form-data; boundary=${mark}`);
    expect(await hash(text, boundary), text).toBe(await hash(other, "\u0001never\u0001"));
  }
});
