import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findKeys, type Limits, usualLimits } from "../../../../edge/interactions/log/finding.ts";
import { readFilters } from "../../../../edge/interactions/log/parameters.ts";
import { foldBatches } from "../../../../edge/interactions/statistics/fold.ts";
import { serviceCaller, transactAs } from "../../../../shared/callers.ts";
import { createId } from "../../../../shared/ids.ts";
import { InteractionPage } from "../../../../shared/interactions/listing.ts";
import { openTestApp, type TestApp, type Who } from "../../../helpers/app.ts";
import { insertInteractions } from "../../../helpers/interactions.ts";
import { seededRandom } from "../../../helpers/pictures.ts";
import {
  type Asked,
  drawFilter,
  drawFirings,
  drawLog,
  expectedIds,
  type ModelRow,
  toQuery,
} from "./model.ts";

let house: TestApp;
let rows: readonly ModelRow[];
let ruleIds: string[];

beforeAll(async () => {
  house = await openTestApp({ environment: { RATE_LIMIT_READ: "1000000", RATE_LIMIT_WRITE: "1000000" } });
  const random = seededRandom(7);
  const { sql, alice, bob } = house;
  const made = await drawLog(sql, alice.id, { random, rows: 350 });
  await foldBatches(sql, alice.id, { rowsMax: 100_000 });
  // Some are not in the statistics yet.
  made.push(...(await drawLog(sql, alice.id, { random, rows: 50 })));
  ruleIds = (
    await sql<
      { id: string }[]
    >`select id from parlance.interaction_rules where owner_id = ${alice.id} order by id limit 2`
  ).map(({ id }) => id);
  rows = await drawFirings(sql, alice.id, { random, rows: made, ruleIds });
  await drawLog(sql, bob.id, { random, rows: 60 });
}, 120_000);
afterAll(() => house.close());

async function list(who: Who, asked: Asked, more: Record<string, string> = {}) {
  const answer = await house.call(who, "GET", `/interactions?${toQuery(asked, more)}`);
  expect(answer.status, `${JSON.stringify(asked)} ${answer.text}`).toBe(200);
  return InteractionPage.strict().parse(answer.body);
}

/** All pages, one after another. */
async function listAll(who: Who, asked: Asked, limit = 50): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < 500; pages++) {
    const page: InteractionPage = await list(who, asked, {
      limit: String(limit),
      texts: "none",
      ...(cursor ? { cursor } : {}),
    });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
    if (cursor === null) return ids;
  }
  throw new Error(`no end of ${JSON.stringify(asked)}`);
}

/** As the list does, with limits so small that every way of finding is gone. */
async function findAll(asked: Asked, limits: Partial<Limits>, found: number): Promise<string[]> {
  const { order = "-occurredAt", ...same } = asked as Record<string, string>;
  const parsed = Object.fromEntries(
    Object.entries(same).map(([name, value]) => [
      name,
      name === "metric" || name === "tag" ? [value].flat() : value,
    ]),
  );
  const filters = readFilters({ role: "authenticated", claims: { sub: house.alice.id } }, {
    scope: "own",
    ...parsed,
  } as never);
  const ids: string[] = [];
  let after: Parameters<typeof findKeys>[1]["after"];
  for (let pages = 0; pages < 2000; pages++) {
    const stretch = await transactAs(house.sql, serviceCaller, (transaction) =>
      findKeys(transaction, {
        filters,
        order: order as "occurredAt",
        after,
        found,
        limits: { ...usualLimits, ...limits },
      }),
    );
    ids.push(...stretch.keys.map(({ id }) => id));
    if (stretch.stop === null) return ids;
    after = stretch.stop;
  }
  throw new Error(`no end of ${JSON.stringify(asked)}`);
}

describe("a list", () => {
  const alone: Asked[] = [
    {},
    { order: "occurredAt" },
    { from: "2026-01-08T00:00:00Z" },
    { to: "2026-01-08T02:00:00+02:00" },
    { app: "shop" },
    { app: 'a,"b' },
    { environment: "" },
    { model: "gpt-4o", environment: "production" },
    { provider: "cerebras" },
    { tag: "rare%" },
    { tag: ["a", "b"] },
    { sessionId: "% or 1=1" },
    { userLabel: "u1", order: "occurredAt" },
    { q: "unicorn" },
    { q: "the" },
    { q: "corn" },
    { q: "漢 refund" },
    { metric: "output.characters:100.." },
    { metric: ["input.words:3..9", "output.characters:..50"] },
    { metric: "pair.latency:500..", order: "occurredAt" },
    { hasAlert: "true" },
    { hasAlert: "false" },
    { hasAlert: "true", order: "occurredAt" },
  ];
  test.each(alone.map((asked) => [JSON.stringify(asked), asked] as const))(
    "by %s has what every row says",
    async (_, asked) => {
      const expected = expectedIds(rows, asked);
      expect(await listAll(house.alice, asked, 37)).toEqual(expected);
    },
  );

  test("by a rule has what fired it, once", async () => {
    for (const ruleId of ruleIds) {
      expect(expectedIds(rows, { ruleId }).length).toBeGreaterThan(5);
      expect(await listAll(house.alice, { ruleId }, 3)).toEqual(expectedIds(rows, { ruleId }));
    }
  });

  test("by any filters has what every row says", { timeout: 240_000 }, async () => {
    const random = seededRandom(11);
    for (let round = 0; round < 120; round++) {
      const asked = drawFilter(random, ruleIds);
      expect(await listAll(house.alice, asked, 1 + Math.floor(random() * 60)), JSON.stringify(asked)).toEqual(
        expectedIds(rows, asked),
      );
    }
  });

  test("is found the same however little a page may look at", { timeout: 240_000 }, async () => {
    const random = seededRandom(13);
    for (let round = 0; round < 150; round++) {
      const asked = drawFilter(random, ruleIds);
      const limits = {
        firstRows: 1 + Math.floor(random() * 20),
        rows: 2 + Math.floor(random() * 60),
        texts: 2 + Math.floor(random() * 30),
        pieceRows: 1 + Math.floor(random() * 80),
        batches: random() < 0.3 ? 10 : 4000,
        hours: random() < 0.5 ? 20 + Math.floor(random() * 100) : 6000,
      };
      const found = 1 + Math.floor(random() * 20);
      expect(await findAll(asked, limits, found), JSON.stringify({ asked, limits, found })).toEqual(
        expectedIds(rows, asked),
      );
    }
  });
});

describe("a walk", () => {
  test("sees each row once while others are added", async () => {
    const { sql, admin } = house;
    const at = (minute: number) => new Date(Date.UTC(2026, 2, 1, 0, minute));
    const before = (
      await insertInteractions(
        sql,
        admin.id,
        Array.from({ length: 40 }, (_, index) => ({ occurredAt: at(index % 7) })),
      )
    ).ids;
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: InteractionPage = await list(
        house.admin,
        {},
        { limit: "7", ...(cursor ? { cursor } : {}) },
      );
      seen.push(...page.items.map(({ id }) => id));
      await insertInteractions(sql, admin.id, [{ occurredAt: at(20) }, { occurredAt: at(3) }]);
      cursor = page.nextCursor;
    } while (cursor);
    expect(new Set(seen).size).toBe(seen.length);
    expect(before.filter((id) => !seen.includes(id))).toEqual([]);
  });
});

describe("texts", () => {
  test("are shown whole, in part or not at all", async () => {
    const { sql, admin } = house;
    await insertInteractions(sql, admin.id, [{ app: "texts", input: "😀".repeat(20), output: "short" }]);
    const show = async (more: Record<string, string>) =>
      (await list(house.admin, { app: "texts" }, more)).items[0];
    expect(await show({ texts: "full" })).toMatchObject({
      input: "😀".repeat(20),
      inputIsCut: false,
      outputIsCut: false,
    });
    expect(await show({ previewLength: "5" })).toMatchObject({
      input: "😀".repeat(5),
      inputIsCut: true,
      output: "short",
      outputIsCut: false,
    });
    expect(await show({ texts: "none" })).toMatchObject({
      input: "",
      inputIsCut: true,
      output: "",
      outputIsCut: true,
    });
  });

  test("of many megabytes end a page early", async () => {
    const { sql, admin } = house;
    const large = "word ".repeat(40_000);
    for (let batch = 0; batch < 3; batch++) {
      await insertInteractions(
        sql,
        admin.id,
        Array.from({ length: 10 }, () => ({ app: "large", input: large, output: large, values: [] })),
      );
    }
    const pages: number[] = [];
    let cursor: string | null = null;
    do {
      const page: InteractionPage = await list(
        house.admin,
        { app: "large", q: "word" },
        { texts: "full", ...(cursor ? { cursor } : {}) },
      );
      pages.push(page.items.length);
      expect(page.items.length).toBeLessThanOrEqual(20);
      cursor = page.nextCursor;
    } while (cursor);
    expect(pages.reduce((sum, length) => sum + length, 0)).toBe(30);
  });
});

describe("others", () => {
  test("find nothing of it, whatever they ask for", async () => {
    const [row] = rows;
    for (const asked of [
      {},
      { ruleId: ruleIds[0] ?? "" },
      { sessionId: "s1" },
      { q: "unicorn" },
      { hasAlert: "true" },
      { metric: "output.characters:0.." },
    ]) {
      const ids = await listAll(house.bob, asked);
      expect(ids.filter((id) => rows.some((own) => own.id === id))).toEqual([]);
    }
    expect((await house.call(house.bob, "GET", `/interactions/${row?.id}`)).status).toBe(404);
    expect((await house.call(house.bob, "DELETE", `/interactions/${row?.id}`)).status).toBe(404);
    expect((await house.call(house.alice, "GET", `/interactions/${row?.id}`)).status).toBe(200);
    expect((await house.call(house.bob, "GET", "/interactions?scope=house")).status).toBe(403);
    for (const who of ["nobody", "publishable"] as const)
      expect((await house.call(who, "GET", "/interactions")).status).toBe(401);
  });

  test("who forge a cursor see their own rows alone", async () => {
    const { nextCursor } = await list(house.alice, {}, { limit: "1" });
    const page = await list(house.bob, {}, { cursor: nextCursor ?? "", limit: "200" });
    expect(page.items.every(({ ownerId }) => ownerId === house.bob.id)).toBe(true);
  });
});

describe("what cannot be meant", () => {
  const encode = (value: unknown) => btoa(JSON.stringify(value)).replace(/=+$/, "");
  test.each([
    ["cursor", "x"],
    ["cursor", encode({ occurredAt: "2026-01-01T00:00:00.0000001Z", id: createId() })],
    ["cursor", encode({ occurredAt: "9999-01-01T00:00:00Z", id: createId() })],
    ["cursor", encode({ occurredAt: "2026-01-01T00:00:00Z", id: "' or 1=1" })],
    ["cursor", "a".repeat(5000)],
    ["app", "a\0b"],
    ["tag", "\0"],
    ["sessionId", "\u0000"],
    ["q", "!!!"],
    ["q", ""],
    ["q", "a".repeat(10_000)],
    ["metric", "output.characters"],
    ["metric", "output.characters:5"],
    ["metric", "output.characters:.."],
    ["metric", "output.nothing:1..2"],
    ["metric", "output.characters:9..1"],
    ["metric", "output.characters:1e999.."],
    ["metric", "output.characters:NaN.."],
    ["from", "0001-01-01T00:00:00Z"],
    ["from", "yesterday"],
    ["importId", "1"],
    ["ruleId", "x"],
    ["limit", "0"],
    ["limit", "201"],
    ["order", "id"],
    ["hasAlert", "maybe"],
    ["texts", "some"],
  ])("is refused: %s=%.40j", async (name, value) => {
    const answer = await house.call(
      house.alice,
      "GET",
      `/interactions?${new URLSearchParams({ [name]: value })}`,
    );
    expect(answer.status, answer.text).toBe(400);
  });

  test.each([
    ["q", "a\0b"],
    ["q", "%" + "refund"],
    ["q", "\\d+ (a|b)* [x"],
    ["q", "' or '1'='1"],
    ["tag", "{a,b}"],
    ["tag", '"'],
    ["from", "2026-01-01T00:00:00+23:00"],
    ["metric", "output.characters:-1..999999999999999"],
    ["sessionId", "'; drop table x; --"],
  ])("is taken as it stands: %s=%j", async (name, value) => {
    const answer = await house.call(
      house.alice,
      "GET",
      `/interactions?${new URLSearchParams({ [name]: value })}`,
    );
    expect(answer.status, answer.text).toBe(200);
  });
});
