/** Interactions that are logged while their rule is changed or deleted: both go through, one after the other. */
import type { TransactionSql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { raiseAlerts } from "../../../../edge/interactions/log-store.ts";
import { saveFences } from "../../../../edge/interactions/statistics/fence-store.ts";
import { pruneFences } from "../../../../edge/interactions/statistics/fences.ts";
import { serviceCaller, transactAs } from "../../../../shared/callers.ts";
import type { Rule } from "../../../../shared/interactions/rules.ts";
import { findPid, seeWaiting } from "../../../helpers/waiting.ts";
import { type AlertApp, openAlertApp } from "../alerts/rig.ts";

let house: AlertApp;
beforeAll(async () => {
  house = await openAlertApp();
});
afterAll(() => house.close());

const keepFences = (transaction: TransactionSql, rule: Rule) =>
  saveFences(transaction, [
    { rule, groupKey: "[]", hour: 1, isPresent: false, fences: undefined, values: 2_000 },
  ]);

/** Logs something that the rule's alert counts, and has the route called in the midst of it. */
async function logDuring(rule: Rule, call: () => Promise<{ status: number; text: string }>) {
  const poster = house.database.connect({ max: 1 });
  try {
    let answer: Promise<{ status: number; text: string }> | undefined;
    await transactAs(poster, serviceCaller, async (transaction) => {
      const pid = await findPid(transaction);
      await keepFences(transaction, rule);
      answer = call();
      await seeWaiting(house.sql, pid);
      await raiseAlerts(transaction, [house.firing(rule, { app: "a", value: 7 })]);
    });
    return await answer;
  } finally {
    await poster.end();
  }
}

describe.runIf(process.env.TEST_DATABASE_URL)("what is logged while its rule", () => {
  test.each([
    ["is deleted", "DELETE", undefined, 204],
    ["judges otherwise", "PATCH", { condition: { type: "above", threshold: 99 } }, 200],
    ["is disabled", "PATCH", { isEnabled: false }, 200],
  ] as const)("%s is counted before, and the alert is over after", async (_, method, body, status) => {
    const { alice, sql } = house;
    const rule = await house.addRule(alice.id);
    await house.raise(house.firing(rule, { app: "a" }));
    await transactAs(sql, serviceCaller, (transaction) => keepFences(transaction, rule));
    const init = body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const answer = await logDuring(rule, () => house.call(alice, method, `/rules/${rule.id}`, init));
    expect(answer?.status, answer?.text).toBe(status);
    const mine = (await house.listAlerts(alice.id)).filter(
      ({ fingerprint }) => fingerprint === house.firing(rule, { app: "a" }).fingerprint,
    );
    expect(mine).toMatchObject([{ count: 2, state: "resolved", resolution: "rule-changed", value: 7 }]);
  });

  test("old bounds that are being worked out anew are not waited for", async () => {
    const { alice, sql } = house;
    const rule = await house.addRule(alice.id);
    await sql`delete from parlance.interaction_fences`;
    await transactAs(sql, serviceCaller, (transaction) => keepFences(transaction, rule));
    await sql`update parlance.interaction_fences set computed_at = now() - interval '2 hours'`;
    const poster = house.database.connect({ max: 1 });
    try {
      await transactAs(poster, serviceCaller, async (transaction) => {
        await keepFences(transaction, rule);
        expect(await transactAs(sql, serviceCaller, (other) => pruneFences(other))).toBe(0);
      });
    } finally {
      await poster.end();
    }
  });
});
