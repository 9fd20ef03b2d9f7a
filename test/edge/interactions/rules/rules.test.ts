import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createId } from "../../../../shared/ids.ts";
import { Rule } from "../../../../shared/interactions/rules.ts";
import { openTestApp, type TestApp, type TestUser, type Who } from "../../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp({ environment: { RATE_LIMIT_WRITE: "100000", RATE_LIMIT_READ: "100000" } });
});
afterAll(() => house.close());
afterEach(async () => {
  for (const table of ["interaction_alerts", "interaction_rules", "interaction_settings"])
    await house.sql.unsafe(`delete from parlance.${table}`);
});

const json = (body: unknown, headers: Record<string, string> = {}) => ({
  body: JSON.stringify(body),
  headers: { "content-type": "application/json", ...headers },
});
const above = {
  name: "long",
  element: "output",
  metric: "characters",
  condition: { type: "above", threshold: 10 },
};

async function add(rule: object = above, who: Who = house.alice): Promise<Rule> {
  const answered = await house.call(who, "POST", "/rules", json(rule));
  expect(answered.status, answered.text).toBe(201);
  return Rule.strict().parse(answered.body);
}

async function list(who: Who = house.alice, query = ""): Promise<Rule[]> {
  const answered = await house.call(who, "GET", `/rules${query}`);
  expect(answered.status, answered.text).toBe(200);
  return answered.body.items.map((item: unknown) => Rule.strict().parse(item));
}

const change = (id: string, body: unknown, who: Who = house.alice) =>
  house.call(who, "PATCH", `/rules/${id}`, json(body));
const remove = (id: string, who: Who = house.alice) => house.call(who, "DELETE", `/rules/${id}`);

describe("a fresh account", () => {
  test("has the four rules of the beginning, the first time it is looked at", async () => {
    const rules = await list();
    expect(rules.map(({ element, metric, condition }) => [element, metric, condition.type]).sort()).toEqual([
      ["input", "characters", "above"],
      ["input", "characters", "outlier"],
      ["output", "characters", "above"],
      ["output", "characters", "outlier"],
    ]);
    expect(rules.every(({ ownerId }) => ownerId === house.alice.id)).toBe(true);
    expect(await list()).toEqual(rules);
  });

  test("has them once though two look at it at once", async () => {
    const [one, other] = await Promise.all([list(), list()]);
    expect(one).toHaveLength(4);
    expect(other).toEqual(one);
  });

  test("does not get back what it deleted, nor with a rule of its own", async () => {
    for (const { id } of await list()) expect((await remove(id)).status).toBe(204);
    expect(await list()).toEqual([]);
    await add();
    expect((await list()).map(({ name }) => name)).toEqual(["long"]);
  });

  test("has them also when its first request adds a rule", async () => {
    await add();
    expect(await list()).toHaveLength(5);
  });
});

describe("a rule that is added", () => {
  test("is shown with what was left out", async () => {
    const rule = await add();
    expect(rule).toMatchObject({
      ...above,
      ownerId: house.alice.id,
      isEnabled: true,
      severity: "warning",
      apps: null,
      environments: null,
      models: null,
      tags: null,
      groupBy: [],
      renotifyMinutes: null,
      resolveMinutes: 60,
    });
    const shown = await house.call(house.alice, "GET", `/rules/${rule.id}`);
    expect(shown.body).toEqual(rule);
    expect((await list()).at(-1)).toEqual(rule);
  });

  test("keeps what was said, each kind of condition with its own defaults", async () => {
    const said = {
      name: "all of it",
      isEnabled: false,
      severity: "critical",
      element: "pair",
      metric: "latency",
      apps: ["a"],
      environments: ["production"],
      models: ["m", "n"],
      tags: ["t"],
      condition: {
        type: "outlier",
        method: "iqr",
        sensitivity: 3,
        tails: "high",
        countMin: 5,
        historyDays: 7,
      },
      groupBy: ["model", "app"],
      renotifyMinutes: 30,
      resolveMinutes: 5,
    };
    expect(await add(said)).toMatchObject(said);
    const outlier = await add({ ...above, name: "o", condition: { type: "outlier" } });
    expect(outlier.condition).toEqual({
      type: "outlier",
      method: "seasonal",
      tails: "both",
      countMin: 30,
      historyDays: 28,
    });
    await add({ name: "rate", condition: { type: "rate", windowMinutes: 5, moreThan: 3 } });
    await add({
      ...above,
      name: "rate of",
      condition: { type: "rate", windowMinutes: 5, moreThan: 3, above: 2, below: 5 },
    });
    await add({ name: "missing", condition: { type: "missing", windowMinutes: 5 } });
  });

  test("is one though its request came twice", async () => {
    const headers = { "idempotency-key": "once" };
    const [one, again] = [
      await house.call(house.alice, "POST", "/rules", json(above, headers)),
      await house.call(house.alice, "POST", "/rules", json(above, headers)),
    ];
    expect(again.body).toEqual(one.body);
    // As after a crash between the commit and the answer.
    await house.sql`delete from parlance.idempotency_keys`;
    const third = await house.call(house.alice, "POST", "/rules", json(above, headers));
    expect(third.status, third.text).toBe(201);
    expect(third.body).toEqual(one.body);
    expect(await list()).toHaveLength(5);
  });

  test("has a name of its own, which another owner may have too", async () => {
    await add();
    const refused = await house.call(house.alice, "POST", "/rules", json({ ...above, name: " long " }));
    expect([refused.status, refused.body.code]).toEqual([409, "name_taken"]);
    await add(above, house.bob);
    await add(above, "secret");
  });
});

test.each<[string, object, string[]]>([
  ["without a condition", { condition: undefined }, ["body.condition"]],
  ["of an unknown kind", { condition: { type: "odd" } }, ["body.condition.type"]],
  ["with a field that is none", { colour: "red" }, ["body"]],
  [
    "with a field of another condition",
    { condition: { type: "above", threshold: 1, moreThan: 2 } },
    ["body.condition"],
  ],
  ["without a threshold", { condition: { type: "above" } }, ["body.condition.threshold"]],
  [
    "with an endless threshold",
    { condition: { type: "above", threshold: 1e16 } },
    ["body.condition.threshold"],
  ],
  ["without a name", { name: " " }, ["body.name"]],
  ["with a long name", { name: "x".repeat(101) }, ["body.name"]],
  ["of an unknown severity", { severity: "odd" }, ["body.severity"]],
  ["without a metric", { metric: null, element: null }, ["body.element", "body.metric"]],
  ["with a metric of no element", { element: null }, ["body.element"]],
  ["with an element of no metric", { metric: null }, ["body.metric"]],
  ["of an unknown element", { element: "both" }, ["body.element"]],
  ["of an unknown metric", { metric: "odd" }, ["body.metric"]],
  ["of a text's metric of the pair", { element: "pair" }, ["body.metric"]],
  ["of the pair's metric of a text", { metric: "latency" }, ["body.metric"]],
  [
    "of outliers without a metric",
    { metric: null, element: null, condition: { type: "outlier" } },
    ["body.element", "body.metric"],
  ],
  ["of an unknown method", { condition: { type: "outlier", method: "odd" } }, ["body.condition.method"]],
  [
    "with a sensitivity of 0",
    { condition: { type: "outlier", sensitivity: 0 } },
    ["body.condition.sensitivity"],
  ],
  ["that needs one value", { condition: { type: "outlier", countMin: 1 } }, ["body.condition.countMin"]],
  [
    "with 36 days of history",
    { condition: { type: "outlier", historyDays: 36 } },
    ["body.condition.historyDays"],
  ],
  [
    "of a rate above what is of no metric",
    { element: null, metric: null, condition: { type: "rate", windowMinutes: 1, moreThan: 0, above: 1 } },
    ["body.element", "body.metric"],
  ],
  [
    "of a rate that nothing counts to",
    { condition: { type: "rate", windowMinutes: 1, moreThan: 0, above: 2, below: 2 } },
    ["body.condition.above"],
  ],
  [
    "of a rate over no time",
    { condition: { type: "rate", windowMinutes: 0, moreThan: 0 } },
    ["body.condition.windowMinutes"],
  ],
  [
    "of a rate over eight days",
    { condition: { type: "rate", windowMinutes: 8 * 1440, moreThan: 0 } },
    ["body.condition.windowMinutes"],
  ],
  [
    "of what is missing with a metric",
    { condition: { type: "missing", windowMinutes: 1 } },
    ["body.element", "body.metric"],
  ],
  ["that names a part twice", { groupBy: ["app", "model", "app"] }, ["body.groupBy.2"]],
  ["by an unknown part", { groupBy: ["user"] }, ["body.groupBy.0"]],
  ["of no app", { apps: [] }, ["body.apps"]],
  ["of an empty app", { apps: ["a", ""] }, ["body.apps.1"]],
  ["of 51 tags", { tags: Array(51).fill("t") }, ["body.tags"]],
  ["that tells again at once", { renotifyMinutes: 0 }, ["body.renotifyMinutes"]],
  ["that is over at once", { resolveMinutes: 0 }, ["body.resolveMinutes"]],
])("a rule %s is refused, and the field named", async (_what, wrong, fields) => {
  const refused = await house.call(house.alice, "POST", "/rules", json({ ...above, ...wrong }));
  expect([refused.status, refused.body.code], refused.text).toEqual([400, "invalid_request"]);
  expect(refused.body.errors.map(({ field }: { field: string }) => field).sort()).toEqual(fields);
});

test("there are 200 at most, also when the last two come at once", async () => {
  await list();
  await house.sql`
    insert into parlance.interaction_rules (id, owner_id, name, condition)
    select parlance.create_id(), ${house.alice.id}, 'rule ' || number, '{"type": "missing", "windowMinutes": 5}'
    from generate_series(1, 195) as number
  `;
  const answers = await Promise.all(
    ["one", "two"].map((name) => house.call(house.alice, "POST", "/rules", json({ ...above, name }))),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 429]);
  expect(answers.find(({ status }) => status === 429)?.body).toMatchObject({
    code: "quota_exceeded",
    detail: "There are 200 rules already, which is the most.",
  });
  await add(above, house.bob);
});

describe("a rule of another", () => {
  test("is not there", async () => {
    const { id } = await add();
    for (const answered of [
      await house.call(house.bob, "GET", `/rules/${id}`),
      await change(id, { name: "mine" }, house.bob),
      await remove(id, house.bob),
      await house.call(house.bob, "GET", `/rules/${createId()}`),
    ]) {
      expect([answered.status, answered.body.code]).toEqual([404, "not_found"]);
    }
    expect((await list(house.bob)).map((rule) => rule.id)).not.toContain(id);
    expect((await list()).at(-1)?.name).toBe("long");
  });

  test("is seen and changed by admins", async () => {
    const { id } = await add();
    expect((await house.call(house.admin, "GET", `/rules/${id}`)).status).toBe(200);
    expect((await change(id, { name: "theirs" }, house.admin)).body.name).toBe("theirs");
    expect((await remove(id, "secret")).status).toBe(204);
  });

  test("of the house is for admins", async () => {
    const { id } = await add(above, "secret");
    expect((await list(house.admin, "?scope=house")).map((rule) => rule.id)).toContain(id);
    expect((await list(house.admin)).map((rule) => rule.id)).not.toContain(id);
    expect((await house.call(house.alice, "GET", "/rules?scope=house")).status).toBe(403);
    expect((await house.call(house.alice, "GET", `/rules/${id}`)).status).toBe(404);
    const answered = await house.call(
      house.admin,
      "POST",
      "/rules?scope=house",
      json({ ...above, name: "h" }),
    );
    expect([answered.status, answered.body.ownerId]).toEqual([201, null]);
  });

  test.each<Who>(["nobody", "publishable"])("is nothing to %s", async (who) => {
    for (const [method, path] of [
      ["GET", "/rules"],
      ["POST", "/rules"],
      ["GET", `/rules/${createId()}`],
      ["DELETE", `/rules/${createId()}`],
      ["GET", "/rules/back-tests"],
      ["POST", "/rules/back-tests"],
    ] as const) {
      expect((await house.call(who, method, path)).status, `${method} ${path}`).toBe(401);
    }
  });
});

describe("a change", () => {
  test("replaces what it names", async () => {
    const rule = await add();
    const changed = await change(rule.id, {
      element: "pair",
      metric: "latency",
      groupBy: ["model"],
      apps: ["a"],
      condition: { type: "outlier", method: "mad" },
    });
    expect(changed.status, changed.text).toBe(200);
    expect(changed.body).toEqual({
      ...rule,
      element: "pair",
      metric: "latency",
      groupBy: ["model"],
      apps: ["a"],
      condition: { type: "outlier", method: "mad", tails: "both", countMin: 30, historyDays: 28 },
      updatedAt: changed.body.updatedAt,
    });
    expect(changed.body.updatedAt > rule.updatedAt).toBe(true);
    expect((await change(rule.id, { apps: null })).body.apps).toBeNull();
  });

  test.each<[object, string[]]>([
    [{}, ["body"]],
    [{ odd: 1 }, ["body", "body"]],
    [{ metric: "latency" }, ["body.metric"]],
    [{ element: "pair" }, ["body.metric"]],
    [{ condition: { type: "missing", windowMinutes: 5 } }, ["body.element", "body.metric"]],
    [{ groupBy: ["app", "app"] }, ["body.groupBy.1"]],
    [{ name: "" }, ["body.name"]],
  ])("that makes no sense with the rest is refused: %j", async (body, fields) => {
    const { id } = await add();
    const refused = await change(id, body);
    expect([refused.status, refused.body.code], refused.text).toEqual([400, "invalid_request"]);
    expect(refused.body.errors.map(({ field }: { field: string }) => field).sort()).toEqual(fields);
  });

  test("to a name that is taken is refused", async () => {
    const { id } = await add();
    await add({ ...above, name: "other" });
    const refused = await change(id, { name: "other" });
    expect([refused.status, refused.body.code]).toEqual([409, "name_taken"]);
  });
});

describe("alerts of a rule", () => {
  /** One of a rule that was told of, and bounds that were worked out. */
  async function raise(rule: Rule, owner: TestUser = house.alice): Promise<string> {
    const firing = {
      owner_id: owner.id,
      rule_id: rule.id,
      rule_name: rule.name,
      severity: rule.severity,
      fingerprint: rule.id,
      value: 11,
      evidence: {},
      occurred_at: "2026-11-01T00:00:00Z",
    };
    const [raised] = await house.sql<{ alertId: string }[]>`
      select alert_id from parlance.raise_alerts(${house.sql.json([firing])})
    `;
    await house.sql`
      insert into parlance.interaction_fences (rule_id, group_key, hour, rule_updated_at)
      values (${rule.id}, '', 1, ${rule.updatedAt})
      on conflict do nothing
    `;
    return raised?.alertId ?? "";
  }

  async function look(alertId: string, ruleId: string) {
    const [alert] = await house.sql<{ state: string; resolution: string | null; ruleId: string | null }[]>`
      select state, resolution, rule_id from parlance.interaction_alerts where id = ${alertId}
    `;
    const [fences] = await house.sql<{ count: number }[]>`
      select count(*)
      from parlance.interaction_fences as fences
      join parlance.interaction_rules as rules on rules.id = fences.rule_id and rules.updated_at = fences.rule_updated_at
      where fences.rule_id = ${ruleId}
    `;
    const told = await house.sql<{ event: string }[]>`
      select event from realtime.messages where payload -> 'alert' ->> 'id' = ${alertId} order by inserted_at, id
    `;
    return { ...alert, fences: fences?.count, told: told.map(({ event }) => event) };
  }

  const over = { state: "resolved", resolution: "rule-changed", told: ["alert.opened", "alert.resolved"] };

  test.each([
    { condition: { type: "above", threshold: 11 } },
    { element: "input" },
    { metric: "words" },
    { apps: ["a"] },
    { environments: ["a"] },
    { models: ["a"] },
    { tags: ["a"] },
    { groupBy: ["app"] },
    { isEnabled: false },
  ])("are over when it judges otherwise: %j", async (body) => {
    const rule = await add();
    const alertId = await raise(rule);
    expect(await look(alertId, rule.id)).toMatchObject({ state: "open", told: ["alert.opened"], fences: 1 });
    expect((await change(rule.id, body)).status).toBe(200);
    expect(await look(alertId, rule.id)).toMatchObject(over);
    expect((await look(alertId, rule.id)).fences).toBe("isEnabled" in body ? 1 : 0);
  });

  test("go on when people call it otherwise", async () => {
    const rule = await add();
    const alertId = await raise(rule);
    const body = {
      name: "other",
      severity: "info",
      renotifyMinutes: 5,
      resolveMinutes: 5,
      isEnabled: true,
      // In another order than it is kept in.
      condition: { threshold: 10, type: "above" },
    };
    expect((await change(rule.id, body)).status).toBe(200);
    expect(await look(alertId, rule.id)).toMatchObject({ state: "open", told: ["alert.opened"], fences: 1 });
  });

  test("are over when it is deleted, and stand without it", async () => {
    const rule = await add();
    const alertId = await raise(rule);
    expect((await remove(rule.id)).status).toBe(204);
    expect(await look(alertId, rule.id)).toMatchObject({ ...over, ruleId: null });
    expect((await remove(rule.id)).status).toBe(404);
  });

  test("of which nobody was told are over without a word", async () => {
    const rule = await add();
    await house.sql`
      insert into parlance.alert_silences (id, owner_id, starts_at, ends_at)
      values (${createId()}, ${house.alice.id}, now() - interval '1 minute', now() + interval '1 hour')
    `;
    const alertId = await raise(rule);
    await house.sql`delete from parlance.alert_silences`;
    await remove(rule.id);
    expect(await look(alertId, rule.id)).toMatchObject({ ...over, told: [] });
  });
});
