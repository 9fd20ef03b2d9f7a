import { HTTPException } from "hono/http-exception";
import type { Sql } from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { explainFailure } from "../../../edge/http/failures.ts";
import { AppError } from "../../../shared/errors.ts";
import { createId } from "../../../shared/ids.ts";
import type { LocalDatabase } from "../../../supabase/local/database.ts";
import { openTestDatabase } from "../../helpers/database.ts";

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

async function explain(work: (sql: Sql) => PromiseLike<unknown>): Promise<AppError> {
  try {
    await work(sql);
  } catch (error) {
    return explainFailure(error);
  }
  throw new Error("this should have failed");
}

test("a statement that is cancelled for taking too long may be tried again", async () => {
  const cancelled = "do $$ begin raise exception 'cancelled' using errcode = 'query_canceled'; end $$";
  const error = await explain((sql) => sql.unsafe(cancelled));
  expect(error).toMatchObject({ code: "unavailable", retryable: true, retryAfterSeconds: 2 });
});

test("a user who is gone is told to sign in", async () => {
  const error = await explain(
    (sql) => sql`
      insert into parlance.images (id, owner_id, name)
      values (${createId()}, ${crypto.randomUUID()}, 'a.jpg')
    `,
  );
  expect(error.code).toBe("unauthenticated");
});

test("a NUL character is the caller's fault", async () => {
  expect((await explain((sql) => sql`select ${"a\0b"}::text`)).code).toBe("invalid_request");
});

test("any other error of the database is unexpected, and its text is kept from the caller", async () => {
  for (const query of ["select secret_column from parlance.images", "select 1 / 0"]) {
    const error = await explain((sql) => sql.unsafe(query));
    expect(error.code).toBe("unexpected");
    expect(error.message).not.toMatch(/secret|zero/);
    expect(error.cause).toBeInstanceOf(Error);
  }
});

test.each([
  "CONNECT_TIMEOUT",
  "CONNECTION_CLOSED",
  "ECONNREFUSED",
  "57P01",
  "53300",
  "08006",
  "40001",
  "40P01",
])("%s is told as unavailable", (code) => {
  expect(explainFailure(Object.assign(new Error("no"), { code }))).toMatchObject({ code: "unavailable" });
});

test("what hono refuses keeps its meaning, what we say keeps its code", () => {
  expect(explainFailure(new HTTPException(415, { message: "Unsupported" })).code).toBe(
    "unsupported_media_type",
  );
  expect(explainFailure(new HTTPException(400, { message: "Malformed JSON" })).code).toBe("invalid_request");
  expect(explainFailure(new HTTPException(418)).code).toBe("unexpected");
  const ours = new AppError("gone", "It is gone.");
  expect(explainFailure(ours)).toBe(ours);
  expect(explainFailure("a string").code).toBe("unexpected");
});
