import fc from "fast-check";
import { expect, test } from "vitest";
import { noDeaths, planRestart } from "../../../gpu-sidecar/restarts.ts";

test("a restart is never sooner than half a second nor later than a minute, however it died before", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ passMs: fc.nat(300_000), random: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
      ),
      (lives) => {
        let nowMs = 0;
        let deaths = noDeaths;
        for (const { passMs, random } of lives) {
          nowMs += passMs;
          const plan = planRestart(deaths, { nowMs, random });
          deaths = plan.deaths;
          expect(plan.restartMs).toBeGreaterThanOrEqual(500);
          expect(plan.restartMs).toBeLessThanOrEqual(60_000);
          expect(deaths.atMs.length).toBeLessThanOrEqual(5);
        }
      },
    ),
  );
});

test.each([
  [[0, 30_000, 60_000, 90_000, 119_999], true],
  [[0, 30_000, 60_000, 90_000, 120_001], false],
  [[0, 0, 0, 0], false],
  [[0, 0, 0, 0, 0], true],
  // A loop is over only when the process was well.
  [[0, 0, 0, 0, 0, 1_000_000], true],
])("deaths at %j are a crash loop: %s", (times, isLooping) => {
  let deaths = noDeaths;
  for (const nowMs of times) deaths = planRestart(deaths, { nowMs, random: 0 }).deaths;
  expect(deaths.isLooping).toBe(isLooping);
});
