import fc from "fast-check";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  databaseErrorCode,
  isTransientDatabaseError,
  parseTimestamp,
  violatedConstraint,
} from "../../shared/database.ts";
import type { LocalDatabase } from "../../supabase/local/database.ts";
import { openTestDatabase } from "../helpers/database.ts";

let database: LocalDatabase;
let sql: Sql;
beforeAll(async () => {
  database = await openTestDatabase();
  sql = database.connect();
});
afterAll(async () => {
  await sql.end();
  await database.close();
});

describe("a client of the house", () => {
  test("names columns in camelCase and leaves the keys inside jsonb alone", async () => {
    const [row] = await sql`select 1 as owner_id, 2 as size_bytes_max, '{"owner_id": 3}'::jsonb as raw_json`;
    expect(row).toEqual({ ownerId: 1, sizeBytesMax: 2, rawJson: { owner_id: 3 } });
  });

  test("writes camelCase fields into snake_case columns", async () => {
    await sql.begin(async (transaction) => {
      await transaction`create temp table rows_of_test (owner_id integer, size_bytes integer) on commit drop`;
      await transaction`insert into rows_of_test ${transaction({ ownerId: 1, sizeBytes: 2 })}`;
      expect(await transaction`select * from rows_of_test`).toEqual([{ ownerId: 1, sizeBytes: 2 }]);
    });
  });

  test("reads an int8 as a number, and refuses one that does not fit", async () => {
    const [row] = await sql`select 9007199254740991::int8 as most, (-5)::int8 as few`;
    expect(row).toEqual({ most: Number.MAX_SAFE_INTEGER, few: -5 });
    await expect(sql`select 9007199254740992::int8 as more`).rejects.toThrow("does not fit");
  });

  test("reads a time in UTC with all its microseconds, and writes the same back", async () => {
    const [row] = await sql<{ at: string }[]>`select timestamptz '2026-11-21 13:14:15.123456+02' as at`;
    expect(row?.at).toBe("2026-11-21T11:14:15.123456Z");
    const [again] = await sql`select ${row?.at ?? ""}::timestamptz as at`;
    expect(again?.at).toBe(row?.at);
  });
});

test("a time of the database keeps its instant and its digits", () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
      fc.integer({ min: 0, max: 999 }),
      (date, micros) => {
        const iso = date.toISOString();
        const digits = `${iso.slice(20, 23)}${String(micros).padStart(3, "0")}`;
        const text = `${iso.slice(0, 10)} ${iso.slice(11, 19)}.${digits}+00`;
        expect(parseTimestamp(text)).toBe(`${iso.slice(0, 19)}.${digits}Z`);
        expect(Date.parse(parseTimestamp(text))).toBe(date.getTime());
      },
    ),
  );
});

describe("an error of the database", () => {
  test("names the constraint that refused", async () => {
    const error = await sql`
      insert into parlance.embedding_spaces (id, name, model, dimensions) values (9, 'none', 'none', 0)
    `.catch((thrown) => thrown);
    expect(violatedConstraint(error)).toBe("dimensions_fit_an_index");
    expect(databaseErrorCode(error)).toBe("23514");
    expect(isTransientDatabaseError(error)).toBe(false);
  });

  test.each([
    ["08006", true],
    ["40001", true],
    ["40P01", true],
    ["53300", true],
    ["57P01", true],
    ["57P03", true],
    ["CONNECTION_CLOSED", true],
    ["ECONNREFUSED", true],
    ["57014", false],
    ["23505", false],
    ["28P01", false],
    ["42501", false],
    ["CONNECTION_ENDED", false],
    ["", false],
  ])("with the code %j may pass: %s", (code, expected) => {
    expect(isTransientDatabaseError(Object.assign(new Error("x"), { code }))).toBe(expected);
  });

  test("is told from other errors", () => {
    for (const error of [new Error("x"), "23505", undefined, { code: "23505" }]) {
      expect(databaseErrorCode(error)).toBeUndefined();
      expect(violatedConstraint(error)).toBeUndefined();
      expect(isTransientDatabaseError(error)).toBe(false);
    }
  });
});

// Only a server has connections that can be cut. Holds the patch of postgres.js in shared/patches.
describe.runIf(process.env.TEST_DATABASE_URL)("a client whose connection is cut in a transaction", () => {
  /** Transactions without pause until told to stop; answers how many went through. */
  async function work(client: Sql, signal: AbortSignal): Promise<number> {
    let committed = 0;
    while (!signal.aborted) {
      const done = client.begin(async (transaction) => {
        await transaction`select set_config('parlance.test', 'mine', true)`;
        const [row] = await transaction`select current_setting('parlance.test') as owner`;
        expect(row?.owner).toBe("mine");
      });
      committed += await done.then(
        () => 1,
        (error) => {
          if (isTransientDatabaseError(error)) return 0;
          throw error;
        },
      );
    }
    return committed;
  }

  test("connects again, every time", async () => {
    const admin = database.connect({ role: database.superuser, max: 1 });
    const client = database.connect({ role: "parlance_sidecar", max: 1 });
    const controller = new AbortController();
    const working = work(client, controller.signal);
    for (let round = 0; round < 25; round++) {
      await client`select 1`.catch(() => {});
      await admin`
        select pg_terminate_backend(pid) from pg_stat_activity
        where usename = 'parlance_sidecar' and datname = current_database()
      `;
    }
    controller.abort();
    expect(await working).toBeGreaterThan(0);
    expect(await client`select 1 as one`).toEqual([{ one: 1 }]);
    await Promise.all([admin.end(), client.end()]);
  });
});
