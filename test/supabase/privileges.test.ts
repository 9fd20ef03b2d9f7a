import type { Sql } from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anonymousCaller, transactAs } from "../../shared/callers.ts";
import type { LocalDatabase } from "../../supabase/local/database.ts";
import { openTestDatabase } from "../helpers/database.ts";

let database: LocalDatabase;
let owner: Sql;
let sidecar: Sql;

beforeAll(async () => {
  database = await openTestDatabase();
  owner = database.connect({ max: 2 });
  sidecar = database.connect({ role: "parlance_sidecar", max: 1 });
});

afterAll(async () => {
  await owner.end({ timeout: 1 });
  await sidecar.end({ timeout: 1 });
  await database.close();
});

const refused = { code: "42501" };

test("a sidecar claims jobs through the functions", async () => {
  const job = {
    id: crypto.randomUUID(),
    kind: "privileges.test-role",
    lane: "bulk",
    payload: {},
    attempts_max: 1,
  };
  await owner`select parlance.add_jobs(${owner.json([job])})`;
  const claimed = await sidecar`
    select kind
    from parlance.claim_jobs(${crypto.randomUUID()}, array['privileges.test-role'], 'bulk', 1, 30)
  `;
  expect(claimed).toEqual([{ kind: "privileges.test-role" }]);
});

test.each([
  ["the job table", "select id from parlance.jobs"],
  ["the users", "select id from auth.users"],
  ["the objects of storage", "select id from storage.objects"],
  ["keys of requests", "select key from parlance.idempotency_keys"],
  ["what only the API calls", "select parlance.take_tokens('a', 'b', 1, 1)"],
  ["tables of its own", "create table parlance.mine ()"],
  ["roles of its own", "create role parlance_mine"],
  ["the secret key's role", "set role service_role"],
  ["a user's role", "set role authenticated"],
  ["the owner's role", "set role parlance_owner"],
  ["more rights", "alter role parlance_sidecar bypassrls"],
  ["files of the server", "select pg_read_file('PG_VERSION')"],
])("a sidecar does not get %s", async (_name, statement) => {
  await expect(sidecar.unsafe(statement)).rejects.toMatchObject(refused);
});

test("a request without a user reads no jobs and writes no pictures", async () => {
  const attempt = (statement: string) =>
    transactAs(owner, anonymousCaller, (transaction) => transaction.unsafe(statement));
  await expect(attempt("select id from parlance.jobs")).rejects.toMatchObject(refused);
  await expect(attempt("delete from parlance.images")).rejects.toMatchObject(refused);
  await expect(attempt("select parlance.add_jobs('[]')")).rejects.toMatchObject(refused);
  expect(await attempt("select id from parlance.images")).toEqual([]);
});
