import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drawJpeg, openRig, type Rig, type Who } from "./rig.ts";

/** Searches as those ask them who want what is not theirs, an error, or everyone else's time. */
let rig: Rig;
let hidden: { id: string };

beforeAll(async () => {
  rig = await openRig({ RATE_LIMIT_ANONYMOUS: "10000", RATE_LIMIT_SEARCH: "10000" });
  hidden = await rig.addReady(rig.bob);
  await rig.call(rig.bob, "PATCH", `/images/${hidden.id}`, {
    body: JSON.stringify({ title: "Xylophone", keywords: ["hideout"] }),
    headers: { "content-type": "application/json" },
  });
  for (let i = 0; i < 3; i++) await rig.addReady(rig.alice);
});
afterAll(() => rig?.close());

const search = (who: Who, query: string) => rig.call(who, "GET", `/images/search?${query}`);
const asJson = (cursor: string) => JSON.parse(Buffer.from(cursor, "base64url").toString());
const asCursor = (values: unknown) => Buffer.from(JSON.stringify(values)).toString("base64url");

async function searchByPicture(who: Who, bytes?: Uint8Array, query = "") {
  const form = new FormData();
  form.set("file", new File([new Uint8Array(bytes ?? (await drawJpeg()))], "asked.jpg"));
  return rig.call(who, "POST", `/images/search${query}`, { body: form });
}

describe("words of every kind are a question, and none is an error of ours", () => {
  test.each([
    ["minuses", "-".repeat(99)],
    ["minuses and a word", `${"-".repeat(99)}a`],
    ["minuses apart", "- ".repeat(49)],
    ["minuses with what is passed over", "-!-(-&-|".repeat(12)],
    ["quotes", '"'.repeat(100)],
    ["quotes and minuses", '-"" '.repeat(25)],
    ["operators", "!&|()<->:*'\\%_".repeat(7)],
    ["alternatives", "or a or b -".repeat(9)],
    ["places of a format", "%1$L %s %I %% $1"],
    ["an end of a string", "'; select 1; --"],
    ["a NUL inside", "a\0b"],
    ["marks above marks", `a${"\u0300".repeat(99)}`],
    ["letters beside letters", "😀".repeat(50)],
    ["another direction", "\u202e\u2066\ufeffabc"],
  ])("%s", async (_what, words) => {
    for (const who of [rig.alice, "publishable"] as const) {
      const answer = await search(who, `q=${encodeURIComponent(words)}`);
      expect([200, 400], answer.text).toContain(answer.status);
      const less = await search(who, `q=blue&minus=${encodeURIComponent(words)}`);
      expect([200, 400], less.text).toContain(less.status);
    }
  });

  test.each([
    ["letters that become eighteen each", `q=${encodeURIComponent("\ufdfa".repeat(100))}`],
    ["a hundred and one letters", `q=${"a".repeat(101)}`],
    ["nothing but control characters", "q=%00%01%02"],
    ["two questions", "q=a&q=b"],
    ["ten thousand keywords", `q=a&${"keyword=a&".repeat(1500)}`],
    ["a keyword with a NUL", "q=a&keyword=a%00"],
    ["a colour that is none", "q=a&colour=infrared"],
    ["an offset of a day", "q=a&takenAfter=2000-01-01T00:00:00%2B23:59"],
    ["an offset beyond those that Postgres knows", "q=a&addedBefore=2000-01-01T00:00:00-16:00"],
    ["a time without end", "q=a&takenAfter=infinity"],
    ["a day that is none", "q=a&takenAfter=2000-02-30T00:00:00Z"],
    ["more hits than a page has", "q=a&limit=1e3"],
    ["a picture and words", `q=a&picture=${crypto.randomUUID()}`],
  ])("%s are refused by the field", async (_what, query) => {
    const answer = await search(rig.alice, query);
    expect([answer.status, answer.body?.code], answer.text).toEqual([400, "invalid_request"]);
  });

  test("an address line without an end is refused before it is an answer's work", async () => {
    const answer = await search(rig.alice, `q=${"a".repeat(200_000)}`);
    expect([400, 413, 414, 431]).toContain(answer.status);
  });

  test("the same filters are refused where pictures are listed", async () => {
    const answer = await rig.call(rig.alice, "GET", "/images?takenAfter=2000-01-01T00:00:00%2B23:59");
    expect([answer.status, answer.body.code]).toEqual([400, "invalid_request"]);
  });
});

describe("a cursor that was not given", () => {
  let given: Record<string, unknown>;
  beforeAll(async () => {
    given = asJson((await search(rig.alice, "q=blue&limit=1")).body.nextCursor);
  });

  test.each([
    ["a space beyond all numbers of spaces", { space: 40_000 }],
    ["a space beyond all integers", { space: 2 ** 53 - 1 }],
    ["a space that is not there", { space: 32_767 }],
    ["a depth below the end", { depth: 1000 }],
    ["no depth", { depth: 0 }],
    ["a score beyond all scores", { score: 1e308 }],
    ["words for a score", { score: "1 or true" }],
    ["another question", { question: "A".repeat(16) }],
    ["one thing more", { more: true }],
    ["a prototype", JSON.parse('{"__proto__":{"depth":1}}')],
  ])("with %s is refused", async (_what, change) => {
    const cursor = asCursor(Object.assign(Object.create(null), given, change, { ...change }));
    const answer = await search(rig.alice, `q=blue&limit=1&cursor=${cursor}`);
    expect([answer.status, answer.body.code], answer.text).toEqual([400, "invalid_cursor"]);
    const similar = await rig.call(rig.bob, "GET", `/images/${hidden.id}/similar?cursor=${cursor}`);
    expect(similar.status).toBe(400);
  });

  test.each([
    ["the way of words", { way: "no_sidecar" }],
    ["the way of both", { way: "fused" }],
    ["the rest", { way: "fused", phase: "rest" }],
    ["no space", { space: null }],
    ["the least score", { score: -1.01 }],
    ["the last place", { depth: 999 }],
    ["another's picture", () => ({ id: hidden.id, score: 1.01 })],
  ])("with %s shows nothing of another's", async (_what, change) => {
    const cursor = asCursor({ ...given, ...(typeof change === "function" ? change() : change) });
    const answer = await search(rig.alice, `q=blue&limit=1&cursor=${cursor}`);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).not.toContain(hidden.id);
  });

  test("is of no use to another, for another scope, or for other filters", async () => {
    const cursor = asCursor(given);
    for (const [who, query] of [
      [rig.bob, "q=blue&limit=1"],
      [rig.alice, "q=blue&limit=1&scope=public"],
      [rig.alice, "q=blue&limit=1&colour=blue"],
      [rig.alice, "q=blue&limit=1&fold=similar"],
      [rig.alice, "q=red&limit=1"],
    ] as const) {
      const answer = await search(who, `${query}&cursor=${cursor}`);
      expect([answer.status, answer.body.code], query).toEqual([400, "invalid_cursor"]);
    }
  });
});

describe("another's private picture", () => {
  test.each([
    ["its words", "q=xylophone"],
    ["the beginning of its name", "q=e"],
    ["its keyword", "q=blue&keyword=hideout"],
    ["whether it has a place", "q=blue&hasPlace=false"],
    ["everything before tomorrow", "q=blue&addedBefore=2100-01-01T00:00:00Z&limit=100&fold=similar"],
    ["what words do not say", "q=-nothing"],
  ])("is not found by %s", async (_what, query) => {
    for (const [who, scopes] of [
      [rig.alice, ["own", "public"]],
      ["publishable", ["public"]],
    ] as const)
      for (const scope of scopes) {
        const answer = await search(who, `${query}&scope=${scope}`);
        expect(answer.status, answer.text).toBe(200);
        expect(answer.text).not.toContain(hidden.id);
      }
  });

  test("is not said to be there by what is like it", async () => {
    const another = crypto.randomUUID();
    for (const who of [rig.alice, "publishable", "nobody"] as const) {
      const [there, absent] = [
        await rig.call(who, "GET", `/images/${hidden.id}/similar`),
        await rig.call(who, "GET", `/images/${another}/similar`),
      ];
      const { requestId: _, instance: __, ...told } = there.body;
      const { requestId: ___, instance: ____, ...toldOfNone } = absent.body;
      expect([there.status, told]).toEqual([absent.status, toldOfNone]);
      expect(there.status).toBe(404);
    }
  });

  test("all pictures are for admins alone", async () => {
    expect((await search(rig.alice, "q=blue&scope=all")).status).toBe(403);
    expect((await search("publishable", "q=blue&scope=all")).status).toBe(401);
    expect((await search(rig.admin, "q=xylophone&scope=all")).text).toContain(hidden.id);
  });
});

describe("a picture to search by", () => {
  test("names a query that nobody else goes on with", async () => {
    const bytes = await drawJpeg();
    const asked = await searchByPicture(rig.alice, bytes);
    expect(asked.status, asked.text).toBe(200);
    const { picture } = asked.body;
    expect((await search(rig.alice, `picture=${picture}`)).status).toBe(200);
    for (const who of [rig.bob, rig.admin, "publishable", "nobody", "secret"] as const)
      expect((await search(who, `picture=${picture}`)).status).toBe(404);
    const same = await searchByPicture(rig.bob, bytes);
    expect(same.body.picture).not.toBe(picture);
    const guest = await searchByPicture("publishable", bytes);
    for (const who of [rig.alice, "secret"] as const)
      expect((await search(who, `picture=${guest.body.picture}`)).status).toBe(404);
  });

  test("leaves nothing in storage, whatever came of it", async () => {
    const text = (words: string) => new TextEncoder().encode(words);
    const jpeg = await drawJpeg();
    const attempts: [Uint8Array, number][] = [
      [jpeg, 200],
      [jpeg.subarray(0, 100), 422],
      [new Uint8Array(), 400],
      [text("<svg xmlns='http://www.w3.org/2000/svg'/>"), 415],
      [text("%PDF-1.7"), 415],
      [Buffer.concat([jpeg, text("<script>alert(1)</script>")]), 200],
    ];
    for (const [bytes, status] of attempts)
      expect((await searchByPicture("publishable", bytes)).status).toBe(status);
    const left = await rig.sql`select name from storage.objects where name like '%/query'`;
    expect(left).toEqual([]);
    expect(await rig.sql`select from parlance.picture_queries where embedding is null`).toEqual([]);
  });

  test("senders who never end keep nobody else out", async () => {
    const port = Number(new URL(rig.url).port);
    const beginning = [
      "POST /functions/v1/api/images/search HTTP/1.1",
      "Host: parlance",
      `apikey: ${rig.publishableKey}`,
      "Content-Type: multipart/form-data; boundary=x",
      "Content-Length: 100000",
      "",
      "--x\r\n",
    ].join("\r\n");
    const sockets = Array.from({ length: 6 }, () => {
      const socket = connect(port, "127.0.0.1", () => socket.write(beginning));
      return socket.on("error", () => {});
    });
    try {
      const refused = async () => (await searchByPicture("publishable")).status === 503;
      for (const end = Date.now() + 40_000; !(await refused()) && Date.now() < end; );
      expect(await refused()).toBe(true);
      expect((await searchByPicture(rig.alice)).status).toBe(200);
      expect((await searchByPicture(rig.bob)).status).toBe(200);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});
