/** What a receiver of webhooks needs: whether a message comes from here, now. `body` is the text as it came. */
import { createHmac, timingSafeEqual } from "node:crypto";

export function verifyWebhook(secret: string, headers: Headers, body: string): boolean {
  const [id, timestamp] = [headers.get("webhook-id"), headers.get("webhook-timestamp")];
  const isFresh = Math.abs(Date.now() / 1000 - Number(timestamp)) < 300;
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
  const signatures = headers.get("webhook-signature")?.split(" ") ?? [];
  const given = signatures
    .filter((text) => text.startsWith("v1,"))
    .map((text) => Buffer.from(text.slice(3), "base64"));
  return isFresh && given.some((one) => one.length === expected.length && timingSafeEqual(one, expected));
}
