import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startDeletion } from "../../../../edge/interactions/log/deletions.ts";
import { createRemovalTasks, type RemovalLimits } from "../../../../edge/interactions/log/removal-tasks.ts";
import { runTick } from "../../../../edge/tasks.ts";
import { serviceCaller, transactAs } from "../../../../shared/callers.ts";
import { createId } from "../../../../shared/ids.ts";
import { deleteInteractions, removeExpired } from "../../../../shared/interactions/log-kinds.ts";
import { openTestApp, type TestApp, type Who } from "../../../helpers/app.ts";
import { insertInteractions, type TestInteraction } from "../../../helpers/interactions.ts";
import { taskContext } from "../../../helpers/task-context.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp({ environment: { RATE_LIMIT_WRITE: "100000" } });
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.sql`delete from parlance.interactions`;
  await house.sql`delete from parlance.interaction_batches`;
  await house.sql`update parlance.interaction_settings set retention_days = null, retention_days_by_app = '{}'`;
});

const add = (who: { id: string } | null, rows: readonly TestInteraction[]) =>
  insertInteractions(house.sql, who?.id ?? null, rows);

async function listLabels(): Promise<string[]> {
  const rows = await house.sql<{ input: string }[]>`select input from parlance.interactions order by input`;
  return rows.map(({ input }) => input);
}

const send = (who: Who, method: string, path: string, body: unknown, headers = {}) =>
  house.call(who, method, path, {
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });

async function remove(who: Who, wish: object, path = "/interactions/deletions"): Promise<number> {
  const answer = await send(who, "POST", path, wish);
  expect(answer.status, answer.text).toBe(202);
  await runTick(house.deps);
  const { body: job } = await house.call(who, "GET", `/jobs/${answer.body.job.id}`);
  expect(job).toMatchObject({ state: "done", kind: "interactions.delete" });
  return job.result.rowsRemoved;
}

const countOf = async (table: string) =>
  (await house.sql.unsafe(`select count(*)::integer as count from parlance.${table}`))[0]?.count;

/** Runs a task as a worker would, killed after so many checkpoints and begun again until it is over. */
async function runKilled(
  kind: typeof deleteInteractions | typeof removeExpired,
  payload: unknown,
  limits: RemovalLimits = { sliceRows: 3, runRows: 1000 },
) {
  const task = createRemovalTasks(house.deps, limits).find((one) => one.kind === kind);
  let cursor: unknown;
  for (let runs = 0; runs < 100; runs++) {
    let isFirst = true;
    try {
      return await task?.run(
        payload,
        taskContext({
          cursor,
          checkpoint: async (next, write) => {
            if (!isFirst) throw new Error("killed");
            isFirst = false;
            await transactAs(house.sql, serviceCaller, async (transaction) => write?.(transaction));
            cursor = JSON.parse(JSON.stringify(next));
          },
        }),
      );
    } catch (error) {
      if ((error as Error).message !== "killed") throw error;
    }
  }
  throw new Error("it came to no end");
}

describe("one interaction", () => {
  test("goes with what it made fire, and with its batch when it was the last", async () => {
    const { sql, alice } = house;
    const { ids, batchId } = await add(alice, [{ input: "a" }, { input: "b" }]);
    const alertId = createId();
    await sql`
      insert into parlance.interaction_alerts (id, owner_id, rule_name, severity, fingerprint, first_seen_at, last_seen_at, evidence)
      values (${alertId}, ${alice.id}, 'r', 'info', ${alertId}, now(), now(), '{}')
    `;
    await sql`
      insert into parlance.alert_firings (alert_id, interaction_id, owner_id, occurred_at, value)
      values (${alertId}, ${ids[0] ?? ""}, ${alice.id}, now(), 1)
    `;
    expect((await house.call(alice, "DELETE", `/interactions/${ids[0]}`)).status).toBe(204);
    expect((await house.call(alice, "DELETE", `/interactions/${ids[0]}`)).status).toBe(404);
    expect(await listLabels()).toEqual(["b"]);
    expect(await countOf("alert_firings")).toBe(0);
    expect(await sql`select from parlance.interaction_alerts where id = ${alertId}`).toHaveLength(1);
    expect(await sql`select from parlance.interaction_batches where id = ${batchId}`).toHaveLength(1);
    expect((await house.call(alice, "DELETE", `/interactions/${ids[1]}`)).status).toBe(204);
    expect(await countOf("interaction_batches")).toBe(0);
  });
});

describe("a deletion", () => {
  test.each([
    ["of a person", { userLabel: "u1" }, ["b", "c", "d"]],
    ["of a session", { sessionId: "s" }, ["a", "c", "d"]],
    ["of an app", { app: "shop" }, ["a", "b", "d"]],
    ["of a time", { from: "2026-01-02T00:00:00Z", to: "2026-01-03T00:00:00Z" }, ["a", "b", "c"]],
    ["of all of these", { userLabel: "u1", sessionId: "s" }, ["a", "b", "c", "d"]],
  ])("%s removes that and nothing else", async (_, wish, left) => {
    await add(house.alice, [
      { input: "a", userLabel: "u1", occurredAt: "2026-01-01T00:00:00Z" },
      { input: "b", sessionId: "s", occurredAt: "2026-01-01T00:00:00Z" },
      { input: "c", app: "shop", occurredAt: "2026-01-03T00:00:00Z" },
      { input: "d", occurredAt: "2026-01-02T00:00:00Z" },
    ]);
    await add(house.bob, [
      { input: "z", userLabel: "u1", sessionId: "s", app: "shop", occurredAt: "2026-01-02T00:00:00Z" },
    ]);
    expect(await remove(house.alice, wish)).toBe(4 - left.length);
    expect(await listLabels()).toEqual([...left, "z"]);
  });

  test("names what it removes, and no more than its own", async () => {
    for (const wish of [
      {},
      { app: "" },
      { userLabel: "a\0" },
      { from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z" },
      { nobody: "x" },
    ]) {
      expect((await send(house.alice, "POST", "/interactions/deletions", wish)).status).toBe(400);
    }
    expect(
      (await send(house.alice, "POST", "/interactions/deletions?scope=house", { app: "x" })).status,
    ).toBe(403);
    expect((await send("nobody", "POST", "/interactions/deletions", { app: "x" })).status).toBe(401);
  });

  test("of the house's is for admins", async () => {
    await add(null, [{ input: "h", app: "shop" }]);
    await add(house.admin, [{ input: "own", app: "shop" }]);
    expect(await remove(house.admin, { app: "shop" }, "/interactions/deletions?scope=house")).toBe(1);
    expect(await listLabels()).toEqual(["own"]);
  });

  test("means what was in the log when it was asked for, whatever the time is elsewhere", async () => {
    await add(house.alice, [{ input: "a", app: "shop" }]);
    const behind = { ...house.deps, now: () => new Date(Date.now() - 3_600_000) };
    const caller = { role: "authenticated", claims: { sub: house.alice.id } } as const;
    await startDeletion(behind, caller, { scope: "own", wish: { app: "shop" }, id: undefined });
    await runTick(house.deps);
    expect(await listLabels()).toEqual([]);
  });

  test("that is killed again and again removes each row once, and leaves what came after it was asked for", async () => {
    const rows = Array.from({ length: 20 }, (_, index) => ({
      input: `row ${index}`,
      app: "shop",
      occurredAt: new Date(Date.UTC(2026, 0, 1, 0, index % 4)),
    }));
    await add(house.alice, rows);
    const createdBefore = (
      (await house.sql`select parlance.format_time(clock_timestamp()) as now`)[0] as { now: string }
    ).now;
    // The clock of PGlite counts milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 5));
    await add(house.alice, [{ input: "later", app: "shop", occurredAt: new Date(Date.UTC(2026, 0, 1)) }]);
    const payload = { ownerId: house.alice.id, createdBefore, wish: { app: "shop" } };
    expect(await runKilled(deleteInteractions, payload)).toEqual({ rowsRemoved: 20 });
    expect(await listLabels()).toEqual(["later"]);
    expect(await countOf("interaction_batches")).toBe(1);
  });
});

describe("retention", () => {
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
  const set = async (who: Who, change: object) => {
    const answer = await send(who, "PATCH", "/interactions/settings", change);
    expect(answer.status, answer.text).toBe(200);
  };

  test("removes what happened too long ago, by app where that is said, of each owner by their own", async () => {
    await add(house.alice, [
      { input: "default 40", occurredAt: daysAgo(40) },
      { input: "default 20", occurredAt: daysAgo(20) },
      { input: "short 20", app: "short", occurredAt: daysAgo(20) },
      { input: "short 2", app: "short", occurredAt: daysAgo(2) },
      { input: "ever 400", app: "ever", model: "m", occurredAt: daysAgo(400) },
    ]);
    await add(house.bob, [{ input: "bob 400", occurredAt: daysAgo(400) }]);
    await add(house.admin, [
      { input: "admin 400", occurredAt: daysAgo(400) },
      { input: "admin log 400", app: "log", occurredAt: daysAgo(400) },
    ]);
    await set(house.alice, { retentionDays: 30, retentionDaysByApp: { short: 7, ever: null } });
    await set(house.admin, { retentionDaysByApp: { log: 100 } });
    expect(await runKilled(removeExpired, {})).toMatchObject({ rowsRemoved: 3 });
    expect(await listLabels()).toEqual(["admin 400", "bob 400", "default 20", "ever 400", "short 2"]);
    expect(await runKilled(removeExpired, {})).toMatchObject({ rowsRemoved: 0 });
  });

  test("removes the oldest first, a bounded number in one run", async () => {
    await add(
      house.alice,
      Array.from({ length: 12 }, (_, index) => ({
        input: `${10 + index} days`,
        occurredAt: daysAgo(10 + index),
      })),
    );
    await set(house.alice, { retentionDays: 5 });
    expect(await runKilled(removeExpired, {}, { sliceRows: 3, runRows: 6 })).toMatchObject({
      rowsRemoved: 6,
    });
    expect(await listLabels()).toEqual(Array.from({ length: 6 }, (_, index) => `${10 + index} days`));
  });

  test("gives everyone a turn before anyone has a second one, and goes round while there is room", async () => {
    const whos = [house.alice, house.bob, house.admin];
    for (const [place, who] of whos.entries()) {
      await add(
        who,
        Array.from({ length: 10 }, (_, index) => ({ input: `${place} ${index}`, occurredAt: daysAgo(20) })),
      );
      await set(who, { retentionDays: 5 });
    }
    const countLeft = async () => {
      const left = await listLabels();
      return whos.map((_, place) => left.filter((label) => label.startsWith(`${place} `)).length);
    };
    const limits = { sliceRows: 2, turnRows: 4 };
    expect(await runKilled(removeExpired, {}, { ...limits, runRows: 12 })).toMatchObject({ rowsRemoved: 12 });
    expect(await countLeft()).toEqual([6, 6, 6]);
    expect(await runKilled(removeExpired, {}, { ...limits, runRows: 100 })).toMatchObject({
      rowsRemoved: 18,
    });
    expect(await countLeft()).toEqual([0, 0, 0]);
  });
});
