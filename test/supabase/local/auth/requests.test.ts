import { describe, expect, test } from "vitest";
import { Attempts } from "../../../../supabase/local/auth/attempts.ts";
import { parseDuration, parseEmail } from "../../../../supabase/local/auth/requests.ts";

test.each([
  ["none", 0],
  ["0", 0],
  ["300ms", 300],
  ["2h45m", 9_900_000],
  ["1.5h", 5_400_000],
  [".5s", 500],
  ["1h1m1s1ms", 3_661_001],
  ["1000us", 1],
  ["1000µs", 1],
  ["1000000ns", 1],
  ["876000h", 3_153_600_000_000],
])("the duration %s is %i milliseconds", (duration, ms) => {
  expect(parseDuration(duration)).toBe(ms);
});

test.each(["", "1", "-1h", "1d", "h", "1h ", "1 h", "1h1", "none1h", "∞", "9999999999h", "1e3s"])(
  "%j is no duration",
  (duration) => {
    expect(() => parseDuration(duration)).toThrow("invalid format");
  },
);

test.each([
  ["Ada@Example.com", "ada@example.com"],
  ["ada+test@localhost", "ada+test@localhost"],
  ["o'hara@example.co.uk", "o'hara@example.co.uk"],
])("the address %s is kept as %s", (given, kept) => {
  expect(parseEmail(given)).toBe(kept);
});

test.each([
  "",
  "ada",
  "@example.com",
  "ada@",
  "a da@example.com",
  "ada@example.com\n",
  "ada@exa mple.com",
  "a@b@c.de",
])("%j is no address", (given) => {
  expect(() => parseEmail(given)).toThrow("Unable to validate email address");
});

describe("attempts", () => {
  test("come back with time and never above the most", () => {
    const attempts = new Attempts();
    const takeAll = (at: number) => {
      let taken = 0;
      while (attempts.take("ada", at)) taken += 1;
      return taken;
    };
    expect(takeAll(0)).toBe(30);
    expect(takeAll(9_999)).toBe(0);
    expect(takeAll(20_000)).toBe(2);
    expect(takeAll(20_000 + 24 * 3600 * 1000)).toBe(30);
  });

  test("are not given back by a clock that was set back", () => {
    const attempts = new Attempts();
    for (let n = 0; n < 30; n += 1) attempts.take("ada", 1_000_000);
    expect(attempts.take("ada", 0)).toBe(false);
  });

  test("are remembered for the last ten thousand, whatever else is asked", () => {
    const attempts = new Attempts();
    for (let n = 0; n < 30; n += 1) attempts.take("ada", 0);
    for (let n = 0; n < 9_999; n += 1) attempts.take(`stranger ${n}`, 0);
    expect(attempts.take("ada", 0)).toBe(false);
    for (let n = 0; n < 10_000; n += 1) attempts.take(`another ${n}`, 0);
    expect(attempts.take("ada", 0)).toBe(true);
  });
});
