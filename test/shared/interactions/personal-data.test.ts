import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findPersonalData, redactText } from "../../../shared/interactions/personal-data.ts";

test.each([
  ["mail ada.lovelace+news@mail.example.co.uk today", "mail [email] today"],
  ["(bob@example.com)", "([email])"],
  ["not a@b, nor @handle", "not a@b, nor @handle"],
  ["call +1 415 555 2671 now", "call [phone] now"],
  ["call +14155552671.", "call [phone]."],
  ["call (020) 7946 0958", "call [phone]"],
  ["fax 030-1234-5678", "fax [phone]"],
  ["on 2026-11-21 or 21.11.2026", "on 2026-11-21 or 21.11.2026"],
  ["version 10.20.30 of 1234567890", "version 10.20.30 of 1234567890"],
  ["pay 4111 1111 1111 1111 soon", "pay [card] soon"],
  ["pay 4111111111111111", "pay [card]"],
  ["pay 378282246310005", "pay [card]"],
  ["not 4111 1111 1111 1112", "not 4111 1111 1111 1112"],
  ["all zeros 0000000000000000", "all zeros 0000000000000000"],
  ["key sk-proj-abcdefghij0123456789ABCDEF", "key [key]"],
  ["csk-abcdefghij0123456789abcdef, gsk_abcdefghij0123456789ABCD", "[key], [key]"],
  ["key ghp_0123456789abcdefghijABCDEFGHIJ012345", "key [key]"],
  ["key AKIAIOSFODNN7EXAMPLEX", "key [key]"],
  ["a sk-eleton-in-the-cupboard-of-words", "a sk-eleton-in-the-cupboard-of-words"],
  ["Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "Bearer [key]"],
  ["-----BEGIN RSA PRIVATE KEY-----", "[key]"],
  ["a -----BEGIN PRIVATE KEY-----\nMIIE/+k=\n-----END PRIVATE KEY----- b", "a [key] b"],
  ["-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: AES-128-CBC\nMIIE\n-----END RSA PRIVATE KEY-----", "[key]"],
  ["-----BEGIN PRIVATE KEY----- -----BEGIN CERTIFICATE-----", "[key] -----BEGIN CERTIFICATE-----"],
  ["", ""],
])("%j is redacted to %j", (text, redacted) => {
  expect(redactText(text)).toBe(redacted);
});

test("only what is asked for is redacted", () => {
  const text = "ada@example.com has sk-proj-abcdefghij0123456789ABCDEF";
  expect(redactText(text, ["key"])).toBe("ada@example.com has [key]");
  expect(redactText(text, ["email", "phone"])).toBe("[email] has sk-proj-abcdefghij0123456789ABCDEF");
  expect(redactText(text, [])).toBe(text);
});

describe("redacting", () => {
  const part = fc.constantFrom(
    "ada@example.com",
    "+1 415 555 2671",
    "4111 1111 1111 1111",
    " ",
    "a",
    "-",
    ".",
    "@",
    "12",
    "sk-",
  );
  const text = fc.array(part, { maxLength: 30 }).map((parts) => parts.join(""));

  test("leaves everything else as it was", () => {
    fc.assert(
      fc.property(text, (whole) => {
        let end = 0;
        for (const { from, to } of findPersonalData(whole)) {
          expect(from).toBeGreaterThanOrEqual(end);
          expect(to).toBeGreaterThan(from);
          end = to;
        }
        expect(end).toBeLessThanOrEqual(whole.length);
        const kept = redactText(whole).replaceAll(/\[(?:email|phone|card|key)\]/g, "").length;
        const found = findPersonalData(whole).reduce((sum, { from, to }) => sum + to - from, 0);
        expect(kept).toBe(whole.length - found);
      }),
    );
  });
});
