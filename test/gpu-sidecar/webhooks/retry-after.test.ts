import { expect, test } from "vitest";
import { readRetryAfter } from "../../../gpu-sidecar/webhooks/retry-after.ts";

const nowMs = Date.parse("2026-11-21T12:00:00Z");

test.each([
  ["120", 120],
  [" 5 ", 5],
  ["3600", 3600],
  ["86400", 3600],
  ["Sat, 21 Nov 2026 12:00:30 GMT", 30],
  ["Sat, 21 Nov 2026 18:00:00 GMT", 3600],
  ["Sat, 21 Nov 2026 11:00:00 GMT", undefined],
  ["0", undefined],
  ["-5", undefined],
  ["soon", undefined],
  ["", undefined],
  [undefined, undefined],
])("%j is %j seconds", (header, seconds) => {
  expect(readRetryAfter(header, nowMs)).toBe(seconds);
});
