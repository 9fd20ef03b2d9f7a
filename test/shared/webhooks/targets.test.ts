import { expect, test } from "vitest";
import { findTargetFault } from "../../../shared/webhooks/targets.ts";

test.each([
  "https://example.com",
  "https://example.com/hooks?for=parlance",
  "https://hooks.example.com:8443/a",
  "https://1.1.1.1/",
  "https://[2606:4700:4700::1111]/",
  "https://bücher.example/",
  `https://example.com/${"x".repeat(1980)}`,
])("%s may be called", (url) => {
  expect(findTargetFault(url, "public")).toBeUndefined();
});

test.each([
  ["", /must be a URL/],
  ["example.com", /must be a URL/],
  ["/hooks", /must be a URL/],
  [`https://example.com/${"x".repeat(1981)}`, /at most 2000/],
  ["http://example.com", /must begin with https/],
  ["ftp://example.com", /must begin with https/],
  ["file:///etc/passwd", /must begin with https/],
  ["gopher://example.com", /must begin with https/],
  ["javascript:alert(1)", /must begin with https/],
  ["https://user@example.com", /name or password/],
  ["https://user:word@example.com", /name or password/],
  ["https://:word@example.com", /name or password/],
  ["https://example.com/#a", /fragment/],
  ["https://example.com:22/", /port 22/],
  ["https://example.com:25/", /port 25/],
  ["https://example.com:6379/", /port 6379/],
  ["https://localhost/", /public internet/],
  ["https://LOCALHOST./", /public internet/],
  ["https://a.localhost/", /public internet/],
  ["https://intranet/", /public internet/],
  ["https://localhost../", /public internet/],
  ["https://a..example.com/", /public internet/],
  [" https://example.com/", /spaces/],
  ["https://example.com/a b", /spaces/],
  ["https://example.com/\r\nx-forged: 1", /control characters/],
  ["https://exa\tmple.com/", /control characters/],
  ["https://example.com/\u0000", /control characters/],
  ["https://printer.local/", /public internet/],
  ["https://metadata.google.internal/", /public internet/],
  ["https://router.home.arpa/", /public internet/],
  ["https://127.0.0.1/", /public internet/],
  ["https://127.1/", /public internet/],
  ["https://2130706433/", /public internet/],
  ["https://0x7f000001/", /public internet/],
  ["https://0177.0.0.1/", /public internet/],
  ["https://127.0.0.1./", /public internet/],
  ["https://１２７.0.0.1/", /public internet/],
  ["https://169.254.169.254/latest/meta-data", /public internet/],
  ["https://10.1.2.3/", /public internet/],
  ["https://[::1]/", /public internet/],
  ["https://[::ffff:127.0.0.1]/", /public internet/],
  ["https://[::ffff:7f00:1]/", /public internet/],
  ["https://[64:ff9b::7f00:1]/", /public internet/],
  ["https://[fd00::1]/", /public internet/],
])("%j is refused", (url, why) => {
  expect(findTargetFault(url, "public")).toMatch(why);
});

test("to try things out, http and private addresses may be called, and nothing else that is refused", () => {
  for (const url of [
    "http://localhost:8080/",
    "https://127.0.0.1/",
    "http://[::1]:3000/",
    "http://intranet/",
  ]) {
    expect(findTargetFault(url, "any")).toBeUndefined();
  }
  for (const url of ["ftp://localhost", "http://user@localhost", "http://localhost:22", "localhost", ""]) {
    expect(findTargetFault(url, "any")).toBeDefined();
  }
});
