import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { verifyWebhook } from "../../docs/examples/verify-webhook.ts";
import { createId } from "../../shared/ids.ts";
import { createSecret, signMessage } from "../../shared/webhooks/signing.ts";

const secret = createSecret();
const body = JSON.stringify({ type: "job.done", data: { words: "größer" } });

async function sign(secrets: readonly string[] = [secret], sentAtMs = Date.now()): Promise<Headers> {
  return new Headers(await signMessage({ id: createId(), sentAtMs, body }, secrets));
}

test("the example takes what is signed here, also while the secret is replaced", async () => {
  expect(verifyWebhook(secret, await sign(), body)).toBe(true);
  expect(verifyWebhook(secret, await sign([createSecret(), secret]), body)).toBe(true);
  const headers = await sign();
  headers.set("webhook-signature", `v1a,AAAA v2,${"A".repeat(43)}= ${headers.get("webhook-signature")}`);
  expect(verifyWebhook(secret, headers, body)).toBe(true);
});

test("the example refuses another secret and another body", async () => {
  expect(verifyWebhook(createSecret(), await sign(), body)).toBe(false);
  expect(verifyWebhook(secret, await sign(), `${body} `)).toBe(false);
});

test.each(["webhook-id", "webhook-timestamp", "webhook-signature"])(
  "the example refuses another %s, and none",
  async (name) => {
    const headers = await sign();
    headers.set(name, "v1,0");
    expect(verifyWebhook(secret, headers, body)).toBe(false);
    headers.delete(name);
    expect(verifyWebhook(secret, headers, body)).toBe(false);
  },
);

test("the example refuses what was sent long ago, and what is of the future", async () => {
  for (const minutes of [-6, 6]) {
    const headers = await sign([secret], Date.now() + minutes * 60_000);
    expect(verifyWebhook(secret, headers, body)).toBe(false);
  }
});

test("the page shows the example as it is", () => {
  const read = (path: string) => readFileSync(join(import.meta.dirname, "../..", path), "utf8");
  const example = read("docs/examples/verify-webhook.ts");
  expect(read("docs/job-lifecycle.md")).toContain(example.slice(example.indexOf("import ")));
});
