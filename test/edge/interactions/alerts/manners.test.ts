/** Random lives of alerts: what people are told at each step is what a small model says, and so is where they stand. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Rule } from "../../../../shared/interactions/rules.ts";
import { ModelOfManners } from "./manners-model.ts";
import { type AlertApp, openAlertApp } from "./rig.ts";

let house: AlertApp;
beforeAll(async () => {
  house = await openAlertApp();
});
afterAll(() => house.close());

type Step =
  | { readonly do: "fire"; readonly rule: number; readonly app: string }
  | { readonly do: "pass"; readonly minutes: number }
  | { readonly do: "silence"; readonly app: string | null; readonly minutes: number }
  | { readonly do: "end silences" }
  | { readonly do: "watch" }
  | { readonly do: "acknowledge" | "take back" | "resolve"; readonly index: number };

const app = fc.constantFrom("a", "b");
const index = fc.nat({ max: 4 });
const minutes = fc.constantFrom(1, 2, 4, 5, 10, 30, 59, 60, 61);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("fire" as const), rule: fc.nat({ max: 2 }), app }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("pass" as const), minutes }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("watch" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("silence" as const), app: fc.option(app), minutes }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("end silences" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("acknowledge" as const, "take back" as const, "resolve" as const),
      index,
    }),
  },
);
/** Comes and goes, which random steps seldom do for long. */
const unsteady = fc
  .record({ rounds: fc.integer({ min: 2, max: 8 }), pause: fc.constantFrom(5, 10, 59), app })
  .map(({ rounds, pause, app: of }): Step[] =>
    Array.from({ length: rounds }, (): Step[] => [
      { do: "fire", rule: 0, app: of },
      { do: "pass", minutes: pause },
      { do: "watch" },
    ]).flat(),
  );
/** Fires for about an hour, or just not, without being over in between. */
const steady = fc
  .record({ rounds: fc.constantFrom(14, 15, 16), app })
  .map(({ rounds, app: of }): Step[] =>
    Array.from({ length: rounds }, (): Step[] => [
      { do: "pass", minutes: 4 },
      { do: "fire", rule: 0, app: of },
      { do: "watch" },
    ]).flat(),
  );
const long = fc.oneof(
  unsteady,
  fc.tuple(unsteady, steady).map((parts) => parts.flat()),
  fc.tuple(unsteady, steady, unsteady).map((parts) => parts.flat()),
);
const life = fc
  .array(fc.oneof({ weight: 8, arbitrary: step.map((one) => [one]) }, { weight: 1, arbitrary: long }), {
    maxLength: 40,
    size: "max",
  })
  .map((parts) => parts.flat());

async function openRules(): Promise<Rule[]> {
  const wishes: Partial<Rule>[] = [
    { name: "short", groupBy: ["app"], resolveMinutes: 5, renotifyMinutes: 4 },
    { name: "long", groupBy: ["app"], resolveMinutes: 90, renotifyMinutes: 30 },
    { name: "once", groupBy: [], resolveMinutes: 60, renotifyMinutes: null },
  ];
  const rules: Rule[] = [];
  for (const wish of wishes) rules.push(await house.addRule(house.alice.id, wish));
  return rules;
}

async function hear(): Promise<string[]> {
  const rows = await house.sql<{ told: string }[]>`
    delete from realtime.messages
    where event like 'alert%'
    returning concat(
      substr(event, 7), ' ', payload -> 'alert' ->> 'ruleName', ' ', coalesce(payload -> 'alert' ->> 'app', 'null')
    ) as told
  `;
  return rows.map(({ told }) => told).sort();
}

const post = (path: string, body: unknown = {}) =>
  house.call(house.alice, "POST", path, {
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });

async function act(model: ModelOfManners, rules: readonly Rule[], one: Step): Promise<void> {
  if (one.do === "fire") {
    const rule = rules[one.rule];
    if (!rule) return;
    model.fire(rule, rule.groupBy.length === 0 ? null : one.app);
    await house.raise(house.firing(rule, { app: one.app }));
  } else if (one.do === "pass") {
    model.pass(one.minutes);
    await house.pass(one.minutes);
  } else if (one.do === "silence") {
    model.silence(one.app, one.minutes);
    expect((await post("/alerts/silences", { app: one.app, minutes: one.minutes })).status).toBe(201);
  } else if (one.do === "end silences") {
    model.endSilences();
    await house.sql`delete from parlance.alert_silences`;
  } else if (one.do === "watch") {
    model.watch();
    expect(await house.watch()).toMatchObject({ troubles: 0 });
  } else {
    await actByHand(model, one.do, one.index);
  }
}

async function actByHand(
  model: ModelOfManners,
  what: "acknowledge" | "take back" | "resolve",
  place: number,
) {
  const id = (await house.listAlerts(house.alice.id))[place]?.id;
  if (what === "resolve") model.resolve(place);
  else model.acknowledge(place, what === "acknowledge");
  if (id === undefined) return;
  if (what === "resolve") await post(`/alerts/${id}/resolution`);
  else if (what === "acknowledge") await post(`/alerts/${id}/acknowledgement`);
  else await house.call(house.alice, "DELETE", `/alerts/${id}/acknowledgement`);
}

test("people are told what the model says, whatever happens in whatever order", async () => {
  await fc.assert(
    fc.asyncProperty(life, async (steps) => {
      await house.clear();
      const rules = await openRules();
      const model = new ModelOfManners();
      for (const one of steps) {
        await act(model, rules, one);
        expect(await hear()).toEqual(model.hear());
      }
      const stand = await house.listAlerts(house.alice.id);
      expect(
        stand.map(({ state, count, resolution, isFlapping }) => ({ state, count, resolution, isFlapping })),
      ).toEqual(
        model.alerts.map(({ state, count, resolution, isFlapping }) => ({
          state,
          count,
          resolution: state === "resolved" ? resolution : null,
          isFlapping,
        })),
      );
    }),
    { numRuns: process.env.TEST_DATABASE_URL ? 25 : 10 },
  );
});
