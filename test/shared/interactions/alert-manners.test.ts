import { describe, expect, test } from "vitest";
import { AlertManners } from "../../../shared/interactions/alert-manners.ts";

interface Options {
  readonly resolve?: number;
  readonly renotify?: number | null;
  /** What is missing and is there again, at minute. */
  readonly resolvedAt?: number;
}

/** When people are told, in minutes: `3` opened, `+5` told again. Each is fired at or from and until. */
function tell(
  fired: readonly (number | readonly [number, number])[],
  { resolve = 60, renotify = null }: Options = {},
) {
  const told: string[] = [];
  let manners = create();
  function create(state?: AlertManners["state"]) {
    return new AlertManners(
      { resolveMinutes: resolve, renotifyMinutes: renotify },
      (what, atMs) => told.push(`${what === "repeated" ? "+" : ""}${atMs / 60_000}`),
      state,
    );
  }
  for (const one of fired) {
    const [from, to] = typeof one === "number" ? [one, one] : one;
    manners.fire(from * 60_000, to * 60_000);
    // What is kept between runs is all there is.
    manners = create(JSON.parse(JSON.stringify(manners.state)));
  }
  manners.settle(1e6 * 60_000);
  return told.join(" ");
}

describe("an alert", () => {
  test.each<[string, Parameters<typeof tell>, string]>([
    ["is told of once while it goes on", [[0, 10, 20, 75, 134]], "0"],
    ["is over when it was quiet, and another after an hour more", [[0, 121]], "0 121"],
    ["that comes back within an hour is told of", [[0, 61, 122]], "0 61 122"],
    ["that comes back for the third time is not", [[0, 61, 122, 183, 244]], "0 61 122"],
    [
      "that went on for an hour in between does not flap",
      [[0, 61, [122, 182], 243, 304, 365]],
      "0 61 122 243 304",
    ],
    ["that flapped is told of after a quiet hour", [[0, 61, 122, 183, 183 + 120]], "0 61 122 303"],
    [
      "that flapped and goes on for an hour is told of",
      [[0, 61, 122, 183, 200, 242, 243, 260]],
      "0 61 122 243",
    ],
    ["that flapped and goes on minute by minute is told of", [[0, 61, 122, [183, 300]]], "0 61 122 243"],
    ["is not told of again where nothing fired since", [[0], { renotify: 10 }], "0"],
    ["is told of again when that is due and it fired since", [[0, 3], { renotify: 10 }], "0 +10"],
    ["is told of again when it fires later", [[0, 12, 13], { renotify: 10 }], "0 +12 +22"],
    ["is not told of again when it is over by then", [[0, 3], { renotify: 70, resolve: 60 }], "0"],
    ["is told of again before it is over", [[0, 3], { renotify: 62, resolve: 60 }], "0 +62"],
    [
      "that goes on minute by minute is told of again and again",
      [[[0, 35]], { renotify: 10 }],
      "0 +10 +20 +30 +40",
    ],
    [
      "that goes on minute by minute counts from when people were told",
      [[5, [7, 29]], { renotify: 10 }],
      "5 +15 +25 +35",
    ],
    ["that ends as it is told of is not told of again", [[[0, 20]], { renotify: 10 }], "0 +10 +20"],
    ["that flaps is not told of again", [[0, 61, 122, 183, 190], { renotify: 10 }], "0 61 122"],
    ["that is over after a minute stays open minute by minute", [[[0, 5], [6, 9], 10], { resolve: 1 }], "0"],
  ])("%s", (_what, given, told) => {
    expect(tell(...given)).toBe(told);
  });

  test("of what is there again is over at once, and what was forgotten begins anew", () => {
    const told: number[] = [];
    const manners = new AlertManners({ resolveMinutes: 1000, renotifyMinutes: null }, (_what, atMs) =>
      told.push(atMs),
    );
    for (let round = 0; round < 5; round++) {
      manners.fire(round * 120_000);
      manners.resolve(round * 120_000 + 60_000);
    }
    expect(told).toEqual([0, 120_000, 240_000]);
    manners.forget();
    manners.fire(600_000);
    expect(told).toEqual([0, 120_000, 240_000, 600_000]);
  });
});
