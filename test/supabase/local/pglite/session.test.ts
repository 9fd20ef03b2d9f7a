import type { Sql, TransactionSql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { transactAs } from "../../../../shared/callers.ts";
import type { LocalDatabase } from "../../../../supabase/local/database.ts";
import { openPglite } from "../../../../supabase/local/database.ts";
import { pgliteTemplate } from "../../../helpers/template.ts";

/** Long enough for every test that keeps a transaction open on purpose, short enough to wait for once. */
const transactionIdleMs = 400;

let database: LocalDatabase;
const clients: Sql[] = [];

function connect(options?: { role?: string; max?: number }): Sql {
  const sql = database.connect(options);
  clients.push(sql);
  return sql;
}

beforeAll(async () => {
  database = await openPglite({ template: await pgliteTemplate({ migrate: false }), transactionIdleMs });
  const sql = connect();
  await sql`create schema house`;
  await sql`create table house.notes (id int primary key, owner text, body text)`;
  await sql`grant usage on schema house to authenticated`;
  await sql`grant select, insert on house.notes to authenticated`;
  await sql`alter table house.notes enable row level security`;
  await sql`
    create policy "owners see and write their own" on house.notes to authenticated
      using (owner = current_setting('request.jwt.claim.sub', true))
  `;
});

afterAll(async () => {
  for (const sql of clients) await sql.end({ timeout: 1 });
  await database.close();
});

const user = (name: string) => ({ role: "authenticated", claims: { sub: name } }) as const;

/** What the statement would act under. */
async function whoAmI(sql: Sql | TransactionSql): Promise<string> {
  const [row] = await sql<{ who: string }[]>`
    select concat_ws('/', session_user, current_user, nullif(current_setting('request.jwt.claim.sub', true), '')) as who
  `;
  return row?.who ?? "";
}

/** A promise, and the function that fulfils it. */
function signal(): { reached: Promise<void>; reach: () => void } {
  let reach = () => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  return { reached, reach };
}

describe("two clients at one gate", () => {
  test("a statement waits for the other's transaction, and runs neither in it nor with its claims", async () => {
    const [anna, ben] = [connect(), connect()];
    const order: string[] = [];
    let outside: Promise<string> | undefined;
    await transactAs(anna, user("anna"), async (transaction) => {
      await transaction`insert into house.notes values (1, 'anna', 'hers')`;
      outside = whoAmI(ben).then((who) => {
        order.push("ben");
        return who;
      });
      expect(await whoAmI(transaction)).toBe("parlance_owner/authenticated/anna");
      order.push("anna");
    });
    expect(await outside).toBe("parlance_owner/parlance_owner");
    expect(order).toEqual(["anna", "ben"]);
  });

  test("what one user writes the other does not see", async () => {
    const [anna, ben] = [connect(), connect()];
    const read = (transaction: TransactionSql) =>
      transaction<{ owner: string }[]>`select owner from house.notes where owner in ('anna', 'ben')`;
    const write = (transaction: TransactionSql) =>
      transaction`insert into house.notes values (3, 'anna', 'forged')`;
    await transactAs(
      ben,
      user("ben"),
      (transaction) => transaction`insert into house.notes values (2, 'ben', '')`,
    );
    const [hers, his] = await Promise.all([
      transactAs(anna, user("anna"), read),
      transactAs(ben, user("ben"), read),
    ]);
    expect(hers).toMatchObject([{ owner: "anna" }]);
    expect(his).toMatchObject([{ owner: "ben" }]);
    await expect(transactAs(ben, user("ben"), write)).rejects.toMatchObject({ code: "42501" });
  });

  test("500 transactions of five users on four clients each act under their own claims", async () => {
    const pool = [connect(), connect({ max: 3 }), connect({ role: "authenticator" }), connect()];
    const users = ["anna", "ben", "carl", "dora", "emil"];
    const work = Array.from({ length: 500 }, async (_, index) => {
      const sql = pool[Math.floor(Math.random() * pool.length)] as Sql;
      const name = users[Math.floor(Math.random() * users.length)] as string;
      const fails = index % 7 === 0;
      const result = transactAs(sql, user(name), async (transaction) => {
        const before = await whoAmI(transaction);
        if (fails) await transaction`select 1 / 0`;
        expect(await whoAmI(transaction)).toBe(before);
        return before;
      });
      if (fails) return expect(result).rejects.toMatchObject({ code: "22012" });
      expect(await result).toMatch(new RegExp(`^(parlance_owner|authenticator)/authenticated/${name}$`));
      if (index % 3 === 0)
        expect(await whoAmI(sql)).toMatch(/^(parlance_owner\/parlance_owner|authenticator\/authenticator)$/);
    });
    await Promise.all(work);
  });

  test("what one sets for its session does not reach the other", async () => {
    const [one, other] = [connect(), connect()];
    await one`select set_config('request.jwt.claim.sub', 'mallory', false)`;
    await one.unsafe("set role service_role");
    expect(await whoAmI(other)).toBe("parlance_owner/parlance_owner");
  });

  test("savepoints, errors and cursors keep the gate until the transaction ends", async () => {
    const [one, other] = [connect(), connect()];
    let outside: Promise<unknown> | undefined;
    const numbers: number[] = [];
    await one.begin(async (transaction) => {
      await transaction.savepoint((inner) => inner`select 1 / 0`).catch(() => {});
      outside = other`select pg_current_xact_id_if_assigned() is null as outside`;
      for await (const rows of transaction`select n from generate_series(1, 25) n`.cursor(10)) {
        numbers.push(...rows.map((row) => row.n));
      }
      await transaction`create table house.scratch ()`;
      await transaction`drop table house.scratch`;
    });
    expect(numbers).toHaveLength(25);
    expect(await outside).toMatchObject([{ outside: true }]);
  });

  test("a cursor left half-way opens the gate", async () => {
    const [one, other] = [connect(), connect()];
    for await (const _ of one`select n from generate_series(1, 25) n`.cursor(10)) break;
    expect(await whoAmI(other)).toBe("parlance_owner/parlance_owner");
  });

  test("after an error in a batch both clients go on", async () => {
    const [one, other] = [connect(), connect()];
    const outcomes = await Promise.allSettled([
      one`select ${"x"}::int`,
      other`select nothing`,
      one`select 1 as x`,
      other.unsafe("select 1 / 0; select 2"),
      other`select 2 as x`,
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      "rejected",
      "rejected",
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
  });
});

describe("a client that goes away or falls silent", () => {
  test("a client ended inside its transaction has it rolled back, and the gate opens", async () => {
    const [one, other] = [connect(), connect()];
    const { reached, reach } = signal();
    const transaction = one.begin(async (inside) => {
      await inside`insert into house.notes values (10, 'anna', 'never')`;
      reach();
      await new Promise(() => {});
    });
    const refused = expect(transaction).rejects.toThrow();
    await reached;
    const waiting = other`select id from house.notes where id = 10`;
    await one.end({ timeout: 0 });
    await refused;
    expect(await waiting).toEqual([]);
  });

  test("a transaction that falls silent is rolled back, so that nobody waits forever", async () => {
    const [one, other] = [connect(), connect()];
    const stuck = one.begin(async (inside) => {
      await inside`insert into house.notes values (12, 'anna', 'never')`;
      // The mistake that the limit is for: waiting, inside a transaction, for what needs the gate.
      return other`select id from house.notes where id = 12`;
    });
    await expect(stuck).rejects.toMatchObject({ code: "25P03" });
    expect(await other`select id from house.notes where id = 12`).toEqual([]);
    expect(await whoAmI(one)).toBe("parlance_owner/parlance_owner");
  });

  test("what such a transaction says later is refused until it ends, and changes nothing", async () => {
    const [one, other] = [connect(), connect()];
    const codes: unknown[] = [];
    const keepCode = (error: { code?: string }) => codes.push(error.code);
    const stuck = one.begin(async (inside) => {
      await inside`insert into house.notes values (13, 'anna', 'never')`;
      await other`select 1`;
      await inside`insert into house.notes values (14, ${"anna"}, 'never')`.catch(keepCode);
      await inside.unsafe("insert into house.notes values (15, 'anna', 'never')").catch(keepCode);
      await inside.savepoint((deeper) => deeper`select 1`).catch(keepCode);
    });
    await expect(stuck).rejects.toMatchObject({ code: "25P03" });
    expect(codes).toEqual(["25P03", "25P03", "25P03"]);
    expect(await one`select id from house.notes where id between 13 and 15`).toEqual([]);
    await one.begin((inside) => inside`insert into house.notes values (16, 'anna', 'this one')`);
    expect(await other`select id from house.notes where id = 16`).toHaveLength(1);
  });
});

describe("what crosses the stream", () => {
  test("parameters of three million bytes, arrays, json and vectors come back as they went", async () => {
    const sql = connect();
    const text = "ä".repeat(1_500_000);
    const [row] = await sql<Record<string, unknown>[]>`
      select
        ${text}::text as text,
        ${[1, 2, 3]}::int[] as numbers,
        ${sql.json({ a: ["ö", null] })}::jsonb as json,
        ${"[1,2,3]"}::extensions.vector <#> '[1,1,1]' as distance,
        ${Buffer.from([0, 255, 10])}::bytea as bytes,
        ${null}::text as nothing
    `;
    expect(row?.text === text).toBe(true);
    expect(row).toMatchObject({ numbers: [1, 2, 3], json: { a: ["ö", null] }, distance: -6, nothing: null });
    expect(row?.bytes).toEqual(Buffer.from([0, 255, 10]));
  });

  test("twenty thousand rows go in by unnest and come out", async () => {
    const sql = connect();
    const numbers = Array.from({ length: 20_000 }, (_, index) => index);
    const rows = await sql`select n, repeat('x', 100) as text from unnest(${numbers}::int[]) n order by n`;
    expect(rows.map((row) => row.n)).toEqual(numbers);
  });

  test("what a client pipelines is answered in order", async () => {
    const sql = connect();
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) => sql<{ n: number }[]>`select ${index}::int as n`),
    );
    expect(answers.map(([row]) => row?.n)).toEqual(Array.from({ length: 300 }, (_, index) => index));
  });

  test("COPY FROM STDIN is refused, and COPY TO STDOUT works", async () => {
    const sql = connect();
    await expect(sql.unsafe("copy house.notes from stdin")).rejects.toMatchObject({ code: "0A000" });
    await expect(sql`copy house.notes from stdin`).rejects.toMatchObject({ code: "0A000" });
    const chunks: string[] = [];
    for await (const chunk of await sql`copy (select 1) to stdout`.readable()) chunks.push(String(chunk));
    expect(chunks.join("")).toBe("1\n");
    expect(await whoAmI(sql)).toBe("parlance_owner/parlance_owner");
  });
});

describe("logging in", () => {
  test.each([
    ["anon", "28000", /not permitted to log in/],
    ["nobody_at_all", "28000", /does not exist/],
    ['x"; drop table house.notes; --', "28000", /does not exist/],
  ])("as %s is refused", async (role, code, message) => {
    await expect(connect({ role })`select 1`).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test.each(["reset session authorization", "set session authorization postgres", "discard all"])(
    "does not end by %s",
    async (statement) => {
      const sql = connect({ role: "authenticator" });
      await sql.unsafe(statement);
      expect(await whoAmI(sql)).toBe("authenticator/authenticator");
    },
  );

  test("a role put off inside a transaction takes the transaction with it", async () => {
    const sql = connect({ role: "authenticator" });
    const climb = sql.begin(async (transaction) => {
      await transaction`select set_config('session_authorization', 'postgres', false)`;
      await transaction`create table house.taken_over ()`;
    });
    await expect(climb).rejects.toMatchObject({ code: "42501" });
    expect(await whoAmI(sql)).toBe("authenticator/authenticator");
    const [row] = await connect()`select to_regclass('house.taken_over') as found`;
    expect(row).toMatchObject({ found: null });
  });

  test("a closed database takes nobody in", async () => {
    const other = await openPglite({ template: await pgliteTemplate({ migrate: false }) });
    const before = other.connect();
    await before`select 1`;
    await other.close();
    await other.close();
    await expect(before`select 1`).rejects.toThrow();
    await expect(other.connect()`select 1`).rejects.toMatchObject({ code: "57P03" });
  });
});
