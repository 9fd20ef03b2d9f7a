import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalDatabase, openPostgres } from "../../../supabase/local/database.ts";
import { loginUrl, scramVerifier } from "../../../supabase/local/logins.ts";
import { openTestDatabase } from "../../helpers/database.ts";

const url = "postgres://postgres:secret%2F1@db.example.org:5433/house?sslmode=require";

let database: LocalDatabase;
beforeAll(async () => {
  database = await openTestDatabase({ migrate: false });
});
afterAll(() => database.close());

test("the URL's own role logs in with the URL as it is", () => {
  expect(loginUrl(url, "postgres")).toBe(url);
});

test("another role gets a password that follows from the URL's, and the same server and settings", () => {
  const login = new URL(loginUrl(url, "parlance_owner"));
  expect(login.username).toBe("parlance_owner");
  expect(login.password).toMatch(/^[\w-]{43}$/);
  expect(login.host + login.pathname + login.search).toBe("db.example.org:5433/house?sslmode=require");
  expect(loginUrl(url, "parlance_owner")).toBe(login.href);
});

test("two roles, and one role under two keys, have different passwords", () => {
  const passwords = [
    loginUrl(url, "parlance_owner"),
    loginUrl(url, "authenticator"),
    loginUrl(url.replace("secret", "other"), "authenticator"),
  ].map((login) => new URL(login).password);
  expect(new Set(passwords).size).toBe(3);
});

test("where nobody asks for passwords only the user changes", () => {
  expect(loginUrl("postgres://postgres@127.0.0.1:5432/a", "authenticator")).toBe(
    "postgres://authenticator@127.0.0.1:5432/a",
  );
});

test("the verifier is the one that Postgres makes of the same password and salt", async () => {
  const sql = database.connect({ role: database.superuser, max: 1 });
  const made = await sql
    .begin(async (transaction) => {
      await transaction`set local password_encryption to 'scram-sha-256'`;
      await transaction`create role parlance_probe password 'Ünglaublich geheim'`;
      const [row] = await transaction<{ verifier: string }[]>`
        select rolpassword as verifier from pg_authid where rolname = 'parlance_probe'
      `;
      await transaction`drop role parlance_probe`;
      return row?.verifier ?? "";
    })
    .finally(() => sql.end());
  const [, iterations = "", salt = ""] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(made) ?? [];
  expect(scramVerifier("Ünglaublich geheim", Buffer.from(salt, "base64"), Number(iterations))).toBe(made);
});

test("a server that is not there is named, without its password", async () => {
  const opened = openPostgres("postgres://postgres:hush@127.0.0.1:1/house");
  await expect(opened).rejects.toThrow(/127\.0\.0\.1:1\/house cannot be used/);
  await expect(opened).rejects.not.toThrow(/hush/);
});
