import fc from "fast-check";
import { Webhook as Reference, WebhookVerificationError } from "standardwebhooks";
import { expect, test } from "vitest";
import { createSecret, signMessage } from "../../../shared/webhooks/signing.ts";

test("the example that Standard Webhooks publishes is signed as it says", async () => {
  const headers = await signMessage(
    { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", sentAtMs: 1_614_265_330_000, body: '{"test": 2432232314}' },
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
  );
  expect(headers).toEqual({
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

test("the reference library verifies any message, also one that is not ASCII", async () => {
  const bodies = fc.string({ unit: "binary", maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(bodies, fc.uuid(), async (text, id) => {
      const secret = createSecret();
      const body = JSON.stringify({ text });
      const headers = await signMessage({ id, sentAtMs: Date.now(), body }, [secret]);
      expect(new Reference(secret).verify(body, headers)).toEqual({ text });
      expect(() => new Reference(secret).verify(`${body} `, headers)).toThrow(WebhookVerificationError);
      const another = { ...headers, "webhook-id": `${id}0` };
      expect(() => new Reference(secret).verify(body, another)).toThrow(WebhookVerificationError);
    }),
  );
});

test("while a secret is replaced, who knows either of the two can verify, and nobody else", async () => {
  const [fresh, former, strange] = [createSecret(), createSecret(), createSecret()];
  const headers = await signMessage({ id: "1", sentAtMs: Date.now(), body: "{}" }, [fresh, former]);
  expect(headers["webhook-signature"]).toMatch(/^v1,[\w+/]{43}= v1,[\w+/]{43}=$/);
  for (const secret of [fresh, former]) expect(new Reference(secret).verify("{}", headers)).toEqual({});
  expect(() => new Reference(strange).verify("{}", headers)).toThrow(WebhookVerificationError);
});

test("a secret is whsec_ and 32 random bytes", () => {
  const secrets = Array.from({ length: 100 }, createSecret);
  for (const secret of secrets) {
    expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
    expect(atob(secret.slice(6))).toHaveLength(32);
  }
  expect(new Set(secrets).size).toBe(100);
});

const bytes = (count: number) => btoa("x".repeat(count));
test.each([`whsec_${bytes(24)}`, `whsec_${bytes(64)}`])("%s may sign", async (secret) => {
  await expect(signMessage({ id: "1", sentAtMs: 0, body: "" }, [secret])).resolves.toBeDefined();
});

test.each(["", bytes(32), `whsec_${bytes(23)}`, `whsec_${bytes(65)}`, "whsec_"])(
  "%j is no secret, and the error does not repeat it",
  async (secret) => {
    const signing = signMessage({ id: "1", sentAtMs: 0, body: "" }, [secret]);
    await expect(signing).rejects.toThrow("a webhook's secret is whsec_ and the base64 of 24 to 64 bytes");
  },
);
