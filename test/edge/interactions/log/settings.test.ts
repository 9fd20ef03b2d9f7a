import { afterAll, beforeAll, expect, test } from "vitest";
import { InteractionSettings } from "../../../../shared/interactions/listing.ts";
import { openTestApp, type TestApp, type Who } from "../../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp({ environment: { RATE_LIMIT_WRITE: "100000" } });
});
afterAll(() => house.close());

const path = "/interactions/settings";
const change = (who: Who, wish: unknown, query = "") =>
  house.call(who, "PATCH", `${path}${query}`, {
    body: JSON.stringify(wish),
    headers: { "content-type": "application/json" },
  });
const show = async (who: Who, query = "") => {
  const answer = await house.call(who, "GET", `${path}${query}`);
  expect(answer.status, answer.text).toBe(200);
  return InteractionSettings.strict().parse(answer.body);
};

const usual = {
  redact: [],
  retentionDays: null,
  retentionDaysByApp: {},
  alertEmail: null,
  alertEmailSeverityMin: "warning",
};

test("are there before anything was logged, and each part is changed by itself", async () => {
  expect(await show(house.alice)).toEqual(usual);
  expect((await change(house.alice, {})).body).toEqual(usual);
  const first = await change(house.alice, { redact: ["email", "key", "email"], retentionDays: 30 });
  expect(first.body).toEqual({ ...usual, redact: ["email", "key"], retentionDays: 30 });
  const second = await change(house.alice, {
    retentionDaysByApp: { 'a "b" {c}': 7, kept_app: null },
    alertEmailSeverityMin: "critical",
  });
  expect(second.body).toEqual({
    ...first.body,
    retentionDaysByApp: { 'a "b" {c}': 7, kept_app: null },
    alertEmailSeverityMin: "critical",
  });
  expect((await change(house.alice, { retentionDays: null, redact: [] })).body).toMatchObject({
    retentionDays: null,
    redact: [],
  });
  expect(await show(house.bob)).toEqual(usual);
});

test("what is redacted does not reach the log, nor what it is searched by", async () => {
  await change(house.bob, { redact: ["email"] });
  const logged = await house.call(house.bob, "POST", "/interactions", {
    body: JSON.stringify({ input: "write to zaphod@example.com", output: "done" }),
    headers: { "content-type": "application/json" },
  });
  expect(logged.status, logged.text).toBe(201);
  const find = async (q: string) => (await house.call(house.bob, "GET", `/interactions?q=${q}`)).body.items;
  expect(await find("zaphod")).toEqual([]);
  expect(await find("email")).toMatchObject([{ input: "write to [email]" }]);
  const { sql } = house;
  const { hashWords } = await import("../../../../shared/interactions/words.ts");
  expect(
    await sql`select from parlance.interaction_words where words @> ${hashWords(["zaphod"])}::integer[]`,
  ).toHaveLength(0);
  expect(
    await sql`select from parlance.interaction_words where words @> ${hashWords(["email", "write"])}::integer[]`,
  ).toHaveLength(1);
});

test("alerts are sent to one's own address alone, unless an admin says so", async () => {
  expect((await change(house.alice, { alertEmail: "Alice@Example.com" })).body.alertEmail).toBe(
    "Alice@Example.com",
  );
  for (const alertEmail of [
    "bob@example.com",
    "alice@example.com.evil.org",
    "alice+x@example.com",
    "x",
    "a@b.c,d@e.f",
  ]) {
    const answer = await change(house.alice, { alertEmail });
    expect(answer.status, alertEmail).toBe(400);
  }
  expect((await show(house.alice)).alertEmail).toBe("Alice@Example.com");
  expect((await change(house.alice, { alertEmail: null })).body.alertEmail).toBeNull();
  expect((await change(house.admin, { alertEmail: "team@example.com" })).body.alertEmail).toBe(
    "team@example.com",
  );
  expect((await change("secret", { alertEmail: "ops@example.com" })).body.alertEmail).toBe("ops@example.com");
});

test("the house's are for admins and the secret key, whose own they are", async () => {
  expect((await change(house.admin, { retentionDays: 12 }, "?scope=house")).status).toBe(200);
  expect((await show("secret")).retentionDays).toBe(12);
  expect((await change(house.alice, { retentionDays: 1 }, "?scope=house")).status).toBe(403);
  for (const who of ["nobody", "publishable"] as const) {
    expect((await house.call(who, "GET", path)).status).toBe(401);
    expect((await change(who, {})).status).toBe(401);
  }
});

test.each([
  [{ retentionDays: 0 }],
  [{ retentionDays: 1.5 }],
  [{ retentionDays: 40_000 }],
  [{ redact: ["names"] }],
  [{ retentionDaysByApp: { "": 1 } }],
  [{ retentionDaysByApp: { "a\0": 1 } }],
  [
    {
      retentionDaysByApp: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`app ${index}`, 1])),
    },
  ],
  [{ alertEmailSeverityMin: "none" }],
  [{ ownerId: null }],
])("%j is refused", async (wish) => {
  expect((await change(house.alice, wish)).status).toBe(400);
});
