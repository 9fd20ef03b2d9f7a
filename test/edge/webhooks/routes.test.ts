import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import { Webhook, WebhookSecret, WebhookWithSecret } from "../../../shared/webhooks/contract.ts";
import { openTestApp, type TestApp, type Who } from "../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp({ environment: { RATE_LIMIT_WRITE: "100000" } });
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.sql`delete from parlance.webhooks`;
});

const send = (who: Who, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  house.call(who, method, path, {
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
  });

const url = "https://hooks.example.com/parlance";

async function add(who: Who = house.alice, wish: object = {}): Promise<WebhookWithSecret> {
  const answer = await send(who, "POST", "/webhooks", { url, ...wish });
  expect(answer.status, answer.text).toBe(201);
  return WebhookWithSecret.strict().parse(answer.body);
}

async function list(who: Who): Promise<string[]> {
  const answer = await house.call(who, "GET", "/webhooks");
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body.nextCursor).toBeNull();
  return answer.body.items.map((item: unknown) => Webhook.strict().parse(item).id);
}

test("one is added, and its secret told once", async () => {
  const { secret, ...added } = await add();
  expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
  expect(added).toMatchObject({
    ownerId: house.alice.id,
    url,
    events: ["job.done", "job.failed"],
    kinds: null,
    format: "standard",
    severityMin: null,
    isEnabled: true,
    disabledAt: null,
    disabledReason: null,
    failingSince: null,
  });
  const { body } = await house.call(house.alice, "GET", `/webhooks/${added.id}`);
  expect(Webhook.strict().parse(body)).toEqual(added);
});

test("it may be for some events and kinds only", async () => {
  const wish = { events: ["job.failed"], kinds: ["images.ingest-image", "images.fill-space"] };
  expect(await add(house.alice, wish)).toMatchObject(wish);
});

test("it may be for alerts, so grave, and written as Slack reads it", async () => {
  const events = ["job.failed", "alert.opened", "alert.repeated", "alert.resolved"];
  const wish = { events, format: "slack", severityMin: "critical" };
  expect(await add(house.alice, wish)).toMatchObject(wish);
});

test("a list is the caller's own, newest first; the secret key's own are the house's", async () => {
  const first = await add();
  const second = await add();
  const bobs = await add(house.bob);
  const houses = await add("secret");
  expect(houses.ownerId).toBeNull();
  expect(await list(house.alice)).toEqual([second.id, first.id]);
  expect(await list(house.bob)).toEqual([bobs.id]);
  expect(await list("secret")).toEqual([houses.id]);
  expect(await list(house.admin)).toEqual([]);
});

test.each([
  [{}, "body.url"],
  [{ url: "http://hooks.example.com/" }, "body.url"],
  [{ url: "https://user:word@hooks.example.com/" }, "body.url"],
  [{ url: "https://127.0.0.1/" }, "body.url"],
  [{ url: "https://[::ffff:10.0.0.1]/" }, "body.url"],
  [{ url: "https://localhost/" }, "body.url"],
  [{ url: "https://hooks.example.com:22/" }, "body.url"],
  [{ url: `https://hooks.example.com/${"x".repeat(2000)}` }, "body.url"],
  [{ url: "hooks.example.com" }, "body.url"],
  [{ url, events: [] }, "body.events"],
  [{ url, events: ["job.queued"] }, "body.events.0"],
  [{ url, events: ["job.done", "job.done"] }, "body.events"],
  [{ url, kinds: [] }, "body.kinds"],
  [{ url, kinds: ["images.ingest-image", "images.unheard-of"] }, "body.kinds.1"],
  [{ url, kinds: ["webhooks.deliver-event"] }, "body.kinds.0"],
  [{ url, kinds: ["alerts.send-mail"] }, "body.kinds.0"],
  [{ url, events: ["alert.exploded"] }, "body.events.0"],
  [{ url, format: "teams" }, "body.format"],
  [{ url, severityMin: "fatal" }, "body.severityMin"],
])("%j is refused, naming %s", async (body, field) => {
  const answer = await send(house.alice, "POST", "/webhooks", body);
  expect([answer.status, answer.body.code]).toEqual([400, "invalid_request"]);
  expect(answer.body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
  const webhook = await add();
  if (!("url" in body)) return;
  const change = await send(house.alice, "PATCH", `/webhooks/${webhook.id}`, body);
  expect([change.status, change.body.code]).toEqual([400, "invalid_request"]);
});

test("with WEBHOOK_TARGETS=any, http and private addresses are taken", async () => {
  const open = house.withSettings({ WEBHOOK_TARGETS: "any" });
  const body = JSON.stringify({ url: "http://127.0.0.1:8080/" });
  const headers = { "content-type": "application/json" };
  const answer = await open.call(house.alice, "POST", "/webhooks", { body, headers });
  expect(answer.status, answer.text).toBe(201);
});

test("a user has twenty at most, however many are asked for at once; others have their own", async () => {
  const wishes = Array.from({ length: 25 }, () => send(house.alice, "POST", "/webhooks", { url }));
  const answers = await Promise.all(wishes);
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
  const refused = answers.filter(({ status }) => status !== 201);
  expect(new Set(refused.map(({ status, body }) => `${status} ${body.code}`))).toEqual(
    new Set(["429 quota_exceeded"]),
  );
  expect(await list(house.alice)).toHaveLength(20);
  await add(house.bob);
  await add("secret");
  const [first] = await list(house.alice);
  await house.call(house.alice, "DELETE", `/webhooks/${first}`);
  await add();
});

const listSecretsInUse = async () => {
  const rows = await house.sql<{ secret: string }[]>`
    select secret
    from parlance.webhook_secrets
    where expires_at is null
  `;
  return rows.map(({ secret }) => secret);
};

describe("the same request with the same key", () => {
  test("makes one webhook, also of one who has no room for another, and tells a secret that counts", async () => {
    const ask = () => send(house.alice, "POST", "/webhooks", { url }, { "idempotency-key": "one" });
    const first = await ask();
    for (let count = 1; count < 20; count++) await add();
    const second = await ask();
    expect([first.status, second.status]).toEqual([201, 201]);
    expect({ ...second.body, secret: "" }).toEqual({ ...first.body, secret: "" });
    expect(await list(house.alice)).toHaveLength(20);
    expect(await listSecretsInUse()).toContain(second.body.secret);
  });

  test("replaces a secret once more, and tells the one that counts", async () => {
    const { id } = await add();
    const ask = () =>
      send(house.alice, "POST", `/webhooks/${id}/secret`, undefined, { "idempotency-key": "one" });
    const [first, second] = [await ask(), await ask()];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(await listSecretsInUse()).toEqual([second.body.secret]);
  });

  test("leaves no secret among what is kept for it", async () => {
    const key = { "idempotency-key": "kept" };
    const { body } = await send(house.alice, "POST", "/webhooks", { url }, key);
    await send(house.alice, "POST", `/webhooks/${body.id}/secret`, undefined, key);
    await send(house.alice, "POST", `/webhooks/${body.id}/test`, undefined, key);
    const kept = await house.sql`
      select route, body
      from parlance.idempotency_keys
      where key = 'kept'
    `;
    expect(kept.map(({ route }) => route)).toEqual([expect.stringMatching(/\/test$/)]);
    expect(JSON.stringify(kept)).not.toContain("whsec_");
  });
});

test("a request whose answer was lost with the process makes one webhook, and tells a secret that counts", async () => {
  const ask = () => send(house.alice, "POST", "/webhooks", { url }, { "idempotency-key": "two" });
  const first = await ask();
  await house.sql`delete from parlance.idempotency_keys`;
  const second = await ask();
  expect([second.status, second.body.id]).toEqual([201, first.body.id]);
  expect(await listSecretsInUse()).toEqual([second.body.secret]);
});

describe("a change", () => {
  test("keeps what it does not name", async () => {
    const { secret: _, ...webhook } = await add(house.alice, { kinds: ["images.ingest-image"] });
    const change = async (body: object) => {
      const answer = await send(house.alice, "PATCH", `/webhooks/${webhook.id}`, body);
      expect(answer.status, answer.text).toBe(200);
      return Webhook.strict().parse(answer.body);
    };
    expect(await change({ url: "https://other.example.com/" })).toEqual({
      ...webhook,
      url: "https://other.example.com/",
    });
    expect(await change({ events: ["job.done"] })).toMatchObject({
      events: ["job.done"],
      kinds: ["images.ingest-image"],
    });
    expect(await change({ kinds: null })).toMatchObject({ kinds: null, events: ["job.done"] });
    expect(await change({ severityMin: "warning" })).toMatchObject({
      severityMin: "warning",
      format: "standard",
    });
    expect(await change({ format: "slack" })).toMatchObject({ severityMin: "warning", format: "slack" });
    expect(await change({ severityMin: null })).toMatchObject({ severityMin: null, format: "slack" });
  });

  test("disables and enables; enabling forgets why it was disabled", async () => {
    const { id } = await add();
    const change = async (body: object) => (await send(house.alice, "PATCH", `/webhooks/${id}`, body)).body;
    const disabled = await change({ isEnabled: false });
    expect(disabled).toMatchObject({ isEnabled: false, disabledReason: null });
    expect(disabled.disabledAt).not.toBeNull();
    expect(await change({ isEnabled: false })).toEqual(disabled);
    await house.sql`
      update parlance.webhooks
      set disabled_reason = 'It answered 410 Gone.', failing_since = now()
      where id = ${id}
    `;
    expect(await change({ isEnabled: false })).toMatchObject({ disabledReason: "It answered 410 Gone." });
    expect(await change({ isEnabled: true })).toMatchObject({
      isEnabled: true,
      disabledAt: null,
      disabledReason: null,
      failingSince: null,
    });
  });

  test("of the address forgets that the former one was failing; of anything else does not", async () => {
    const { id } = await add();
    await house.sql`update parlance.webhooks set failing_since = now() where id = ${id}`;
    const change = async (body: object) => (await send(house.alice, "PATCH", `/webhooks/${id}`, body)).body;
    expect((await change({ url, events: ["job.done"] })).failingSince).not.toBeNull();
    expect((await change({ isEnabled: true })).failingSince).not.toBeNull();
    expect((await change({ url: `${url}/2` })).failingSince).toBeNull();
  });

  test("that changes nothing is refused", async () => {
    const { id } = await add();
    const answer = await send(house.alice, "PATCH", `/webhooks/${id}`, {});
    expect([answer.status, answer.body.code]).toEqual([400, "invalid_request"]);
  });
});

test("one that is deleted is gone, with its secrets", async () => {
  const { id } = await add();
  expect((await house.call(house.alice, "DELETE", `/webhooks/${id}`)).status).toBe(204);
  expect((await house.call(house.alice, "GET", `/webhooks/${id}`)).status).toBe(404);
  expect((await house.call(house.alice, "DELETE", `/webhooks/${id}`)).status).toBe(404);
  expect(await house.sql`select from parlance.webhook_secrets`).toHaveLength(0);
});

describe("a secret", () => {
  const listSecrets = async (id: string) => {
    const rows = await house.sql<{ secret: string; hours: number | null }[]>`
      select secret, extract(epoch from expires_at - now())::float8 / 3600 as hours
      from parlance.webhook_secrets
      where webhook_id = ${id}
      order by expires_at desc nulls first, created_at desc
    `;
    return rows.map(({ secret, hours }) => [secret, hours === null ? null : Math.round(hours)]);
  };
  const renew = async (id: string) => {
    const answer = await house.call(house.alice, "POST", `/webhooks/${id}/secret`);
    expect(answer.status, answer.text).toBe(201);
    return WebhookSecret.strict().parse(answer.body);
  };

  test("is replaced; the former one counts for a day more", async () => {
    const { id, secret } = await add();
    const renewed = await renew(id);
    expect(renewed.secret).not.toBe(secret);
    expect(Math.round((Date.parse(renewed.formerUntil) - Date.now()) / 3_600_000)).toBe(24);
    expect(await listSecrets(id)).toEqual([
      [renewed.secret, null],
      [secret, 24],
    ]);
  });

  test("that several ask to replace at once is replaced for each of them; one counts without end", async () => {
    const { id } = await add();
    const renewed = await Promise.all(Array.from({ length: 6 }, () => renew(id)));
    const [inUse, ...former] = await listSecrets(id);
    expect(renewed.map(({ secret }) => [secret, null])).toContainEqual(inUse);
    expect(former.map(([, hours]) => hours)).toEqual([24, 24, 24]);
  });

  test("that is replaced again and again is kept three times, and not beyond its day", async () => {
    const { id } = await add();
    const secrets: string[] = [];
    for (let round = 0; round < 6; round++) secrets.push((await renew(id)).secret);
    expect((await listSecrets(id)).map(([secret]) => secret)).toEqual(secrets.slice(-4).toReversed());
    await house.sql`update parlance.webhook_secrets set expires_at = now() where expires_at is not null`;
    const last = await renew(id);
    expect((await listSecrets(id)).map(([secret]) => secret)).toEqual([last.secret, secrets.at(-1)]);
  });

  test("is in no answer but those that made it, in no log line, and read by no role", async () => {
    const { id } = await add();
    const { secret } = await renew(id);
    for (const [method, path, body] of [
      ["GET", "/webhooks"],
      ["GET", `/webhooks/${id}`],
      ["PATCH", `/webhooks/${id}`, { events: ["job.done"] }],
      ["POST", `/webhooks/${id}/test`],
      ["GET", `/webhooks/${id}/deliveries`],
      ["GET", "/jobs"],
    ] as const) {
      const answer = await send(house.alice, method, path, body);
      expect(answer.status).toBeLessThan(300);
      expect(answer.text).not.toContain("whsec_");
    }
    expect(JSON.stringify(house.logLines)).not.toContain(secret);
    for (const role of ["anon", "authenticated", "service_role"]) {
      const reading = house.sql.begin(async (transaction) => {
        await transaction`select set_config('role', ${role}, true)`;
        await transaction`select secret from parlance.webhook_secrets`;
      });
      await expect(reading).rejects.toMatchObject({ code: "42501" });
    }
  });
});

const paths = (id: string) =>
  [
    ["GET", `/webhooks/${id}`],
    ["PATCH", `/webhooks/${id}`, { isEnabled: false }],
    ["DELETE", `/webhooks/${id}`],
    ["POST", `/webhooks/${id}/secret`],
    ["GET", `/webhooks/${id}/deliveries`],
    ["POST", `/webhooks/${id}/test`],
    ["POST", `/webhooks/${id}/deliveries/${createId()}/redelivery`],
  ] as const;

test("another's webhook is not there, by any of its paths", async () => {
  const [alices, houses] = [await add(), await add("secret")];
  for (const id of [alices.id, houses.id, createId()]) {
    for (const [method, path, body] of paths(id)) {
      const answer = await send(house.bob, method, path, body);
      expect([answer.status, answer.body.code], `${method} ${path}`).toEqual([404, "not_found"]);
    }
  }
  expect(await list(house.alice)).toEqual([alices.id]);
  const [row] = await house.sql`select count(*) from parlance.webhook_secrets`;
  expect(row?.count).toBe(2);
});

test("an admin, and the secret key, may tend anyone's", async () => {
  const { id } = await add();
  for (const who of [house.admin, "secret"] as const) {
    expect((await house.call(who, "GET", `/webhooks/${id}`)).status).toBe(200);
    expect((await send(who, "PATCH", `/webhooks/${id}`, { isEnabled: false })).status).toBe(200);
  }
  expect((await house.call(house.admin, "DELETE", `/webhooks/${id}`)).status).toBe(204);
});

test.each(["nobody", "publishable"] as const)("%s has no webhooks", async (who) => {
  const { id } = await add();
  for (const [method, path, body] of [
    ["GET", "/webhooks"] as const,
    ["POST", "/webhooks", { url }] as const,
    ...paths(id),
  ]) {
    const answer = await send(who, method, path, body);
    expect([answer.status, answer.body.code], `${method} ${path}`).toEqual([401, "unauthenticated"]);
  }
});
