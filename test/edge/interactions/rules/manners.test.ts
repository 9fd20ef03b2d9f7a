import { afterAll, beforeAll, expect, test } from "vitest";
import { AlertManners } from "../../../../shared/interactions/alert-manners.ts";
import { seededRandom } from "../../../helpers/pictures.ts";
import { type AlertApp, openAlertApp } from "../alerts/rig.ts";

let house: AlertApp;
beforeAll(async () => {
  house = await openAlertApp();
});
afterAll(() => house.close());

const cases = [
  { seed: 1, resolveMinutes: 5, renotifyMinutes: 4 },
  { seed: 2, resolveMinutes: 5, renotifyMinutes: null },
  { seed: 3, resolveMinutes: 8, renotifyMinutes: 3 },
];

/** Comes and goes, and goes on for more than an hour; never to the minute when an hour of quiet is over. */
function drawMinutes(seed: number, resolveMinutes: number): number[] {
  const random = seededRandom(seed);
  const gaps = [
    1,
    2,
    resolveMinutes - 1,
    resolveMinutes,
    resolveMinutes + 1,
    30,
    58 + resolveMinutes,
    62 + resolveMinutes,
  ];
  const steady = Array.from({ length: 18 }, () => resolveMinutes - 1);
  const drawn = Array.from({ length: 24 }, () => gaps[Math.floor(random() * gaps.length)] ?? 1);
  const unsteady = Array.from({ length: 5 }, () => resolveMinutes + 2);
  let minute = 0;
  return [0, ...unsteady, ...steady, ...drawn, ...unsteady].map((gap) => {
    minute += gap;
    return minute;
  });
}

test.each(cases)(
  "a back-test tells of alerts as the database tells of them: %j",
  async ({ seed, ...manners }) => {
    await house.clear();
    const fired = drawMinutes(seed, manners.resolveMinutes);
    const expected: string[] = [];
    const model = new AlertManners(manners, (told, atMs) => expected.push(`${atMs / 60_000} ${told}`));
    const end = (fired.at(-1) ?? 0) + 100;
    for (const minute of fired) model.fire(minute * 60_000);
    model.settle(end * 60_000);

    const rule = await house.addRule(house.alice.id, manners);
    const told: string[] = [];
    const hear = async (minute: number) => {
      for (const event of await house.hear(house.alice.id)) {
        if (!event.startsWith("alert.resolved"))
          told.push(`${minute} ${event.slice("alert.".length).split(" ")[0]}`);
      }
    };
    let isOpen = false;
    for (let minute = 0; minute < end; ) {
      if (fired.includes(minute)) await house.raise(house.firing(rule));
      if (fired.includes(minute) || isOpen) await house.watch();
      await hear(minute);
      isOpen = (await house.listAlerts(house.alice.id)).some(({ state }) => state !== "resolved");
      // Nothing happens to what is resolved until it fires again.
      const next = isOpen ? minute + 1 : (fired.find((one) => one > minute) ?? end);
      await house.pass(next - minute);
      minute = next;
    }
    expect(told).toEqual(expected);
    expect(told.length).toBeGreaterThan(10);
    expect(told.length).toBeLessThan(fired.length * 2);
  },
);
