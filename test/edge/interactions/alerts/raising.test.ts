import type { TransactionSql } from "postgres";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { raiseAlerts } from "../../../../edge/interactions/log-store.ts";
import { serviceCaller, transactAs } from "../../../../shared/callers.ts";
import { createId } from "../../../../shared/ids.ts";
import { insertInteractions } from "../../../helpers/interactions.ts";
import { type AlertApp, openAlertApp, raiseImported } from "./rig.ts";

let house: AlertApp;
beforeAll(async () => {
  house = await openAlertApp();
});
afterAll(() => house.close());
afterEach(() => house.clear());

test("ten thousand firings are one alert that is told once", async () => {
  const rule = await house.addRule(house.alice.id, { name: "long" });
  const { ids } = await insertInteractions(
    house.sql,
    house.alice.id,
    Array.from({ length: 2000 }, () => ({ output: "x", values: [] })),
  );
  for (let part = 0; part < 5; part++) {
    const firings = ids.map((interactionId) =>
      house.firing(rule, part === 0 ? { interactionId } : { value: part }),
    );
    await house.raise(...firings);
  }
  expect(await house.listAlerts(house.alice.id)).toMatchObject([
    { count: 10_000, state: "open", notifications: 1 },
  ]);
  expect(await house.hear(house.alice.id)).toEqual(["alert.opened long"]);
  const [fired] = await house.sql`select count(*) from parlance.alert_firings`;
  expect(fired).toEqual({ count: 2000 });
});

test("many firings of many alerts travel in parts, with evidence of the newest of each alone", async () => {
  const { ids } = await insertInteractions(
    house.sql,
    house.alice.id,
    Array.from({ length: 900 }, () => ({ output: "x", values: [] })),
  );
  const rules = await Promise.all(
    Array.from({ length: 12 }, (_, index) => house.addRule(house.alice.id, { name: `rule ${index}` })),
  );
  const newest = 412;
  const firings = rules.flatMap((rule) =>
    ids.map((interactionId, value) => {
      const occurredAt = new Date(Date.UTC(2026, 0, 1) + (value === newest ? 1e6 : value)).toISOString();
      return house.firing(rule, { interactionId, value, occurredAt, explanation: `It is ${value}.` });
    }),
  );
  const sent: { evidence?: unknown; value: number }[][] = [];
  const raised = await transactAs(house.deps.sql, serviceCaller, (transaction) => {
    const json = (part: never) => {
      sent.push(part);
      return transaction.json(part);
    };
    return raiseAlerts(Object.assign(transaction.bind(null) as TransactionSql, { json }), firings);
  });
  expect(sent.map(({ length }) => length)).toEqual([4_500, 4_500, 1_800]);
  const told = sent.flat().filter(({ evidence }) => evidence !== undefined);
  expect(told.map(({ value }) => value)).toEqual(Array(12).fill(newest));
  expect(raised.size).toBe(12);
  const alerts = await house.sql`
    select count, value, evidence ->> 'explanation' as explanation, rule_name,
      (select count(*) from parlance.alert_firings where alert_id = alerts.id) as fired
    from parlance.interaction_alerts as alerts
  `;
  expect(alerts.map(({ ruleName }) => ruleName).toSorted()).toEqual(rules.map(({ name }) => name).toSorted());
  for (const alert of alerts)
    expect(alert).toMatchObject({
      count: 900,
      value: newest,
      explanation: `It is ${newest}.`,
      fired: 900,
    });
});

test("what a rule judges apart are alerts of their own, and so are those of others", async () => {
  const rule = await house.addRule(house.alice.id, { groupBy: ["app"] });
  const other = await house.addRule(house.bob.id, { groupBy: ["app"] });
  const apps = ["one", "two", "one"];
  await house.raise(...apps.map((app) => house.firing(rule, { app })), house.firing(other, { app: "one" }));
  const rows = await house.listAlerts(house.alice.id);
  expect(rows.map(({ count }) => count).sort()).toEqual([1, 2]);
  expect(await house.listAlerts(house.bob.id)).toMatchObject([{ count: 1 }]);
});

test("of what comes late it keeps when, and not the value", async () => {
  const rule = await house.addRule(house.alice.id);
  await house.raise(house.firing(rule, { value: 200, occurredAt: "2026-11-21T10:00:00Z" }));
  await house.raise(house.firing(rule, { value: 999, occurredAt: "2026-01-01T10:00:00Z" }));
  expect(await house.listAlerts(house.alice.id)).toMatchObject([{ count: 2, value: 200 }]);
  const [seen] = await house.sql`select first_seen_at, last_seen_at from parlance.interaction_alerts`;
  expect(seen).toEqual({
    firstSeenAt: "2026-01-01T10:00:00.000000Z",
    lastSeenAt: "2026-11-21T10:00:00.000000Z",
  });
});

test("firings of an import are an alert of its own, resolved and told to nobody", async () => {
  const rule = await house.addRule(house.alice.id);
  await house.raise(house.firing(rule));
  await house.hear(house.alice.id);
  const importId = createId();
  const { ids } = await insertInteractions(house.sql, house.alice.id, [{}, {}, {}]);
  for (const interactionId of ids) {
    await raiseImported(house.sql, importId, [house.firing(rule, { interactionId })]);
  }
  const rows = await house.listAlerts(house.alice.id);
  expect(rows.map(({ state, count, importId: of }) => [state, count, of])).toEqual([
    ["open", 1, null],
    ["resolved", 3, importId],
  ]);
  expect(await house.hear(house.alice.id)).toEqual([]);
});

test("a rule that was deleted after it judged opens an alert that the next watch ends", async () => {
  const rule = await house.addRule(house.alice.id, { name: "gone" });
  await house.sql`delete from parlance.interaction_rules where id = ${rule.id}`;
  await house.raise(house.firing(rule), house.firing(rule));
  expect(await house.listAlerts(house.alice.id)).toMatchObject([{ ruleId: null, count: 2, state: "open" }]);
  await house.watch();
  expect(await house.listAlerts(house.alice.id)).toMatchObject([
    { state: "resolved", resolution: "rule-changed" },
  ]);
  expect(await house.hear(house.alice.id)).toEqual(["alert.opened gone", "alert.resolved gone"]);
});

test("those who raise the same alerts at once, in opposite orders, all count", async () => {
  const rules = await Promise.all(
    Array.from({ length: 6 }, (_, index) => house.addRule(house.alice.id, { name: `at once ${index}` })),
  );
  const rounds = 20;
  await Promise.all(
    Array.from({ length: rounds }, (_, round) => {
      const firings = rules.map((rule) => house.firing(rule));
      return house.raise(...(round % 2 === 0 ? firings : firings.toReversed()));
    }),
  );
  const rows = await house.listAlerts(house.alice.id);
  expect(rows).toHaveLength(rules.length);
  for (const row of rows) expect(row).toMatchObject({ count: rounds, state: "open", notifications: 1 });
  expect(await house.hear(house.alice.id)).toHaveLength(rules.length);
});

test("while alerts are raised they may be resolved, and their rules changed and deleted, all at once", async () => {
  const rules = await Promise.all(Array.from({ length: 4 }, () => house.addRule(house.alice.id)));
  const rounds = 12;
  const resolveAll = () =>
    house.call(house.alice, "POST", "/alerts/resolutions", {
      body: "{}",
      headers: { "content-type": "application/json" },
    });
  const outcomes = await Promise.all([
    ...Array.from({ length: rounds }, (_, round) => {
      const firings = rules.map((rule) => house.firing(rule));
      return house.raise(...(round % 2 === 0 ? firings : firings.toReversed())).then(() => "raised");
    }),
    ...Array.from({ length: rounds }, () => resolveAll().then(({ status }) => status)),
    ...Array.from({ length: 3 }, () => house.watch().then(({ troubles }) => troubles)),
    house.sql`delete from parlance.interaction_rules where id = ${rules[0]?.id ?? ""}`.then(() => "deleted"),
  ]);
  expect(outcomes).toEqual([
    ...Array(rounds).fill("raised"),
    ...Array(rounds).fill(200),
    ...Array(3).fill(0),
    "deleted",
  ]);
  const rows = await house.listAlerts(house.alice.id);
  expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(rounds * rules.length);
});
