/** Alerts on their way to webhooks: through the database, the queue and the real task, to a receiver on this machine. */
import { Webhook as Reference } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  createDeliverWebhookTask,
  type DeliverWebhookOptions,
} from "../../../gpu-sidecar/tasks/deliver-webhook.ts";
import { executeJob } from "../../../shared/jobs/executor.ts";
import { WebhookMessage } from "../../../shared/webhooks/contract.ts";
import {
  type AlertDatabase,
  type AlertWish,
  openAlertDatabase,
} from "../../shared/interactions/alert-rig.ts";
import type { WebhookWish } from "../../shared/webhooks/rig.ts";
import {
  answer,
  authorities,
  createResolver,
  ok,
  openReceiver,
  type Receiver,
} from "../webhooks/receiver.ts";

let house: AlertDatabase;
let receiver: Receiver;
let alice: string;
beforeAll(async () => {
  house = await openAlertDatabase();
  alice = await house.addUser();
});
afterAll(() => house[Symbol.asyncDispose]());
beforeEach(async () => {
  receiver = await openReceiver();
});
afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
  await house.clearAlerts();
});

/** Raises and tells an alert with one webhook there; answers both. */
async function tell(webhook: Partial<WebhookWish> = {}, alert: Partial<AlertWish> = {}) {
  const { id: webhookId, secret } = await house.addWebhook({
    ownerId: alice,
    url: receiver.url,
    events: ["alert.opened", "alert.resolved"],
    ...webhook,
  });
  const alertId = await house.addAlert({ ownerId: alice, ...alert });
  await house.notify(alertId);
  return { webhookId, secret, alertId };
}

/** One try by hand, without a runner. */
async function tryOnce(options: Partial<DeliverWebhookOptions> = {}): Promise<string> {
  const [job] = await house.claimDeliveries();
  if (!job) throw new Error("no delivery was due");
  const task = createDeliverWebhookTask({
    sql: house.sidecar,
    targets: "public",
    resolve: createResolver(["127.0.0.1"]).resolve,
    isPublic: (address) => address === "127.0.0.1",
    authorities,
    ...options,
  });
  const { ending, error } = await executeJob(house.sidecar, task, job).ended;
  return error ? `${ending}: ${error.message}` : ending;
}

test("an alert is called out signed, as the contract says", async () => {
  const { secret, alertId } = await tell();
  expect(await tryOnce()).toBe("done");
  const [request, ...others] = receiver.received;
  expect(others).toEqual([]);
  const verified = new Reference(secret).verify(request?.body ?? "", { ...request?.headers });
  expect(WebhookMessage.strict().parse(verified)).toMatchObject({
    type: "alert.opened",
    data: { id: alertId, ruleName: "output too long", severity: "warning", count: 1 },
  });
  expect(await house.listDeliveries()).toMatchObject([
    { state: "delivered", statusCode: 200, alertId, jobId: null },
  ]);
});

describe("in the format of Slack", () => {
  const slack = { format: "slack" } as const;
  const textOf = () => JSON.parse(receiver.received[0]?.body ?? "{}").text as string;

  test("it is a text, and nothing that Slack does not know", async () => {
    const { alertId } = await tell(slack);
    expect(await tryOnce()).toBe("done");
    expect(Object.keys(JSON.parse(receiver.received[0]?.body ?? "{}"))).toEqual(["text"]);
    expect(textOf()).toBe(
      `*Warning: output too long (shop, gpt-4o)*
The output had 2,412 characters.
Seen: once, from 2026-11-21 10:00:00 UTC to 2026-11-21 10:05:00 UTC
Alert: ${alertId}`,
    );
    expect(receiver.received[0]?.headers["content-type"]).toBe("application/json");
  });

  test("names can call nobody and link nowhere", async () => {
    const model = "<!channel> <https://evil.example.com|gpt>";
    await tell(slack, { model, app: "shop\n*Resolved: all is well*", ruleName: "@here" });
    expect(await tryOnce()).toBe("done");
    expect(textOf()).not.toMatch(/<|@here|:\/\//);
    expect(textOf().split("\n")).toHaveLength(4);
    expect(textOf()).toContain("&lt;!channel&gt;");
  });

  test("ends of jobs and tests are texts as well", async () => {
    await house.addWebhook({ ownerId: alice, url: receiver.url, format: "slack" });
    await house.endJobs({ ownerId: alice, fails: true });
    expect(await tryOnce()).toBe("done");
    expect(textOf()).toMatch(/^\*Job failed:\* test\.paint-wall \(.*\)\nIt went wrong\.$/);
  });

  test.each([
    [404, "It answered 404 Not Found."],
    [410, "It answered 410 Gone."],
  ])("an answer of %i disables it, and is not tried again", async (status, reason) => {
    receiver.reply(answer(status));
    const { webhookId } = await tell(slack);
    expect(await tryOnce()).toBe(`failed: It was answered with ${status}.`);
    expect(await house.findWebhook(webhookId)).toMatchObject({ isEnabled: false, disabledReason: reason });
    await house.notify(await house.addAlert({ ownerId: alice }));
    expect(await house.listDeliveries()).toHaveLength(1);
  });

  test("too many calls are given the time that Slack asks for", async () => {
    receiver.reply(answer(429, "retry-after: 30\r\n"), ok);
    await tell(slack);
    const beforeMs = Date.now();
    expect(await tryOnce()).toBe("queued: It was answered with 429.");
    const [delivery] = await house.listDeliveries();
    const { runAfter } = await house.findJob(delivery?.carrierId ?? "");
    expect(Date.parse(String(runAfter))).toBeGreaterThanOrEqual(beforeMs + 30_000);
  });
});

test("a standard webhook that answers 404 is tried again, as ever", async () => {
  receiver.reply(answer(404));
  const { webhookId } = await tell();
  expect(await tryOnce()).toBe("queued: It was answered with 404.");
  expect(await house.findWebhook(webhookId)).toMatchObject({ isEnabled: true });
});

test.each(["standard", "slack"] as const)("of format %s what must not be called is not", async (format) => {
  await tell({ format });
  const inside = { resolve: createResolver(["127.0.0.1"]).resolve, isPublic: undefined } as never;
  expect(await tryOnce(inside)).toBe("queued: The host is not one of the public internet.");
  await house.clearAlerts();
  await tell({ format, url: `https://127.0.0.1:${receiver.port}/` });
  expect(await tryOnce()).toBe("failed: The address must name a host of the public internet.");
  await house.clearAlerts();
  const elsewhere = await openReceiver({ isPlain: true });
  receiver.reply(answer(307, `location: http://127.0.0.1:${elsewhere.port}/\r\n`));
  await tell({ format });
  expect(await tryOnce()).toBe("queued: It was answered with 307; redirects are not followed.");
  expect([receiver.received.length, elsewhere.connections]).toEqual([1, 0]);
  await elsewhere[Symbol.asyncDispose]();
});
