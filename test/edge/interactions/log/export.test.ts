import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type ExportPage, exportFormats, streamExport } from "../../../../edge/interactions/log/exports.ts";
import { credentialsOf, openTestApp, type TestApp, type Who } from "../../../helpers/app.ts";
import { insertInteractions } from "../../../helpers/interactions.ts";
import { seededRandom } from "../../../helpers/pictures.ts";
import { type Asked, drawFilter, drawLog, expectedIds, type ModelRow, toQuery } from "./model.ts";

let house: TestApp;
let rows: readonly ModelRow[];
beforeAll(async () => {
  house = await openTestApp({ environment: { RATE_LIMIT_READ: "1000000" } });
  rows = await drawLog(house.sql, house.alice.id, { random: seededRandom(3), rows: 450 });
  await drawLog(house.sql, house.bob.id, { random: seededRandom(4), rows: 30 });
}, 60_000);
afterAll(() => house.close());

async function download(who: Who, format: "csv" | "jsonl", asked: Asked = {}) {
  const path = `/api/interactions/export?${toQuery(asked, { format })}`;
  const answer = await house.app.request(path, { headers: credentialsOf(house.keys, who) });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return { headers: answer.headers, text };
}

/** What a file says, row by row. */
const readCsv = (text: string): Record<string, string>[] => parse(text, { columns: true });
const readLines = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

describe("an export", () => {
  test("has what the list has, whole, in both formats", async () => {
    const random = seededRandom(5);
    for (const asked of [
      {},
      { order: "-occurredAt" },
      ...Array.from({ length: 15 }, () => drawFilter(random, [])),
    ]) {
      const { ruleId: _, ...filters } = { ...asked } as Record<string, string>;
      const expected = expectedIds(rows, { order: "occurredAt", ...filters });
      const csv = readCsv((await download(house.alice, "csv", filters)).text);
      expect(
        csv.map(({ id }) => id),
        JSON.stringify(filters),
      ).toEqual(expected);
      const lines = readLines((await download(house.alice, "jsonl", filters)).text);
      expect(lines.map(({ id }) => id)).toEqual(expected);
      const byId = new Map(rows.map((row) => [row.id, row]));
      for (const line of lines) {
        const row = byId.get(line.id);
        expect(line).toMatchObject({
          input: row?.input,
          output: row?.output,
          metrics: row?.metrics,
          occurredAt: row?.occurredAt,
        });
      }
      for (const [index, line] of csv.entries()) {
        const json = lines[index];
        // A word of the log may begin as a formula does.
        expect(line.input?.replace(/^'/, "")).toBe(json.input);
        expect(line["output.characters"]).toBe(String(json.metrics["output.characters"]));
        expect(line["pair.latency"]).toBe(
          json.metrics["pair.latency"] === undefined ? "" : String(json.metrics["pair.latency"]),
        );
        expect(JSON.parse(line.tags || "[]")).toEqual(json.tags);
      }
    }
  });

  test("is a file to be kept, under a name", async () => {
    const { headers, text } = await download(house.alice, "csv", { app: "nothing" });
    expect(headers.get("content-type")).toMatch(/^text\/csv; charset=utf-8/);
    expect(headers.get("content-disposition")).toMatch(
      /^attachment; filename="interactions-\d{4}-\d\d-\d\d\.csv"$/,
    );
    expect(text).toMatch(/^id,occurredAt,createdAt,app,.*,input\.characters,.*\r\n$/);
    expect((await download(house.alice, "jsonl", { app: "nothing" })).text).toBe("");
  });

  test("runs nothing in a spreadsheet, whatever people wrote", async () => {
    const evil = [
      "=cmd|' /C calc'!A0",
      "+1+1",
      "-2+3",
      "@SUM(A1)",
      "\t=1",
      "＝1+1",
      '=HYPERLINK("http://x","y")',
      " =1",
    ];
    const { sql, admin } = house;
    await insertInteractions(
      sql,
      admin.id,
      evil.map((text) => ({
        input: text,
        output: text,
        app: text.trim(),
        model: text,
        sessionId: text,
        userLabel: text,
        tags: [text],
      })),
    );
    const { text } = await download(house.admin, "csv");
    const records = parse(text) as string[][];
    expect(records).toHaveLength(1 + evil.length);
    for (const field of records.flat()) {
      if (!/^-?\d/.test(field)) expect(/^[\s\u00a0\ufeff]*[=+\-@\uff1d]/.test(field), field).toBe(false);
    }
    for (const text of evil) expect(records.some((record) => record.includes(`'${text}`))).toBe(true);
    expect(
      readLines((await download(house.admin, "jsonl")).text)
        .map(({ input }) => input)
        .sort(),
    ).toEqual([...evil].sort());
  });

  test("shows others nothing", async () => {
    const own = new Set(rows.map(({ id }) => id));
    const lines = readLines((await download(house.bob, "jsonl")).text);
    expect(lines).toHaveLength(30);
    expect(lines.filter(({ id }) => own.has(id))).toEqual([]);
    const refused = await house.call(house.bob, "GET", "/interactions/export?scope=house");
    expect([refused.status, refused.headers.get("content-disposition")]).toEqual([403, null]);
    for (const who of ["nobody", "publishable"] as const) {
      expect((await house.call(who, "GET", "/interactions/export")).status).toBe(401);
    }
    expect((await house.call(house.bob, "GET", "/interactions/export?metric=x")).status).toBe(400);
  });
});

describe("its stream", () => {
  const item = { id: "x" } as never;
  const page = (number: number, pages: { read: number }, failsAt = Number.POSITIVE_INFINITY): ExportPage => ({
    // Every third has nothing that passed.
    items: number % 3 === 2 ? [] : [item],
    readNext: async () => {
      pages.read += 1;
      if (number + 1 >= failsAt) throw new Error("the database is gone");
      return page(number + 1, pages, failsAt);
    },
  });
  const format = { ...exportFormats.jsonl, header: "header\n", write: () => "row\n" };

  test("reads a page when the one before it was taken, and none after nobody wants more", async () => {
    const pages = { read: 0 };
    const reader = streamExport(format, page(0, pages), () => {}).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("header\nrow\n");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(pages.read).toBe(0);
    await reader.read();
    expect(pages.read).toBe(1);
    await reader.cancel();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(pages.read).toBe(1);
  });

  test("that was stopped while it looked for a row looks no further", async () => {
    let read = 0;
    const empty = (): ExportPage => ({
      items: [],
      readNext: async () => {
        read += 1;
        await new Promise((resolve) => setTimeout(resolve, 1));
        return empty();
      },
    });
    const reader = streamExport({ ...format, header: "" }, empty(), () => {}).getReader();
    const waiting = reader.read();
    await vi.waitUntil(() => read > 3);
    await reader.cancel();
    await waiting;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = read;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(read).toBe(before);
  });

  test("breaks where reading fails: no file that ends is short", async () => {
    const failures: unknown[] = [];
    const stream = streamExport(format, page(0, { read: 0 }, 4), (error) => failures.push(error));
    await expect(new Response(stream).text()).rejects.toThrow("the database is gone");
    expect(failures).toHaveLength(1);
  });

  test("breaks the connection where reading fails", async () => {
    const broken = house.withSettings(
      {},
      {
        sql: Object.assign(
          ((...given: Parameters<typeof house.sql>) => house.sql(...given)) as typeof house.sql,
          house.sql,
          {
            begin: failAfter(2),
          },
        ),
      },
    );
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: broken.app.fetch });
    try {
      const headers = { apikey: house.keys.publishableKey, authorization: `Bearer ${house.alice.token}` };
      const answer = await fetch(`http://127.0.0.1:${server.port}/api/interactions/export?format=jsonl`, {
        headers,
      });
      expect(answer.status).toBe(200);
      await expect(answer.text()).rejects.toThrow();
      expect(
        broken.logLines.some(({ event, message }) => [event, message].includes("interactions.export_broke")),
      ).toBe(true);
    } finally {
      await server.stop(true);
    }
  });

  /** Transactions work so many times. */
  function failAfter(times: number) {
    let begun = 0;
    return ((...given: Parameters<typeof house.sql.begin>) => {
      begun += 1;
      if (begun > times) return Promise.reject(new Error("the database is gone"));
      return house.sql.begin(...given);
    }) as typeof house.sql.begin;
  }
});
