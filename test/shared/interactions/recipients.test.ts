import { expect, test } from "vitest";
import { isAddress, mayReceive } from "../../../shared/interactions/recipients.ts";

test.each([
  ["alice@example.org", "alice@example.org", true],
  ["alice@example.org", "Alice@Example.ORG", true],
  ["alice@example.org", "bob@example.org", false],
  ["alice@example.org", "alice@example.org,bob@example.org", false],
  ["alice@example.org", " alice@example.org", false],
  ["alice@example.org", "", false],
  ["", "", false],
  [undefined, "alice@example.org", false],
  [null, "", false],
])("an account of %s may have mail sent to %j: %s", (own, address, may) => {
  expect(mayReceive(own, address)).toBe(may);
});

test.each([
  ["alice@example.org", true],
  ["alice+alerts@sub.example.org", true],
  ["größe@example.org", true],
  ["alice", false],
  ["alice@", false],
  ["@example.org", false],
  ["alice@b@example.org", false],
  ["a@example.org, b@example.org", false],
  ["a@example.org\r\nRCPT TO:<b@example.org>", false],
  ["Alice <alice@example.org>", false],
  ["team:a@example.org;", false],
  ['"a b"@example.org', false],
  [`${"a".repeat(65)}@example.org`, false],
  [`a@${"b".repeat(255)}`, false],
])("%j is one address: %s", (text, is) => {
  expect(isAddress(text)).toBe(is);
});
