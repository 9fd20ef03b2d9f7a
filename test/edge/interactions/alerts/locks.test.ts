/** The alerts of rules that are judged every minute, while people change several of them at once. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { serviceCaller, transactAs } from "../../../../shared/callers.ts";
import { fingerprintOf } from "../../../../shared/interactions/judging.ts";
import type { Rule } from "../../../../shared/interactions/rules.ts";
import { insertInteractions } from "../../../helpers/interactions.ts";
import { findPid, seeWaiting } from "../../../helpers/waiting.ts";
import { type AlertApp, openAlertApp } from "./rig.ts";

let house: AlertApp;
beforeAll(async () => {
  house = await openAlertApp();
});
afterAll(() => house.close());
afterEach(() => house.clear());

const log = (app: string, minutes: readonly number[]) =>
  insertInteractions(
    house.sql,
    house.alice.id,
    minutes.map((ago) => ({
      output: "x",
      app,
      occurredAt: new Date(Date.now() - ago * 60_000).toISOString(),
    })),
  );

const addRule = (condition: Rule["condition"]) =>
  house.addRule(house.alice.id, { element: null, metric: null, condition, groupBy: ["app"] });

/** As people do who take on or resolve several: the alert that is the first by its fingerprint, then the last. */
async function watchWhileTaken(rule: Rule, firstApp: string, lastApp: string): Promise<void> {
  const nameOf = (app: string) => fingerprintOf(rule, { app, environment: "", model: "" });
  const other = house.database.connect({ max: 1 });
  try {
    let watching: Promise<unknown> | undefined;
    await transactAs(other, serviceCaller, async (transaction) => {
      const pid = await findPid(transaction);
      const take = (app: string) => transaction`
        select from parlance.interaction_alerts where fingerprint = ${nameOf(app)} for update nowait
      `;
      expect(await take(firstApp)).toHaveLength(1);
      watching = house.watch();
      await seeWaiting(house.sql, pid);
      // Who waits for the first one does not hold the last one.
      expect(await take(lastApp)).toHaveLength(1);
    });
    expect(await watching).toMatchObject({ rulesJudged: 1, troubles: 0 });
  } finally {
    await other.end();
  }
}

describe.runIf(process.env.TEST_DATABASE_URL)("alerts that people take at the same time", () => {
  test("of a rate are taken in the order of all", async () => {
    const rule = await addRule({ type: "rate", windowMinutes: 60, moreThan: 1 });
    // The last one's group is the older one.
    await log("z", [1, 2]);
    await log("a", [1, 2, 3]);
    await house.watch();
    expect(await house.listAlerts(house.alice.id)).toHaveLength(2);
    await house.pass(1);
    await watchWhileTaken(rule, "a", "z");
    const alerts = await house.listAlerts(house.alice.id);
    expect(alerts.map(({ count, value }) => [count, value]).sort()).toEqual([
      [2, 2],
      [2, 3],
    ]);
    const firings = await house.sql`select from parlance.alert_firings`;
    expect(firings).toHaveLength(5);
  });

  test("of what is missing are taken in the order of all, raised or resolved", async () => {
    const rule = await addRule({ type: "missing", windowMinutes: 60 });
    await log("z", [90]);
    await log("a", [90]);
    await house.watch();
    await house.pass(1);
    await log("a", [0]);
    await watchWhileTaken(rule, "a", "z");
    const alerts = await house.listAlerts(house.alice.id);
    expect(alerts.map(({ state, resolution }) => [state, resolution]).sort()).toEqual([
      ["open", null],
      ["resolved", "quiet"],
    ]);
  });
});
