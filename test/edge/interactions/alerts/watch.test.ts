import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { tick } from "../../../../edge/jobs/ticks.ts";
import { createSchedule } from "../../../../edge/tasks.ts";
import { watchInteractions } from "../../../../shared/interactions/kinds.ts";
import { insertInteractions } from "../../../helpers/interactions.ts";
import { type AlertApp, openAlertApp } from "./rig.ts";

let house: AlertApp;
beforeAll(async () => {
  house = await openAlertApp();
});
afterAll(() => house.close());
afterEach(() => house.clear());

const nothing = { rowsFolded: 0, rulesJudged: 0, alertsResolved: 0, alertsTold: 0, troubles: 0 };

test("where nobody logs anything it asks two questions and does nothing", async () => {
  const asked: string[] = [];
  const sql = new Proxy(house.sql, {
    get(target, property) {
      if (property === "begin") asked.push("transaction");
      return Reflect.get(target, property);
    },
  });
  const { createWatchTask } = await import("../../../../edge/interactions/alerts/watch.ts");
  const { taskContext } = await import("../../../helpers/task-context.ts");
  const outcome = await createWatchTask({ ...house.deps, sql }).run({}, taskContext());
  expect([outcome, asked]).toEqual([nothing, ["transaction", "transaction"]]);
});

test("a tick adds it every minute and runs it", async () => {
  const schedule = createSchedule(house.deps);
  const watchOnly = {
    tasks: schedule.tasks.filter(({ kind }) => kind.name === watchInteractions.name),
    houseSchedules: schedule.houseSchedules.filter(({ kind }) => kind.name === watchInteractions.name),
  };
  const at = (minutes: number) => ({ ...house.deps, now: () => new Date(Date.now() + minutes * 60_000) });
  expect(await tick(at(0), watchOnly)).toMatchObject({ added: 1, done: 1, failed: 0 });
  expect(await tick(at(0), watchOnly)).toMatchObject({ added: 0 });
  const webhook = { url: "https://example.com/hook", events: ["job.done", "job.failed"] };
  const headers = { "content-type": "application/json" };
  const added = await house.call("secret", "POST", "/webhooks", { body: JSON.stringify(webhook), headers });
  expect(added.status, added.text).toBe(201);
  expect(await tick(at(1), watchOnly)).toMatchObject({ added: 1, done: 1, failed: 0 });
  // A webhook of the house is not called every minute for it.
  expect(await house.sql`select event from parlance.webhook_deliveries`).toEqual([]);
  await house.sql`delete from parlance.job_schedules`;
});

describe("what waits for the statistics", () => {
  const waiting = () => house.sql`select owner_id from parlance.interaction_batches where folded_at is null`;

  test("is folded, of everyone, once", async () => {
    for (const ownerId of [house.alice.id, house.bob.id, null, house.alice.id]) {
      await insertInteractions(house.sql, ownerId, [{ output: "one" }, { output: "two" }]);
    }
    const outcomes = await Promise.all([house.watch(), house.watch(), house.watch()]);
    // Who finds another folding goes on without.
    outcomes.push(await house.watch());
    expect(outcomes.reduce((sum, { rowsFolded }) => sum + rowsFolded, 0)).toBe(8);
    expect(await waiting()).toHaveLength(0);
    const [counted] = await house.sql`
      select sum(count)::integer as count from parlance.interaction_hours
      where metric = (select min(metric) from parlance.interaction_hours)
    `;
    expect(counted).toEqual({ count: 8 });
  });

  test("of one owner that cannot be folded holds up no other", async () => {
    await insertInteractions(house.sql, house.alice.id, [{ output: "one" }]);
    await insertInteractions(house.sql, house.bob.id, [{ output: "two" }]);
    await house.sql.unsafe(`
      create function parlance.break_it() returns trigger language plpgsql as $$ begin
        if new.owner_id = '${house.alice.id}' then raise exception 'it is broken'; end if; return new;
      end $$;
      create trigger break_it before update on parlance.interaction_batches
        for each row execute function parlance.break_it();
    `);
    try {
      expect(await house.watch()).toMatchObject({ rowsFolded: 1, troubles: 1 });
      expect(house.logLines.at(-1)).toMatchObject({ doing: "fold", ownerId: house.alice.id });
      expect(await waiting()).toEqual([{ ownerId: house.alice.id }]);
    } finally {
      await house.sql.unsafe("drop function parlance.break_it() cascade");
    }
    expect(await house.watch()).toMatchObject({ rowsFolded: 1, troubles: 0 });
  });
});

describe("an alert", () => {
  test("that was quiet for as long as its rule says is over, and told to who was told", async () => {
    const rule = await house.addRule(house.alice.id, { name: "long", resolveMinutes: 30 });
    await house.raise(house.firing(rule));
    await house.pass(29);
    expect(await house.watch()).toEqual(nothing);
    await house.pass(1);
    expect(await house.watch()).toEqual({ ...nothing, alertsResolved: 1 });
    expect(await house.watch()).toEqual(nothing);
    expect(await house.hear(house.alice.id)).toEqual(["alert.opened long", "alert.resolved long"]);
  });

  test("that comes back within an hour is the same, told again, and nobody takes care of it", async () => {
    const rule = await house.addRule(house.alice.id, { name: "long", resolveMinutes: 5 });
    const [raised] = await house.raise(house.firing(rule));
    await house.call(house.alice, "POST", `/alerts/${raised?.alertId}/acknowledgement`);
    await house.pass(10);
    await house.watch();
    await house.pass(59);
    expect(await house.raise(house.firing(rule))).toEqual([{ ...raised, opened: true }]);
    const shown = (await house.call(house.alice, "GET", `/alerts/${raised?.alertId}`)).body;
    expect(shown).toMatchObject({
      state: "open",
      acknowledgedBy: null,
      acknowledgedAt: null,
      reopened: 1,
      count: 2,
    });
    await house.pass(10);
    await house.watch();
    await house.pass(61);
    const [another] = await house.raise(house.firing(rule));
    expect(another?.alertId).not.toBe(raised?.alertId);
    expect(await house.hear(house.alice.id)).toEqual([
      "alert.opened long",
      "alert.changed long",
      "alert.resolved long",
      "alert.opened long",
      "alert.resolved long",
      "alert.opened long",
    ]);
  });

  test("is told again as often as its rule asks, while it fires and nobody takes care of it", async () => {
    const rule = await house.addRule(house.alice.id, {
      name: "long",
      renotifyMinutes: 10,
      resolveMinutes: 1000,
    });
    const [raised] = await house.raise(house.firing(rule));
    await house.hear(house.alice.id);
    const hearAfter = async (minutes: number, fires: boolean) => {
      await house.pass(minutes);
      if (fires) await house.raise(house.firing(rule));
      await house.watch();
      return house.hear(house.alice.id);
    };
    expect(await hearAfter(9, true)).toEqual([]);
    expect(await hearAfter(1, false)).toEqual(["alert.repeated long"]);
    expect(await hearAfter(30, false)).toEqual([]);
    expect(await hearAfter(0, true)).toEqual(["alert.repeated long"]);
    await house.call(house.alice, "POST", `/alerts/${raised?.alertId}/acknowledgement`);
    await house.hear(house.alice.id);
    expect(await hearAfter(30, true)).toEqual([]);
  });

  test("that comes and goes every two minutes for a day is told a few times", async () => {
    const rule = await house.addRule(house.alice.id, { name: "unsteady", resolveMinutes: 1 });
    for (let minute = 0; minute < 24 * 60; minute += 4) {
      await house.raise(house.firing(rule));
      await house.pass(2);
      await house.watch();
      await house.pass(2);
      await house.watch();
    }
    const [row, ...others] = await house.listAlerts(house.alice.id);
    expect(others).toEqual([]);
    expect(row).toMatchObject({ count: 360, isFlapping: true, reopened: 359 });
    const told = await house.hear(house.alice.id);
    expect(told).toEqual(Array(3).fill(["alert.opened unsteady", "alert.resolved unsteady"]).flat());
    await house.pass(60);
    const shown = (await house.call(house.alice, "GET", `/alerts/${row?.id}`)).body;
    expect(shown).toMatchObject({ state: "resolved", isFlapping: false });
    await house.raise(house.firing(rule));
    expect(await house.hear(house.alice.id)).toEqual(["alert.opened unsteady"]);
  });

  test("that flapped and then goes on for an hour is told", async () => {
    const rule = await house.addRule(house.alice.id, { name: "unsteady", resolveMinutes: 3 });
    for (let round = 0; round < 4; round++) {
      await house.raise(house.firing(rule));
      await house.pass(5);
      await house.watch();
    }
    await house.hear(house.alice.id);
    for (let minute = 0; minute <= 60; minute += 2) {
      await house.raise(house.firing(rule));
      await house.watch();
      expect([minute, await house.hear(house.alice.id)]).toEqual([
        minute,
        minute === 60 ? ["alert.opened unsteady"] : [],
      ]);
      await house.pass(2);
    }
  });

  test("of a rule that is disabled or deleted is over", async () => {
    const [one, two] = [await house.addRule(house.alice.id), await house.addRule(house.alice.id)];
    await house.raise(house.firing(one), house.firing(two));
    await house.sql`update parlance.interaction_rules set is_enabled = false where id = ${one.id}`;
    await house.sql`delete from parlance.interaction_rules where id = ${two.id}`;
    expect(await house.watch()).toMatchObject({ alertsResolved: 2 });
    const rows = await house.listAlerts(house.alice.id);
    expect(rows.map(({ resolution }) => resolution)).toEqual(["rule-changed", "rule-changed"]);
  });

  test("that cannot be ended holds up no other, of as many as there are, and the log says which", async () => {
    const rule = await house.addRule(house.alice.id, { resolveMinutes: 5, groupBy: ["app"] });
    const apps = Array.from({ length: 30 }, (_, index) => `app ${index}`);
    await house.raise(...apps.map((app) => house.firing(rule, { app })));
    await house.pass(10);
    await house.sql.unsafe(`
      create function parlance.break_it() returns trigger language plpgsql as $$ begin
        if new.app < 'app 2' then raise exception 'it is broken'; end if; return new;
      end $$;
      create trigger break_it before update on parlance.interaction_alerts
        for each row execute function parlance.break_it();
    `);
    const broken = apps.filter((app) => app < "app 2").length;
    try {
      const outcome = await house.watch({}, { alertsMax: 4 });
      expect(outcome).toMatchObject({ alertsResolved: 30 - broken, troubles: broken });
      expect(house.logLines.at(-1)).toMatchObject({ doing: "tend", error: "it is broken" });
    } finally {
      await house.sql.unsafe("drop function parlance.break_it() cascade");
    }
    expect(await house.watch()).toMatchObject({ alertsResolved: broken, troubles: 0 });
  });

  test("is ended and told once, however many watch at once", async () => {
    const rule = await house.addRule(house.alice.id, { name: "long", resolveMinutes: 5, groupBy: ["app"] });
    const apps = Array.from({ length: 15 }, (_, index) => `app ${index}`);
    await house.raise(...apps.map((app) => house.firing(rule, { app })));
    await house.hear(house.alice.id);
    await house.pass(10);
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => house.watch({}, { alertsMax: 3 })));
    expect(outcomes.reduce((sum, { alertsResolved }) => sum + alertsResolved, 0)).toBe(15);
    expect(await house.hear(house.alice.id)).toEqual(Array(15).fill("alert.resolved long"));
  });
});
