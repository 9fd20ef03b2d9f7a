import fc from "fast-check";
import { expect, test } from "vitest";
import { composeAlertMail } from "../../../gpu-sidecar/alerts/mail.ts";
import { describeAlert, flatten } from "../../../gpu-sidecar/alerts/wording.ts";
import { AlertEvent } from "../../../shared/interactions/alert-news.ts";
import { createNews } from "./news.ts";

const wish = { id: "job-1", at: "2026-11-21T10:05:01.000000Z", to: "alice@example.org", isLast: false };

test("a mail says which alert it is, why, and how often", () => {
  const alert = createNews();
  const mail = composeAlertMail({ ...wish, event: "alert.opened", alert });
  expect(mail).toEqual({
    to: "alice@example.org",
    subject: "[Parlance] Critical: output too long (shop, production, gpt-4o)",
    name: "job-1",
    thread: alert.id,
    text: `Critical: output too long (shop, production, gpt-4o).

The output had 2,412 characters, more than 2,000.

App: shop
Environment: production
Model: gpt-4o
Metric: characters of the output
Value: 2412.12
Seen: 3 times, from 2026-11-21 10:00:00 UTC to 2026-11-21 10:05:00 UTC
Alert: ${alert.id}

You get this because your settings of interactions name this address for alerts.
`,
  });
});

test.each([
  ["alert.repeated", "[Parlance] Critical, still open: output too long"],
  ["alert.resolved", "[Parlance] Resolved: output too long"],
] as const)("of %s the subject says so", (event, subject) => {
  const alert = createNews({ app: null, environment: null, model: null });
  expect(composeAlertMail({ ...wish, event, alert }).subject).toBe(subject);
});

test("what is not known is left out", () => {
  const alert = createNews({
    app: null,
    environment: null,
    model: null,
    element: null,
    metric: null,
    value: null,
    count: 1,
    explanation: null,
  });
  const { text } = composeAlertMail({ ...wish, event: "alert.opened", alert });
  expect(text).not.toMatch(/null|undefined|NaN|App:|Model:|Metric:|Value:|\n\n\n/);
  expect(text).toContain("Seen: once");
});

test("the last mail for a while says that it is", () => {
  const { text } = composeAlertMail({ ...wish, event: "alert.opened", alert: createNews(), isLast: true });
  expect(text).toContain("only one e-mail in two minutes");
});

const nasty = fc.string({
  unit: fc.constantFrom("\n", "\r", "\0", "\u2028", "\u0085", "\u202e", ":", "a", "B", " ", "\ud83d\ude00"),
});

test("names and sentences can add no line, whatever is in them", () => {
  fc.assert(
    fc.property(
      nasty,
      nasty,
      nasty,
      fc.constantFrom(...AlertEvent.options),
      (app, ruleName, explanation, event) => {
        const plain = composeAlertMail({ ...wish, event, alert: createNews({ app: "x", explanation: "x" }) });
        const alert = createNews({
          app: `x${app}x`,
          ruleName: `x${ruleName}`,
          explanation: `x${explanation}`,
        });
        const mail = composeAlertMail({ ...wish, event, alert });
        expect(mail.subject).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202e]/u);
        expect(mail.text).not.toMatch(/[\r\0\u2028\u0085\u202e]/);
        expect(mail.text.split("\n")).toHaveLength(plain.text.split("\n").length);
      },
    ),
  );
});

test("a line is cut at its limit, never in the middle of a character", () => {
  expect(flatten("abcdef", 6)).toBe("abcdef");
  expect(flatten("abcdefg", 6)).toBe("abcde…");
  expect(flatten("abcd\u{1f600}xyz", 6)).toBe("abcd…");
  expect(flatten(null, 6)).toBe("");
  expect(flatten("  a \n\t b ", 6)).toBe("a b");
  expect(
    describeAlert("alert.opened", createNews({ ruleName: "r".repeat(5000), model: "m".repeat(5000) })).title
      .length,
  ).toBeLessThan(300);
});
