import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openTestApp, type TestAnswer, type TestApp, type Who } from "../../helpers/app.ts";

let house: TestApp;
let tight: TestApp;
beforeAll(async () => {
  house = await openTestApp();
  // One token comes back every 30 or 60 seconds: none within a test.
  tight = house.withSettings({
    RATE_LIMIT_READ: "2",
    RATE_LIMIT_WRITE: "1",
    RATE_LIMIT_SEARCH: "1",
    RATE_LIMIT_JOB: "2",
    RATE_LIMIT_ANONYMOUS: "2",
    CLIENT_ADDRESS_HEADER: "X-Forwarded-For",
  });
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.sql`delete from parlance.rate_buckets`;
});

const get = (who: Who, path: string, headers: Record<string, string> = {}, app = tight) =>
  app.call(who, "GET", path, { headers });

const statuses = async (answers: Promise<TestAnswer>[]) =>
  (await Promise.all(answers)).map(({ status }) => status).sort();

test("every limited answer says what is left, in the fields of the draft", async () => {
  const first = await get(house.alice, "/jobs");
  expect(first.headers.get("ratelimit-policy")).toBe('"job";q=2;w=60');
  expect(first.headers.get("ratelimit")).toMatch(/^"job";r=1;t=\d+$/);
  const refused = await get(house.alice, "/jobs/not-a-uuid");
  expect([refused.status, refused.headers.get("ratelimit")]).toEqual([
    400,
    expect.stringMatching(/^"job";r=0;t=/),
  ]);
});

test("a used-up limit is refused with the seconds to wait", async () => {
  await get(house.alice, "/jobs");
  await get(house.alice, "/jobs");
  const answer = await get(house.alice, "/jobs");
  expect([answer.status, answer.body.code]).toEqual([429, "rate_limited"]);
  const wait = Number(answer.headers.get("retry-after"));
  expect(wait).toBeGreaterThanOrEqual(1);
  expect(wait).toBeLessThanOrEqual(30);
  expect(answer.headers.get("ratelimit")).toBe(`"job";r=0;t=${wait}`);
});

test("tokens come back with time", async () => {
  await get(house.alice, "/jobs");
  await get(house.alice, "/jobs");
  await house.sql`update parlance.rate_buckets set updated_at = updated_at - interval '30 seconds'`;
  expect((await get(house.alice, "/jobs")).status).toBe(200);
  expect((await get(house.alice, "/jobs")).status).toBe(429);
});

test("many at once take no more than there is", async () => {
  const answers = Array.from({ length: 10 }, () => get(house.alice, "/jobs"));
  expect(await statuses(answers)).toEqual([200, 200, ...Array<number>(8).fill(429)]);
});

test("users do not use up each other's limits, nor one kind of route another's", async () => {
  expect(await statuses([1, 2].map(() => get(house.alice, "/jobs")))).toEqual([200, 200]);
  expect((await get(house.bob, "/jobs")).status).toBe(200);
  expect((await get(house.alice, "/images")).headers.get("ratelimit-policy")).toBe('"read";q=2;w=60');
  const search = await get(house.alice, "/images/search?q=red");
  expect(search.headers.get("ratelimit-policy")).toBe('"search";q=1;w=60');
  const write = await tight.call(house.alice, "DELETE", `/images/${crypto.randomUUID()}`);
  expect([write.status, write.headers.get("ratelimit-policy")]).toEqual([404, '"write";q=1;w=60']);
  expect((await tight.call(house.alice, "DELETE", `/images/${crypto.randomUUID()}`)).status).toBe(429);
});

test("a user is limited wherever they are", async () => {
  const answers = ["1.1.1.1", "2.2.2.2", "3.3.3.3"].map((address) =>
    get(house.alice, "/jobs", { "x-forwarded-for": address }),
  );
  expect(await statuses(answers)).toEqual([200, 200, 429]);
});

test("without a user each address has its own limit, and a key its own", async () => {
  const from = (address: string, who: Who = "publishable") =>
    get(who, "/images", { "x-forwarded-for": address });
  expect(await statuses([from("1.1.1.1"), from("1.1.1.1"), from("1.1.1.1")])).toEqual([200, 200, 429]);
  expect((await from("2001:db8::1")).status).toBe(200);
  expect((await from("1.1.1.1", "nobody")).status).toBe(200);
});

test("of a list of addresses only the last counts: what stands before it anyone can write", async () => {
  const answers = ["9.9.9.1, 1.1.1.1", "9.9.9.2, 1.1.1.1", "9.9.9.3, 1.1.1.1"].map((list) =>
    get("nobody", "/images", { "x-forwarded-for": list }),
  );
  expect(await statuses(answers)).toEqual([200, 200, 429]);
});

test("an address that is none gives no limit of its own", async () => {
  const answers = ["one", "two", "x".repeat(5000)].map((address) =>
    get("nobody", "/images", { "x-forwarded-for": address }),
  );
  expect(await statuses(answers)).toEqual([200, 200, 429]);
});

test("no header is trusted that no setting names", async () => {
  const untrusting = tight.withSettings({ CLIENT_ADDRESS_HEADER: "" });
  const answers = ["1.1.1.1", "2.2.2.2", "3.3.3.3"].map((address) =>
    get("nobody", "/images", { "x-forwarded-for": address, "x-real-ip": address }, untrusting),
  );
  expect(await statuses(answers)).toEqual([200, 200, 429]);
});

test("the secret key is not limited", async () => {
  const answers = await Promise.all(Array.from({ length: 6 }, () => get("secret", "/jobs")));
  expect(answers.map(({ status }) => status)).toEqual(Array<number>(6).fill(200));
  expect(answers[0]?.headers.get("ratelimit")).toBeNull();
});

test("a forged token uses up nobody's limit", async () => {
  for (let round = 0; round < 5; round++) {
    const headers = { authorization: `Bearer ${house.alice.token.slice(0, -4)}AAAA` };
    expect((await get("nobody", "/jobs", headers)).status).toBe(401);
  }
  expect((await get(house.alice, "/jobs")).status).toBe(200);
});
