import { expect, test } from "vitest";
import { findIdleness } from "../../../gpu-sidecar/idleness.ts";

const minute = 60_000;
const held = (name: string, unusedMs: number) => ({ name, usedAtMs: 10 * minute - unusedMs });
const options = { nowMs: 10 * minute, idleMs: 5 * minute, needed: ["clip", "siglip"] };

test.each([
  ["nothing is held", [], undefined],
  ["all that is held is in use", [held("clip", 0), held("siglip", 5 * minute)], undefined],
  [
    "one of two is unused for longer",
    [held("clip", 0), held("siglip", 5 * minute + 1)],
    "siglip was not used for 300 s",
  ],
  ["no space needs one that was used a moment ago", [held("old", minute)], undefined],
  ["no space needs one any more", [held("old", minute + 1)], "no space needs old any more"],
])("when %s", (_what, models, reason) => {
  expect(findIdleness(models, options)).toBe(reason);
});

test("nothing is ever idle where the operator wants it so", () => {
  expect(findIdleness([held("old", 9 * minute)], { ...options, idleMs: 0 })).toBeUndefined();
});
