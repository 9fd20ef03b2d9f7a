import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  anonymousCaller,
  becomeCaller,
  type Caller,
  callerUserId,
  isAdmin,
  serviceCaller,
  transactAs,
} from "../../shared/callers.ts";
import { databaseErrorCode } from "../../shared/database.ts";
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

const userId = "0198f000-0000-7000-8000-000000000001";
const user: Caller = { role: "authenticated", claims: { sub: userId, role: "authenticated" } };

async function whoAmI(caller?: Caller) {
  const ask = (client: Pick<Sql, "unsafe">) =>
    client.unsafe(
      "select current_user::text as role, auth.uid() as user_id, auth.jwt() ->> 'role' as claimed",
    );
  const [row] = caller ? await transactAs(sql, caller, ask) : await ask(sql);
  return row;
}

describe("a transaction as a caller", () => {
  test.each([
    ["a user", user, { role: "authenticated", userId, claimed: "authenticated" }],
    ["nobody", anonymousCaller, { role: "anon", userId: null, claimed: "anon" }],
    ["the secret key", serviceCaller, { role: "service_role", userId: null, claimed: "service_role" }],
  ])("has the role and the claims of %s", async (_who, caller, expected) => {
    expect(await whoAmI(caller)).toEqual(expected);
  });

  test("leaves nothing of them behind, whether it commits or fails", async () => {
    const before = await whoAmI();
    await transactAs(sql, user, async () => {});
    expect(await whoAmI()).toMatchObject({ role: before?.role, userId: null });
    await expect(transactAs(sql, user, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await whoAmI()).toMatchObject({ role: before?.role, userId: null });
  });

  test("can go on as another caller, and the first one's id is forgotten", async () => {
    await transactAs(sql, user, async (transaction) => {
      await becomeCaller(transaction, serviceCaller);
      const [row] = await transaction`select current_user::text as role, auth.uid() as user_id`;
      expect(row).toEqual({ role: "service_role", userId: null });
    });
  });

  test("passes claims as values, whatever they hold", async () => {
    const name = `'; set role postgres; -- "\\ \u2028 💥`;
    const caller: Caller = { role: "authenticated", claims: { sub: userId, name } };
    const [row] = await transactAs(
      sql,
      caller,
      (transaction) => transaction`select auth.jwt() ->> 'name' as name`,
    );
    expect(row?.name).toBe(name);
  });

  test("is refused a role that does not exist or is not for callers", async () => {
    for (const role of ["superuser", "supabase_auth_admin", "postgres"]) {
      const caller = { role, claims: {} } as unknown as Caller;
      const error = await transactAs(sql, caller, async () => {}).catch((thrown) => thrown);
      expect(["22023", "42501"]).toContain(databaseErrorCode(error));
    }
  });
});

describe("a caller", () => {
  test("has a user id when the token names one", () => {
    expect(callerUserId(user)).toBe(userId);
    expect(callerUserId(serviceCaller)).toBeUndefined();
    expect(callerUserId({ role: "authenticated", claims: { sub: 7 } })).toBeUndefined();
  });

  test.each([
    [true, serviceCaller],
    [true, { role: "authenticated", claims: { app_metadata: { role: "admin" } } }],
    [false, user],
    [false, anonymousCaller],
    [false, { role: "authenticated", claims: { user_metadata: { role: "admin" } } }],
    [false, { role: "authenticated", claims: { role: "admin", app_metadata: null } }],
    [false, { role: "authenticated", claims: { app_metadata: "admin" } }],
  ] as [boolean, Caller][])("is an admin: %s", (expected, caller) => {
    expect(isAdmin(caller)).toBe(expected);
  });

  test("is an admin to the database exactly when it is one here", async () => {
    for (const role of ["admin", "user"]) {
      const caller: Caller = { role: "authenticated", claims: { sub: userId, app_metadata: { role } } };
      const [row] = await transactAs(
        sql,
        caller,
        (transaction) => transaction`select parlance.is_admin() as found`,
      );
      expect(row?.found).toBe(isAdmin(caller));
    }
  });
});
