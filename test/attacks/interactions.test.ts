/** What another user could do to somebody's log if they were handed a line of SQL. */
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anonymousCaller, type Caller, transactAs } from "../../shared/callers.ts";
import { createId } from "../../shared/ids.ts";
import type { LocalDatabase } from "../../supabase/local/database.ts";
import { openTestDatabase } from "../helpers/database.ts";
import { insertInteractions } from "../helpers/interactions.ts";

let database: LocalDatabase;
let owner: Sql;
const [alice, bob] = [createId(), createId()];

/** Tables of which users may read their own rows. */
const readable = [
  "interaction_settings",
  "interaction_groups",
  "interaction_batches",
  "interactions",
  "interaction_hours",
  "interaction_rules",
  "interaction_alerts",
  "alert_firings",
  "alert_silences",
  "interaction_imports",
  "import_refusals",
  "rule_back_tests",
];
/** Tables that nobody reads but the service. */
const hidden = ["interaction_fences", "interaction_words", "rule_sightings"];

beforeAll(async () => {
  database = await openTestDatabase();
  owner = database.connect({ max: 2 });
  for (const id of [alice, bob])
    await owner`insert into auth.users (id, email) values (${id}, ${`${id}@example.com`})`;
  const { ids } = await insertInteractions(owner, alice, [{ input: "mine", output: "alone" }]);
  const [{ id: rule } = { id: "" }] = await owner<{ id: string }[]>`
    select id from parlance.interaction_rules where owner_id = ${alice} limit 1
  `;
  const [alert, silence, file, test] = [createId(), createId(), createId(), createId()];
  await owner.unsafe(`
    insert into parlance.interaction_hours (group_id, metric, hour, count, mean, m2, min, max, sketch)
    select id, 1, 1, 1, 1, 0, 1, 1, '4096:1' from parlance.interaction_groups where owner_id = '${alice}';
    insert into parlance.interaction_alerts
      (id, owner_id, rule_id, rule_name, severity, fingerprint, first_seen_at, last_seen_at, evidence)
    values ('${alert}', '${alice}', '${rule}', 'x', 'info', 'x', now(), now(), '{}');
    insert into parlance.alert_firings (alert_id, interaction_id, owner_id, occurred_at, value)
    values ('${alert}', '${ids[0]}', '${alice}', now(), 1);
    insert into parlance.alert_silences (id, owner_id, starts_at, ends_at)
    values ('${silence}', '${alice}', now(), now() + interval '1 hour');
    insert into parlance.interaction_imports (id, owner_id, file_name, path, options, state)
    values ('${file}', '${alice}', 'a.csv', 'a', '{}', 'running');
    insert into parlance.import_refusals (import_id, row_number, reason, row) values ('${file}', 1, 'x', 'x');
    insert into parlance.rule_back_tests (id, owner_id, rule, from_at, to_at, job_id)
    values ('${test}', '${alice}', '{}', now(), now() + interval '1 hour', '${test}');
    insert into parlance.interaction_fences (rule_id, group_key, hour, rule_updated_at) values ('${rule}', '', 1, now());
    insert into parlance.rule_sightings (rule_id, key, last_at) values ('${rule}', gen_random_uuid(), now());
    insert into storage.objects (bucket_id, name)
    select id, '${alice}/${file}' from storage.buckets where id = 'imports';
  `);
});
afterAll(async () => {
  await owner.end({ timeout: 1 });
  await database.close();
});

const as = (id: string, claims: object = {}): Caller => ({
  role: "authenticated",
  claims: { sub: id, role: "authenticated", ...claims },
});
const attempt = (caller: Caller, statement: string) =>
  transactAs(owner, caller, (transaction) => transaction.unsafe(statement));

describe.each(readable)("of parlance.%s", (table) => {
  test("its owner sees their rows, and no other user one", async () => {
    const statement = `select 1 as one from parlance.${table}`;
    expect((await attempt(as(alice), statement)).length).toBeGreaterThan(0);
    expect(await attempt(as(bob), statement)).toEqual([]);
    expect(
      await attempt(as(bob, { app_metadata: "admin", user_metadata: { role: "admin" } }), statement),
    ).toEqual([]);
    await expect(attempt(anonymousCaller, statement)).rejects.toMatchObject({ code: "42501" });
  });

  test("not even its owner writes past the API", async () => {
    for (const caller of [as(alice), as(bob), anonymousCaller]) {
      for (const statement of [
        `delete from parlance.${table}`,
        `insert into parlance.${table} default values`,
      ])
        await expect(attempt(caller, statement)).rejects.toMatchObject({ code: "42501" });
    }
  });
});

test.each(hidden)("parlance.%s is there, and nobody but the service reads it", async (table) => {
  expect((await owner.unsafe(`select 1 from parlance.${table}`)).length).toBeGreaterThan(0);
  for (const caller of [as(alice), as(bob), anonymousCaller])
    await expect(attempt(caller, `select 1 from parlance.${table}`)).rejects.toMatchObject({ code: "42501" });
});

test.each([
  "select parlance.raise_alerts('[]')",
  "select parlance.raise_import_alerts(gen_random_uuid(), null, '[]', '{}', '{}', '{}', '{}', '{}')",
  "select parlance.notify_alert(gen_random_uuid(), 'alert.opened')",
  "select parlance.tell_alert(gen_random_uuid(), 'alert.opened', '{}')",
  "select parlance.resolve_alerts('{}', 'by-hand', null)",
  "select parlance.acknowledge_alerts('{}', null, true)",
  "select parlance.tend_alerts(null, 1)",
  "select parlance.ensure_interaction_settings(null)",
  "select parlance.ensure_interaction_groups(null, '{}', '{}', '{}')",
  "update parlance.interactions set input = 'x'",
])("users may not: %s", async (statement) => {
  for (const caller of [as(bob), anonymousCaller])
    await expect(attempt(caller, statement)).rejects.toMatchObject({ code: "42501" });
});

test("what was said is not rewritten, not even by the service", async () => {
  const service: Caller = { role: "service_role", claims: { role: "service_role" } };
  await expect(attempt(service, "update parlance.interactions set input = 'x'")).rejects.toMatchObject({
    code: "42501",
  });
});
