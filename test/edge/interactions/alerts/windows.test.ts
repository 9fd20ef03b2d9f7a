import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { judgeNextRule } from "../../../../edge/interactions/alerts/window-rules.ts";
import { createId } from "../../../../shared/ids.ts";
import type { Rule } from "../../../../shared/interactions/rules.ts";
import { insertInteractions, type TestInteraction } from "../../../helpers/interactions.ts";
import { type AlertApp, openAlertApp } from "./rig.ts";

let house: AlertApp;
beforeAll(async () => {
  house = await openAlertApp();
});
afterAll(() => house.close());
afterEach(() => house.clear());

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

/** Interactions so many minutes ago each. */
const log = (times: readonly number[], wish: TestInteraction = {}, ownerId: string | null = house.alice.id) =>
  insertInteractions(
    house.sql,
    ownerId,
    times.map((minutes) => ({
      output: "x",
      app: "shop",
      model: "gpt",
      ...wish,
      occurredAt: minutesAgo(minutes),
    })),
  );

const rateRule = (condition: object = {}, wish: Partial<Rule> = {}) =>
  house.addRule(house.alice.id, {
    name: "many",
    element: null,
    metric: null,
    condition: { type: "rate", windowMinutes: 60, moreThan: 3, ...condition },
    ...wish,
  });

const missingRule = (windowMinutes = 60, wish: Partial<Rule> = {}) =>
  house.addRule(house.alice.id, {
    name: "gone",
    element: null,
    metric: null,
    condition: { type: "missing", windowMinutes },
    ...wish,
  });

async function show(id: string | undefined) {
  const answered = await house.call(house.alice, "GET", `/alerts/${id}`);
  expect(answered.status, answered.text).toBe(200);
  return answered.body;
}

/** As an import leaves its rows, and as they stay when it is deleted. */
const ofImport = () => house.sql`import_id = ${createId()}, row_hash = gen_random_uuid()`;

/** What is open, by what the rule judges apart. */
async function listOpen(): Promise<{ app: string | null; model: string | null; value: number }[]> {
  return await house.sql`
    select app, model, value from parlance.interaction_alerts where state <> 'resolved' order by app, model
  `;
}

describe("a rate", () => {
  test("that is more than so many within the window opens an alert that names the newest", async () => {
    await rateRule();
    const { ids } = await log([70, 50, 40, 30, 20]);
    expect(await house.watch()).toMatchObject({ rulesJudged: 1, troubles: 0 });
    const [row] = await house.listAlerts(house.alice.id);
    const alert = await show(row?.id);
    expect(alert).toMatchObject({
      state: "open",
      value: 4,
      score: null,
      count: 1,
      evidence: {
        type: "rate",
        explanation: "4 interactions within 60 minutes, more than 3.",
        bound: 3,
        side: "high",
        quietThreshold: 4,
        windowMinutes: 60,
        interactionIds: ids.slice(1).toReversed(),
      },
    });
    expect(alert.firings.items.map(({ interactionId }: { interactionId: string }) => interactionId)).toEqual(
      ids.slice(1).toReversed(),
    );
    expect(alert.firings.items[0]).toMatchObject({ value: 4, app: "shop" });
    expect(await house.hear(house.alice.id)).toEqual(["alert.opened many"]);
  });

  test("of just so many is in order, and so is one of others", async () => {
    await rateRule();
    await log([50, 40, 30]);
    await log([50, 40, 30, 20, 10], {}, house.bob.id);
    await log([50, 40, 30, 20, 10], {}, null);
    await house.watch();
    expect(await house.listAlerts(house.alice.id)).toEqual([]);
  });

  test("counts those that the rule is of: its apps, its tags, and whose metric is beyond the bound", async () => {
    const rules: Partial<Rule>[] = [
      { name: "of the app", apps: ["shop"] },
      { name: "of another app", apps: ["other"] },
      { name: "tagged", tags: ["a", "b"] },
      {
        name: "long",
        element: "output",
        metric: "characters",
        condition: { type: "rate", windowMinutes: 60, moreThan: 3, above: 10 },
      },
      {
        name: "between",
        element: "output",
        metric: "characters",
        condition: { type: "rate", windowMinutes: 60, moreThan: 3, above: 10, below: 20 },
      },
    ];
    for (const rule of rules) await rateRule({}, rule);
    await log([5, 4, 3, 2], { output: "a".repeat(20) });
    await log([9, 8, 7, 6], { app: "quiet", tags: ["b", "c"] });
    await log([9, 8, 7], { app: "quiet", tags: ["c"] });
    await house.watch();
    const opened = await house.sql`
      select rule_name, value, evidence ->> 'explanation' as explanation from parlance.interaction_alerts order by rule_name
    `;
    expect(opened).toEqual([
      {
        ruleName: "long",
        value: 4,
        explanation: "4 interactions with characters of the output above 10 within 60 minutes, more than 3.",
      },
      { ruleName: "of the app", value: 4, explanation: "4 interactions within 60 minutes, more than 3." },
      {
        ruleName: "tagged",
        value: 4,
        explanation: '4 interactions tagged "a" or "b" within 60 minutes, more than 3.',
      },
    ]);
    const values = await house.sql`
      select firings.value
      from parlance.alert_firings as firings
      join parlance.interaction_alerts as alerts on alerts.id = firings.alert_id
      where alerts.rule_name = 'long'
    `;
    expect(values.map(({ value }) => value)).toEqual([20, 20, 20, 20]);
  });

  test("is judged apart for what the rule says, over all groups that have it in common", async () => {
    await rateRule({}, { groupBy: ["model"] });
    await log([9, 8], { app: "one", model: "a" });
    await log([9, 8], { app: "two", model: "a" });
    await log([9, 8, 7], { app: "one", model: "b" });
    await house.watch();
    expect(await listOpen()).toEqual([{ app: null, model: "a", value: 4 }]);
  });

  test("does not count what an import brought that was deleted since, nor what is to come", async () => {
    await rateRule();
    await log([5, 4, 3]);
    await log([-30, -40]);
    await log([2, 1]);
    await house.sql`
      update parlance.interactions set ${ofImport()} where occurred_at between now() - interval '150 s' and now()
    `;
    await house.watch();
    expect(await house.listAlerts(house.alice.id)).toEqual([]);
    await house.sql`update parlance.interactions set import_id = null`;
    await house.sql`update parlance.interaction_rules set judge_at = now()`;
    await house.watch();
    expect(await listOpen()).toMatchObject([{ value: 5 }]);
  });

  test("goes on as one alert that is counted by the minute, and is over when it was quiet for long enough", async () => {
    await rateRule({}, { resolveMinutes: 30 });
    await log([10, 9, 8, 7]);
    for (let minute = 0; minute < 10; minute++) {
      await house.watch();
      await house.pass(1);
    }
    expect(await house.listAlerts(house.alice.id)).toMatchObject([{ count: 10, notifications: 1 }]);
    await house.pass(45);
    await house.watch();
    expect(await house.listAlerts(house.alice.id)).toMatchObject([
      { state: "resolved", resolution: "quiet" },
    ]);
    expect(await house.hear(house.alice.id)).toEqual(["alert.opened many", "alert.resolved many"]);
  });

  test("within a window of many is counted to its end, and says where it was not", async () => {
    await rateRule({ moreThan: 100 });
    await log(
      Array.from({ length: 1500 }, (_, index) => index / 50),
      { values: [] },
    );
    await house.watch();
    const [row] = await house.listAlerts(house.alice.id);
    expect((await show(row?.id)).evidence).toMatchObject({ quietThreshold: 1500 });
  });
});

describe("what is missing", () => {
  test("is told when there was something before and nothing within the window", async () => {
    await missingRule();
    await log([90, 75]);
    await house.watch();
    const [row] = await house.listAlerts(house.alice.id);
    expect(await show(row?.id)).toMatchObject({
      value: 75,
      evidence: {
        type: "missing",
        explanation: "No interaction for 75 minutes; one is expected within 60 minutes.",
        bound: 60,
        side: "low",
        quietThreshold: 76,
        windowMinutes: 60,
        interactionIds: [],
      },
      firings: { items: [], nextCursor: null },
    });
  });

  test("is not what never was, what is there, and what an import brought that was deleted since", async () => {
    await missingRule(60, { groupBy: ["app"] });
    await log([5, 90], { app: "there" });
    await log([90], { app: "imported" });
    await house.sql`
      update parlance.interactions set ${ofImport()}
      where group_id = (select id from parlance.interaction_groups where app = 'imported')
    `;
    await log([90], { app: "of others" }, house.bob.id);
    await house.watch();
    expect(await house.listAlerts(house.alice.id)).toEqual([]);
  });

  test("is over at once when it is there again, and told", async () => {
    await missingRule();
    await log([90]);
    await house.watch();
    await house.pass(1);
    await log([0]);
    await house.watch();
    expect(await house.listAlerts(house.alice.id)).toMatchObject([
      { state: "resolved", resolution: "quiet" },
    ]);
    expect(await house.hear(house.alice.id)).toEqual(["alert.opened gone", "alert.resolved gone"]);
  });

  test("is forgotten after a week beyond the window, and not told again", async () => {
    await missingRule(60, { groupBy: ["app"] });
    await log([7 * 24 * 60 + 50]);
    await house.watch();
    expect(await listOpen()).toHaveLength(1);
    await house.pass(15);
    await house.watch();
    expect(await house.listAlerts(house.alice.id)).toMatchObject([
      { state: "resolved", resolution: "forgotten" },
    ]);
    await house.pass(15);
    await house.watch();
    expect(await house.listAlerts(house.alice.id)).toHaveLength(1);
  });

  test("is judged apart, by the newest of all groups that have it in common", async () => {
    await missingRule(60, { groupBy: ["app"], tags: ["night"] });
    await log([90], { app: "shop", model: "a", tags: ["night"] });
    await log([30], { app: "shop", model: "b", tags: ["night"] });
    await log([90], { app: "bank", tags: ["night"] });
    await log([10], { app: "bank", tags: ["day"] });
    await house.watch();
    expect(await listOpen()).toMatchObject([{ app: "bank", value: 90 }]);
  });

  test("of few among many is found where it was last seen, however many came after it", async () => {
    await missingRule(60, { tags: ["nightly"] });
    await log([50], { tags: ["nightly"] });
    await house.watch();
    // As many as are looked at would take long to write: none of them is found at all.
    await house.sql`update parlance.interactions set tags = '{}'`;
    await house.pass(15);
    await house.sql`update parlance.rule_sightings set last_at = last_at - interval '15 minutes'`;
    await house.watch();
    expect(await listOpen()).toMatchObject([{ value: 65 }]);
    await house.sql`update parlance.interaction_rules set tags = '{other}', judge_at = now()`;
    await house.watch();
    expect(await house.listAlerts(house.alice.id)).toMatchObject([
      { state: "resolved", resolution: "forgotten" },
    ]);
  });

  test("that is acknowledged is over when it is there again", async () => {
    await missingRule();
    await log([90]);
    await house.watch();
    const [row] = await house.listAlerts(house.alice.id);
    await house.call(house.alice, "POST", `/alerts/${row?.id}/acknowledgement`);
    await house.pass(5);
    await log([1]);
    await house.watch();
    expect(await house.listAlerts(house.alice.id)).toMatchObject([
      { state: "resolved", resolution: "quiet" },
    ]);
  });
});

describe("a rule that is due", () => {
  test("is judged once, however many judge at once", async () => {
    for (let count = 0; count < 5; count++) await rateRule({}, { name: `many ${count}` });
    await log([9, 8, 7, 6]);
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => house.watch()));
    expect(outcomes.reduce((sum, { rulesJudged }) => sum + rulesJudged, 0)).toBe(5);
    const rows = await house.listAlerts(house.alice.id);
    expect(rows.map(({ count }) => count)).toEqual([1, 1, 1, 1, 1]);
  });

  test("that cannot be judged holds up no other, resolves nothing, and is tried again a minute later", async () => {
    await rateRule({}, { name: "broken", resolveMinutes: 5 });
    await rateRule({}, { name: "whole" });
    await log([9, 8, 7, 6]);
    await house.watch();
    await house.hear(house.alice.id);
    await house.pass(10);
    await house.sql.unsafe(`
      create function parlance.break_it() returns trigger language plpgsql as $$ begin
        if new.rule_name = 'broken' then raise exception 'it is broken'; end if; return new;
      end $$;
      create trigger break_it before update on parlance.interaction_alerts
        for each row when (old.count <> new.count) execute function parlance.break_it();
    `);
    try {
      expect(await house.watch()).toMatchObject({ rulesJudged: 1, troubles: 1 });
      expect(house.logLines.at(-1)).toMatchObject({ event: "interactions.trouble", doing: "judge" });
      const counts = (await house.listAlerts(house.alice.id)).map(({ count, state }) => [count, state]);
      expect(counts.sort()).toEqual([
        [1, "open"],
        [2, "open"],
      ]);
    } finally {
      await house.sql.unsafe("drop function parlance.break_it() cascade");
    }
    await house.pass(1);
    expect(await house.watch()).toMatchObject({ rulesJudged: 2, troubles: 0 });
  });

  test("that is disabled, or is of single rows, is not judged", async () => {
    await rateRule({}, { isEnabled: false });
    await house.addRule(house.alice.id);
    await log([9, 8, 7, 6]);
    expect(await judgeNextRule(house.deps)).toBeUndefined();
  });

  test("goes on where a run stopped, at the next rule", async () => {
    for (let count = 0; count < 4; count++) await rateRule({}, { name: `many ${count}` });
    const cursors: unknown[] = [];
    const stop = new AbortController();
    const checkpoint = async (cursor: unknown) => {
      cursors.push(structuredClone(cursor));
      if (cursors.length === 2) stop.abort();
    };
    expect(await house.watch({ checkpoint, signal: stop.signal })).toMatchObject({ rulesJudged: 2 });
    expect(await house.watch({ cursor: cursors.at(-1) })).toMatchObject({ rulesJudged: 4 });
  });
});
