import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTurnMemory } from "../../../shared/jobs/turns.ts";

/** A memory by a clock that the test moves. */
function openMemory() {
  let now = 0;
  const memory = createTurnMemory(() => now);
  return {
    pass(ms: number): void {
      now += ms;
    },
    /** One look that takes so long and finds jobs of these turns. */
    look(turns: readonly number[] = [], tookMs = 0): number {
      const look = memory.begin();
      now += tookMs;
      look.end(turns.map((turn) => ({ turn })));
      return look.afterTurn;
    },
  };
}

describe("where a worker looks for jobs", () => {
  test("is the beginning at first, and then every second", () => {
    const { look, pass } = openMemory();
    expect(look([10])).toBe(0);
    pass(2_000);
    look([20]);
    pass(2_000);
    look([30]);
    const seen: number[] = [];
    for (let times = 0; times < 20; times++) {
      pass(100);
      seen.push(look([40]));
    }
    expect(seen.filter((after) => after === 0)).toHaveLength(2);
    expect(seen.some((after) => after > 0)).toBe(true);
  });

  test("is less often the beginning where that takes long: a twentieth of the time", () => {
    const { look, pass } = openMemory();
    look([10], 5_000);
    // Until it knows two places that are two seconds apart, there is nothing but the beginning.
    for (let seconds = 0; seconds < 10; seconds++) {
      pass(1_000);
      look([20 + seconds]);
    }
    // It looked for 5 s, so not again before 100 s are over.
    for (let seconds = 10; seconds < 99; seconds++) {
      pass(1_000);
      expect(look([20 + seconds])).toBeGreaterThan(0);
    }
    pass(1_000);
    expect(look()).toBe(0);
  });

  test("is never beyond what was found two seconds before", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ waitMs: fc.nat(3_000), finds: fc.nat(3), tookMs: fc.nat(300) }), {
          maxLength: 60,
        }),
        (steps) => {
          const { look, pass } = openMemory();
          const found: { turn: number; atMs: number }[] = [];
          let [turn, nowMs] = [0, 0];
          for (const { waitMs, finds, tookMs } of steps) {
            pass(waitMs);
            nowMs += waitMs;
            const settled = found.filter(({ atMs }) => atMs <= nowMs - 2_000).map((one) => one.turn);
            const turns = Array.from({ length: finds }, () => ++turn);
            expect(look(turns, tookMs)).toBeLessThanOrEqual(Math.max(0, ...settled));
            nowMs += tookMs;
            for (const one of turns) found.push({ turn: one, atMs: nowMs });
          }
        },
      ),
    );
  });
});
