import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createId } from "../../../../shared/ids.ts";
import { AlertSilence, findSilenceTimes, NewSilence } from "../../../../shared/interactions/silences.ts";
import type { Who } from "../../../helpers/app.ts";
import { type AlertApp, openAlertApp } from "./rig.ts";

let house: AlertApp;
beforeAll(async () => {
  house = await openAlertApp();
});
afterAll(() => house.close());
afterEach(() => house.clear());

const post = (body: unknown, who: Who = house.alice, query = "") =>
  house.call(who, "POST", `/alerts/silences${query}`, {
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });

async function silence(body: unknown, who: Who = house.alice): Promise<AlertSilence> {
  const answered = await post(body, who);
  expect(answered.status, answered.text).toBe(201);
  return AlertSilence.strict().parse(answered.body);
}

async function list(query = "", who: Who = house.alice): Promise<AlertSilence[]> {
  const answered = await house.call(who, "GET", `/alerts/silences${query}`);
  expect(answered.status, answered.text).toBe(200);
  return answered.body.items.map((item: unknown) => AlertSilence.strict().parse(item));
}

const end = (id: string, who: Who = house.alice) => house.call(who, "DELETE", `/alerts/silences/${id}`);

test("while it runs nobody is told; when it is over people are told of what still goes on, once", async () => {
  const rule = await house.addRule(house.alice.id, { name: "long" });
  const { id } = await silence({ ruleId: rule.id, minutes: 60, reason: "release" });
  const [raised] = await house.raise(house.firing(rule));
  await house.watch();
  expect(await house.hear(house.alice.id)).toEqual([]);
  const shown = await house.call(house.alice, "GET", `/alerts/${raised?.alertId}`);
  expect(shown.body).toMatchObject({ isSilenced: true, notifications: 0, notifiedAt: null, count: 1 });
  expect((await end(id)).status).toBe(204);
  await house.watch();
  await house.watch();
  expect(await house.hear(house.alice.id)).toEqual(["alert.opened long"]);
  expect(await list()).toMatchObject([{ id, reason: "release", isRunning: false }]);
  expect(await list("?openOnly=true")).toEqual([]);
});

test("what was opened and is over within it is never told", async () => {
  const rule = await house.addRule(house.alice.id, { resolveMinutes: 10 });
  await silence({ minutes: 30 });
  await house.raise(house.firing(rule));
  await house.pass(20);
  await house.watch();
  await house.pass(20);
  await house.watch();
  expect(await house.listAlerts(house.alice.id)).toMatchObject([{ state: "resolved", resolution: "quiet" }]);
  expect(await house.hear(house.alice.id)).toEqual([]);
});

test("what people acknowledge meanwhile is not told when it is over", async () => {
  const rule = await house.addRule(house.alice.id, { resolveMinutes: 1000 });
  await silence({ minutes: 30 });
  const [raised] = await house.raise(house.firing(rule));
  await house.call(house.alice, "POST", `/alerts/${raised?.alertId}/acknowledgement`);
  await house.pass(40);
  await house.watch();
  expect(await house.hear(house.alice.id)).toEqual([`alert.changed ${rule.name}`]);
});

test("it silences what fits all of its fields, and nothing else", async () => {
  const rule = await house.addRule(house.alice.id, { groupBy: ["app", "environment", "model"] });
  const whole = await house.addRule(house.alice.id);
  const other = await house.addRule(house.bob.id, { groupBy: ["app"] });
  const of = { app: "shop", environment: "live", model: "gpt" };
  const cases: [unknown, boolean][] = [
    [{}, true],
    [{ ruleId: rule.id }, true],
    [{ ruleId: whole.id }, false],
    [{ app: "shop" }, true],
    [{ app: "other" }, false],
    [{ app: "shop", environment: "live", model: "gpt" }, true],
    [{ app: "shop", environment: "test" }, false],
    [{ model: "claude" }, false],
    [{ severityMax: "critical" }, true],
    [{ severityMax: "warning" }, true],
    [{ severityMax: "info" }, false],
    [{ startsAt: new Date(Date.now() + 600_000).toISOString() }, false],
  ];
  for (const [fields, isSilenced] of cases) {
    await house.sql`delete from parlance.alert_silences`;
    await house.sql`delete from parlance.interaction_alerts`;
    await silence({ ...(fields as object), minutes: 5 });
    await house.raise(house.firing(rule, of), house.firing(other, of));
    expect([fields, await house.hear(house.alice.id)]).toEqual([
      fields,
      isSilenced ? [] : [`alert.opened ${rule.name}`],
    ]);
    expect(await house.hear(house.bob.id)).toHaveLength(1);
  }
  // A rule that judges all apps together is not of one app.
  await house.sql`delete from parlance.alert_silences`;
  await silence({ app: "shop", minutes: 5 });
  await house.raise(house.firing(whole, of));
  expect(await house.hear(house.alice.id)).toEqual([`alert.opened ${whole.name}`]);
});

test("one that has not begun is removed when it is ended; one that is over stays as it was", async () => {
  const later = await silence({ startsAt: new Date(Date.now() + 600_000).toISOString(), minutes: 5 });
  expect(later.isRunning).toBe(false);
  const { id } = await silence({ minutes: 1 });
  await house.pass(2);
  const [over] = (await list()).filter((one) => one.id === id);
  expect((await end(id)).status).toBe(204);
  expect((await end(later.id)).status).toBe(204);
  expect(await list()).toEqual([over]);
  expect((await end(later.id)).status).toBe(404);
});

test("two hundred that are not over are the most", async () => {
  await Promise.all(Array.from({ length: 199 }, () => silence({ minutes: 5 })));
  const answers = await Promise.all(Array.from({ length: 4 }, () => post({ minutes: 5 })));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 429, 429, 429]);
  await house.pass(10);
  expect((await post({ minutes: 5 })).status).toBe(201);
  expect((await post({ minutes: 5 }, house.bob)).status).toBe(201);
});

test("they are walked in pages, newest first", async () => {
  const ids: string[] = [];
  for (let count = 0; count < 5; count++) ids.push((await silence({ minutes: 5 })).id);
  const walked: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: { items: AlertSilence[]; nextCursor: string | null } = (
      await house.call(house.alice, "GET", `/alerts/silences?limit=2${cursor && `&cursor=${cursor}`}`)
    ).body;
    walked.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  expect(walked).toEqual(ids.toReversed());
});

test("those of others are not there, and their rules are not to be silenced", async () => {
  const { id } = await silence({ minutes: 5 });
  expect((await end(id, house.bob)).body.code).toBe("not_found");
  expect(await list("", house.bob)).toEqual([]);
  expect((await list())[0]?.isRunning).toBe(true);
  const rule = await house.addRule(house.alice.id);
  const refused = await post({ ruleId: rule.id, minutes: 5 }, house.bob);
  expect(refused.body.errors).toEqual([{ field: "body.ruleId", message: "must be a rule of yours" }]);
  const unknown = await post({ ruleId: createId(), minutes: 5 }, house.bob);
  expect(unknown.body.errors).toEqual(refused.body.errors);
  expect((await post({ minutes: 5 }, house.bob, "?scope=house")).body.code).toBe("forbidden");
  expect((await post({ minutes: 5 }, house.admin, "?scope=house")).body.ownerId).toBeNull();
});

test.each([
  [{}],
  [{ minutes: 0 }],
  [{ minutes: 527_041 }],
  [{ minutes: 5, endsAt: "2099-01-01T00:00:00Z" }],
  [{ endsAt: "2020-01-01T00:00:00Z" }],
  [{ startsAt: "2020-01-01T00:00:00Z", minutes: 5 }],
  [{ endsAt: "2099-01-01T00:00:00Z" }],
  [{ startsAt: "2098-01-02T00:00:00Z", endsAt: "2098-01-01T00:00:00Z" }],
  [{ minutes: 5, severityMax: "loud" }],
  [{ minutes: 5, app: "" }],
  [{ minutes: 5, app: "a".repeat(65) }],
  [{ minutes: 5, reason: "a".repeat(501) }],
  [{ minutes: 5, rule: createId() }],
])("%j is refused", async (body) => {
  expect((await post(body)).body).toMatchObject({ status: 400, code: "invalid_request" });
});

test("its times are those asked for", () => {
  const now = new Date("2026-11-21T10:00:00Z");
  const times = (asked: object) => findSilenceTimes(NewSilence.parse(asked), now);
  expect(times({ minutes: 90 })).toEqual({ startsAt: now, endsAt: new Date("2026-11-21T11:30:00Z") });
  expect(times({ startsAt: "2026-11-22T10:00:00+01:00", minutes: 1 })).toEqual({
    startsAt: new Date("2026-11-22T09:00:00Z"),
    endsAt: new Date("2026-11-22T09:01:00Z"),
  });
  expect(times({ endsAt: "2026-11-21T10:00:00Z" })).toBeUndefined();
});
