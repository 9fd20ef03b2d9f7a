import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { encodeCursor } from "../../../../edge/http/cursors.ts";
import { createId } from "../../../../shared/ids.ts";
import { AlertMessage } from "../../../../shared/interactions/alert-news.ts";
import { Alert, AlertDetails, AlertFiring } from "../../../../shared/interactions/alerts.ts";
import type { TestAnswer, Who } from "../../../helpers/app.ts";
import { insertInteractions } from "../../../helpers/interactions.ts";
import { type AlertApp, openAlertApp, raiseImported } from "./rig.ts";

let house: AlertApp;
beforeAll(async () => {
  house = await openAlertApp();
});
afterAll(() => house.close());
afterEach(() => house.clear());

const post = (who: Who, path: string, body: unknown = {}) =>
  house.call(who, "POST", path, {
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });

async function list(query = "", who: Who = house.alice): Promise<Alert[]> {
  const answered = await house.call(who, "GET", `/alerts${query}`);
  expect(answered.status, answered.text).toBe(200);
  return answered.body.items.map((item: unknown) => Alert.strict().parse(item));
}

/** Three alerts of three rules; the first is the oldest. */
async function openThree() {
  const one = await house.addRule(house.alice.id, {
    name: "one",
    severity: "info",
    groupBy: ["app", "model"],
  });
  const two = await house.addRule(house.alice.id, {
    name: "two",
    metric: "words",
    element: "input",
    groupBy: ["environment"],
  });
  const three = await house.addRule(house.alice.id, { name: "three", severity: "critical" });
  const raised = [];
  for (const rule of [one, two, three]) {
    raised.push(...(await house.raise(house.firing(rule, { environment: "live" }))));
  }
  return { one, two, three, ids: raised.map(({ alertId }) => alertId) };
}

test("an alert tells why it was opened, what would have kept the rule quiet, and of which rows", async () => {
  const rule = await house.addRule(house.alice.id, { name: "long", groupBy: ["app"] });
  const { ids } = await insertInteractions(
    house.sql,
    house.alice.id,
    Array.from({ length: 25 }, (_, index) => ({
      input: `question ${index}`,
      output: "a".repeat(300),
      app: "shop",
      model: "gpt",
      occurredAt: new Date(Date.UTC(2026, 10, 1, 0, index)),
    })),
  );
  const [raised] = await house.raise(
    ...ids.map((interactionId, index) =>
      house.firing(rule, {
        interactionId,
        value: 300 + index,
        score: index,
        occurredAt: new Date(Date.UTC(2026, 10, 1, 0, index)).toISOString(),
      }),
    ),
  );
  const answered = await house.call(house.alice, "GET", `/alerts/${raised?.alertId}`);
  const alert = AlertDetails.strict().parse(answered.body);
  expect(alert).toMatchObject({
    ruleName: "long",
    state: "open",
    app: "shop",
    model: null,
    count: 25,
    value: 324,
    score: 24,
    evidence: { type: "above", bound: 100, side: "high", quietThreshold: 324, explanation: "It is long." },
    firstSeenAt: "2026-11-01T00:00:00.000000Z",
    lastSeenAt: "2026-11-01T00:24:00.000000Z",
    notifications: 1,
    isSilenced: false,
  });
  expect(alert.firings.items).toHaveLength(20);
  expect(alert.firings.items[0]).toEqual({
    interactionId: ids[24],
    occurredAt: "2026-11-01T00:24:00.000000Z",
    value: 324,
    score: 24,
    app: "shop",
    environment: null,
    model: "gpt",
    sessionId: null,
    input: "question 24",
    output: "a".repeat(200),
  });
  const rest = await house.call(
    house.alice,
    "GET",
    `/alerts/${alert.id}/firings?limit=200&cursor=${alert.firings.nextCursor}`,
  );
  const older = rest.body.items.map((item: unknown) => AlertFiring.strict().parse(item).interactionId);
  expect([...alert.firings.items.map(({ interactionId }) => interactionId), ...older]).toEqual(
    ids.toReversed(),
  );
  expect(rest.body.nextCursor).toBeNull();
});

test("alerts are listed newest first, and walked in pages of any size", async () => {
  const { ids } = await openThree();
  const newestFirst = ids.toReversed();
  expect((await list()).map(({ id }) => id)).toEqual(newestFirst);
  for (const limit of [1, 2, 3]) {
    const walked: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: { items: Alert[]; nextCursor: string | null } = (
        await house.call(house.alice, "GET", `/alerts?limit=${limit}${cursor && `&cursor=${cursor}`}`)
      ).body;
      walked.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(walked).toEqual(newestFirst);
  }
});

test("alerts are narrowed by everything that they are of", async () => {
  const { one, ids } = await openThree();
  const { ids: rows } = await insertInteractions(house.sql, house.alice.id, [{ output: "x" }]);
  const interactionId = rows[0] ?? "";
  const importId = createId();
  await raiseImported(house.sql, importId, [house.firing(one, { interactionId, app: "shop" })]);
  await post(house.alice, `/alerts/${ids[1]}/acknowledgement`);
  const imported = (await list("?isImported=true")).map(({ id }) => id);
  expect(imported).toHaveLength(1);
  const [first, second, third] = ids;
  const cases: [string, (string | undefined)[]][] = [
    ["?state=open", [third, first]],
    ["?state=acknowledged&state=resolved", [...imported, second]],
    ["?isImported=false", [third, second, first]],
    [`?importId=${importId}`, imported],
    ["?severity=warning", [third, second]],
    ["?severity=critical", [third]],
    [`?ruleId=${one.id}`, [...imported, first]],
    ["?app=shop&model=gpt", [...imported, first]],
    ["?app=shop&model=other", []],
    ["?environment=live", [second]],
    ["?metric=words", [second]],
    ["?element=output", [...imported, third, first]],
    [`?interactionId=${interactionId}`, imported],
    [`?interaction_id=${interactionId}`, imported],
    [`?interaction_id=${createId()}`, []],
    [`?interactionId=${interactionId}&state=open`, []],
    ["?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z", []],
    ["?from=2020-01-01T00:00:00%2B01:00", [...imported, third, second, first]],
  ];
  for (const [query, expected] of cases) {
    expect([query, (await list(query)).map(({ id }) => id)]).toEqual([query, expected]);
  }
});

test.each([
  "?state=gone",
  "?severity=loud",
  "?ruleId=1",
  "?interaction_id=7",
  "?limit=0",
  "?limit=201",
  "?from=yesterday",
  "?scope=all",
])("%s is refused", async (query) => {
  expect((await house.call(house.alice, "GET", `/alerts${query}`)).body).toMatchObject({
    status: 400,
    code: "invalid_request",
  });
});

test("a cursor that no list gave is refused", async () => {
  const { ids } = await openThree();
  const forged = [
    "x",
    encodeCursor({ openedAt: "now", id: "1" }),
    encodeCursor({ openedAt: "2026-01-01T00:00:00Z", id: "' or true --" }),
    encodeCursor({ openedAt: "2026-01-01T00:00:00Z' or true --", id: createId() }),
    encodeCursor({ occurredAt: "infinity", interactionId: ids[0] }),
  ];
  for (const cursor of forged) {
    for (const path of ["/alerts", `/alerts/${ids[0]}/firings`]) {
      const answered = await house.call(house.alice, "GET", `${path}?cursor=${cursor}`);
      expect([path, answered.body.code]).toEqual([path, "invalid_cursor"]);
    }
  }
  for (const cursor of ["x", encodeCursor({ id: "1" }), encodeCursor({})]) {
    const answered = await house.call(house.alice, "GET", `/alerts/silences?cursor=${cursor}`);
    expect(answered.body.code).toBe("invalid_cursor");
  }
});

describe("taking care of an alert", () => {
  test("says who does, and since when; doing so twice changes nothing", async () => {
    const { ids } = await openThree();
    const path = `/alerts/${ids[0]}/acknowledgement`;
    const first = (await post(house.alice, path)).body;
    expect(first).toMatchObject({ state: "acknowledged", acknowledgedBy: house.alice.id });
    expect((await post(house.alice, path)).body).toEqual(first);
    expect((await house.call(house.alice, "DELETE", path)).status).toBe(204);
    expect((await house.call(house.alice, "DELETE", path)).status).toBe(204);
    expect((await list(`?state=open`)).map(({ id }) => id)).toContain(ids[0]);
  });

  test("is no more to be done when it is resolved", async () => {
    const { ids } = await openThree();
    await post(house.alice, `/alerts/${ids[0]}/resolution`);
    for (const method of ["POST", "DELETE"]) {
      const answered = await house.call(house.alice, method, `/alerts/${ids[0]}/acknowledgement`);
      expect(answered.body).toMatchObject({ status: 409, code: "conflict" });
    }
  });

  test("is told over Realtime, as the contract says, and by no webhook", async () => {
    const { ids } = await openThree();
    await house.sql`delete from realtime.messages`;
    await post(house.alice, `/alerts/${ids[2]}/acknowledgement`);
    const [message, ...others] = await house.sql`select payload from realtime.messages`;
    expect(others).toEqual([]);
    expect(AlertMessage.parse(message?.payload)).toMatchObject({
      event: "alert.changed",
      alert: { id: ids[2], state: "acknowledged" },
    });
  });
});

describe("an alert that is resolved by hand", () => {
  test("is over, and the next firing is another that is told", async () => {
    const rule = await house.addRule(house.alice.id, { name: "long" });
    const [raised] = await house.raise(house.firing(rule));
    const path = `/alerts/${raised?.alertId}/resolution`;
    const first = (await post(house.alice, path)).body;
    expect(first).toMatchObject({ state: "resolved", resolution: "by-hand", resolvedBy: house.alice.id });
    expect((await post(house.alice, path)).body).toEqual(first);
    expect(await house.hear(house.alice.id)).toEqual(["alert.opened long", "alert.resolved long"]);
    const [again] = await house.raise(house.firing(rule));
    expect(again).toMatchObject({ opened: true });
    expect(again?.alertId).not.toBe(raised?.alertId);
    expect(await house.hear(house.alice.id)).toEqual(["alert.opened long"]);
  });

  test("at once by many is resolved and told once", async () => {
    const rule = await house.addRule(house.alice.id, { name: "long" });
    const [raised] = await house.raise(house.firing(rule));
    await house.hear(house.alice.id);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => post(house.alice, `/alerts/${raised?.alertId}/resolution`)),
    );
    expect(answers.map(({ body }) => body.resolvedAt)).toEqual(Array(8).fill(answers[0]?.body.resolvedAt));
    expect(await house.hear(house.alice.id)).toEqual(["alert.resolved long"]);
  });

  test("does not come back to life, whoever writes", async () => {
    const rule = await house.addRule(house.alice.id);
    const [raised] = await house.raise(house.firing(rule));
    await post(house.alice, `/alerts/${raised?.alertId}/resolution`);
    const revive = house.sql`
      update parlance.interaction_alerts set state = 'open', resolved_at = null, resolution = null, resolved_by = null
    `;
    await expect(revive).rejects.toMatchObject({ constraint_name: "resolved_stays_resolved" });
  });
});

describe("many at once", () => {
  test("are acknowledged and resolved by a filter", async () => {
    const { ids } = await openThree();
    const some = await post(house.alice, "/alerts/acknowledgements", { severity: "warning" });
    expect(some.body).toEqual({ changed: 2, hasMore: false });
    expect((await list("?state=open")).map(({ id }) => id)).toEqual([ids[0]]);
    expect((await post(house.alice, "/alerts/acknowledgements")).body).toEqual({
      changed: 1,
      hasMore: false,
    });
    const named = await post(house.alice, "/alerts/resolutions", { ids: [ids[0], createId()] });
    expect(named.body).toEqual({ changed: 1, hasMore: false });
    expect((await post(house.alice, "/alerts/resolutions", {})).body).toEqual({ changed: 2, hasMore: false });
    expect((await post(house.alice, "/alerts/resolutions", {})).body).toEqual({ changed: 0, hasMore: false });
  });

  test("are a thousand at most, and the answer says that there are more", async () => {
    const rule = await house.addRule(house.alice.id, { groupBy: ["app"] });
    await house.raise(
      ...Array.from({ length: 1005 }, (_, index) => house.firing(rule, { app: `app ${index}` })),
    );
    expect((await post(house.alice, "/alerts/resolutions", {})).body).toEqual({
      changed: 1000,
      hasMore: true,
    });
    expect((await post(house.alice, "/alerts/resolutions", {})).body).toEqual({ changed: 5, hasMore: false });
  });

  test("a filter with a field that there is not is refused, not taken for all", async () => {
    expect((await post(house.alice, "/alerts/resolutions", { rule: "x" })).status).toBe(400);
    expect((await post(house.alice, "/alerts/resolutions", { ids: [] })).status).toBe(400);
  });
});

describe("alerts of others", () => {
  const answersOf = async (who: Who, paths: readonly (readonly [string, string])[]): Promise<TestAnswer[]> =>
    Promise.all(paths.map(([method, path]) => house.call(who, method, path)));

  test("are not there, by any path", async () => {
    const { ids, one } = await openThree();
    const paths = [
      ["GET", `/alerts/${ids[0]}`],
      ["GET", `/alerts/${ids[0]}/firings`],
      ["POST", `/alerts/${ids[0]}/acknowledgement`],
      ["DELETE", `/alerts/${ids[0]}/acknowledgement`],
      ["POST", `/alerts/${ids[0]}/resolution`],
    ] as const;
    for (const answered of await answersOf(house.bob, paths)) {
      expect(answered.body).toMatchObject({ status: 404, code: "not_found" });
    }
    expect(await list("", house.bob)).toEqual([]);
    expect(await list(`?ruleId=${one.id}`, house.bob)).toEqual([]);
    expect((await post(house.bob, "/alerts/resolutions", { ids })).body).toEqual({
      changed: 0,
      hasMore: false,
    });
    expect((await post(house.bob, "/alerts/acknowledgements", {})).body).toEqual({
      changed: 0,
      hasMore: false,
    });
    const before = (await house.call(house.alice, "GET", "/alerts?limit=1")).body.nextCursor;
    expect((await list(`?cursor=${before}`, house.bob)).length).toBe(0);
    expect((await list("?state=open")).length).toBe(3);
  });

  test("are not told of by an interaction of theirs", async () => {
    const { ids } = await insertInteractions(house.sql, house.alice.id, [{ output: "x" }]);
    const interactionId = ids[0] ?? "";
    await house.raise(house.firing(await house.addRule(house.alice.id), { interactionId }));
    expect(await list(`?interaction_id=${interactionId}`)).toHaveLength(1);
    expect(await list(`?interaction_id=${interactionId}`, house.bob)).toEqual([]);
  });

  test("an admin sees by their id, and those of the house by scope; nobody else sees either", async () => {
    const { ids } = await openThree();
    const [raised] = await house.raise(house.firing(await house.addRule(null, { name: "of the house" })));
    expect((await house.call(house.admin, "GET", `/alerts/${ids[0]}`)).status).toBe(200);
    expect((await list("?scope=house", house.admin)).map(({ id }) => id)).toEqual([raised?.alertId]);
    expect((await list("", "secret")).map(({ id }) => id)).toEqual([raised?.alertId]);
    expect((await house.call(house.alice, "GET", "/alerts?scope=house")).body.code).toBe("forbidden");
    expect((await post(house.alice, "/alerts/resolutions?scope=house")).body.code).toBe("forbidden");
    expect((await house.call(house.alice, "GET", `/alerts/${raised?.alertId}`)).status).toBe(404);
    const resolved = await post("secret", `/alerts/${raised?.alertId}/resolution`);
    expect(resolved.body).toMatchObject({ state: "resolved", resolvedBy: null });
  });

  test.each(["nobody", "publishable"] as const)("%s sees none", async (who) => {
    const id = createId();
    const paths = [
      ["GET", "/alerts"],
      ["GET", `/alerts/${id}`],
      ["GET", `/alerts/${id}/firings`],
      ["POST", `/alerts/${id}/acknowledgement`],
      ["DELETE", `/alerts/${id}/acknowledgement`],
      ["POST", `/alerts/${id}/resolution`],
      ["POST", "/alerts/acknowledgements"],
      ["POST", "/alerts/resolutions"],
      ["GET", "/alerts/silences"],
      ["POST", "/alerts/silences"],
      ["DELETE", `/alerts/silences/${id}`],
    ] as const;
    for (const answered of await answersOf(who, paths)) expect(answered.body.code).toBe("unauthenticated");
  });
});

test("what logs an interaction is answered with the alerts that the list shows", async () => {
  const answered = await post(house.alice, "/interactions", { input: "hi", output: "a".repeat(101) });
  expect(answered.status, answered.text).toBe(201);
  const fired = answered.body.alerts.map(({ alertId }: { alertId: string }) => alertId);
  expect(fired).toHaveLength(1);
  const listed = await list(`?interaction_id=${answered.body.id}`);
  expect(listed.map(({ id }) => id)).toEqual(fired);
  expect(listed[0]).toMatchObject({
    element: "output",
    value: 101,
    evidence: { quietThreshold: 101, bound: 100 },
  });
});

test.each(["app", "environment", "model", "metric"])(
  "a %s that Postgres cannot hold is refused or not there",
  async (field) => {
    const answered = await house.call(house.alice, "GET", `/alerts?${field}=%00`);
    expect([200, 400]).toContain(answered.status);
    const together = await post(house.alice, "/alerts/resolutions", { [field]: "\0" });
    expect([200, 400]).toContain(together.status);
    const silence = await post(house.alice, "/alerts/silences", { minutes: 5, reason: "\0", app: "\ud800" });
    expect(silence.status).toBe(400);
  },
);
