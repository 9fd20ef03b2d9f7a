import fc from "fast-check";
import { expect, test } from "vitest";
import { composeSlackBody, escapeText } from "../../../gpu-sidecar/webhooks/slack.ts";
import { createNews } from "../alerts/news.ts";

const textOf = (event: string, data: object): string => {
  const body = JSON.parse(composeSlackBody({ event, data: data as Record<string, unknown> }));
  expect(Object.keys(body)).toEqual(["text"]);
  return body.text;
};

test("an alert is a title, why, how often and which", () => {
  const alert = createNews();
  expect(textOf("alert.opened", alert)).toBe(
    `*Critical: output too long (shop, production, gpt-4o)*
The output had 2,412 characters, more than 2,000.
Seen: 3 times, from 2026-11-21 10:00:00 UTC to 2026-11-21 10:05:00 UTC
Alert: ${alert.id}`,
  );
  expect(textOf("alert.resolved", alert)).toMatch(/^\*Resolved: output too long/);
});

test("ends of jobs and tests are texts too", () => {
  const job = { id: "0190", kind: "images.ingest-image", error: null, result: { secret: 1 } };
  expect(textOf("job.done", job)).toBe("Job done: images.ingest-image (0190)");
  const error = { code: "x", message: "It <went> wrong & stayed so." };
  expect(textOf("job.failed", { ...job, error })).toBe(
    "*Job failed:* images.ingest-image (0190)\nIt &lt;went&gt; wrong &amp; stayed so.",
  );
  expect(textOf("webhook.test", { webhookId: "0190" })).toBe(
    "This is a test by Parlance: messages arrive here.",
  );
});

test.each([
  ["<!channel>", "&lt;!channel&gt;"],
  ["<!here|x> <@U1> <#C1>", "&lt;!here|x&gt; &lt;@\u200bU1&gt; &lt;#C1&gt;"],
  ["<https://evil.example.com|your bank>", "&lt;https:\u200b//evil.example.com|your bank&gt;"],
  ["@everyone @channel", "@\u200beveryone @\u200bchannel"],
  ["[your bank](https://evil.example.com)", "[your bank]\u200b(https:\u200b//evil.example.com)"],
  ["[your bank][1]", "[your bank]\u200b[1]"],
  ["WWW.evil.example.com", "WWW\u200b.evil.example.com"],
  ["&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;"],
  ["```", "'''"],
])("%j stays text", (text, escaped) => {
  expect(escapeText(text)).toBe(escaped);
});

test("names with anything in them give no mention, no link and no line", () => {
  const nasty = fc.string({
    unit: fc.constantFrom(
      "<",
      ">",
      "&",
      "!",
      "@",
      "channel",
      "everyone",
      "|",
      "http",
      ":",
      "//",
      "[",
      "]",
      "(",
      ")",
      "\n",
      "*",
      "`",
      "www.",
    ),
  });
  fc.assert(
    fc.property(nasty, nasty, nasty, (model, ruleName, explanation) => {
      const text = textOf("alert.opened", createNews({ model, ruleName, explanation: `x${explanation}` }));
      expect(text).not.toMatch(/[<>`]|@(?!\u200b)\S|:\/\/|\]\(|www\.|&(?!(amp|lt|gt);)/i);
      expect(text.split("\n")).toHaveLength(4);
      expect(text.split("\n")[0]).toMatch(/^\*[^*]*\*$/);
    }),
  );
});
