import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { houseSchedules } from "../../edge/tasks.ts";
import { serviceCaller, transactAs } from "../../shared/callers.ts";
import { openTestApp, type TestApp } from "../helpers/app.ts";
import { openTestDatabase } from "../helpers/database.ts";
import { installTickExtensions, type TickExtension } from "../helpers/tick-extensions.ts";

let house: TestApp;
let superuser: Sql;
const owner = "parlance_owner";
const url = "https://project.supabase.co/functions/v1/api";

beforeAll(async () => {
  house = await openTestApp();
  superuser = house.database.connect({ role: house.database.superuser, max: 1 });
  await installTickExtensions(superuser, owner);
});
afterAll(async () => {
  await superuser.end();
  await house.close();
});
beforeEach(async () => {
  await superuser`delete from cron.job`;
  await superuser`delete from vault.secrets`;
  await superuser`delete from net.calls`;
});

/** As the operator: with the service role. */
async function startTicks(
  every?: string,
  key: string | null = house.keys.secretKey,
  to = url,
): Promise<string> {
  const [row] = await transactAs(house.sql, serviceCaller, (sql) =>
    every === undefined
      ? sql<{ said: string }[]>`select parlance.start_ticks(${to}, ${key}) as said`
      : sql<{ said: string }[]>`select parlance.start_ticks(${to}, ${key}, ${every}) as said`,
  );
  return row?.said ?? "";
}

async function stopTicks(): Promise<boolean> {
  const [row] = await transactAs(house.sql, serviceCaller, (sql) => {
    return sql<{ stopped: boolean }[]>`select parlance.stop_ticks() as stopped`;
  });
  return row?.stopped ?? false;
}

async function findTicks() {
  const [job] =
    await superuser`select schedule, command, username from cron.job where jobname = 'parlance-ticks'`;
  return job;
}

/** What pg_cron would do at the next second: run the command as the user who made the job. */
async function runCommand(): Promise<void> {
  await house.sql.unsafe((await findTicks())?.command);
}

test("ticks go to the API every ten seconds, with the key that the vault has when they are sent", async () => {
  expect(await startTicks()).toContain(`${url}/jobs/ticks`);
  expect(await findTicks()).toMatchObject({ schedule: "10 seconds", username: owner });
  await runCommand();
  await superuser`update vault.secrets set secret = 'sb_secret_rotated'`;
  await runCommand();
  const calls = await superuser`select url, headers, body, timeout_milliseconds from net.calls order by id`;
  const call = { url: `${url}/jobs/ticks?budgetMs=8000`, body: {}, timeoutMilliseconds: 9000 };
  const headers = { "Content-Type": "application/json" };
  expect(calls).toEqual([
    { ...call, headers: { ...headers, apikey: house.keys.secretKey } },
    { ...call, headers: { ...headers, apikey: "sb_secret_rotated" } },
  ]);
});

test("no secret stands in the jobs of pg_cron", async () => {
  await startTicks();
  const jobs = await superuser`select * from cron.job`;
  expect(jobs).toHaveLength(2);
  expect(JSON.stringify(jobs)).not.toContain("sb_secret");
});

test("what is sent is what the API takes", async () => {
  await startTicks();
  await runCommand();
  const [call] = await superuser`select url, headers, body from net.calls`;
  const path = call?.url.slice(url.length);
  const answer = await house.call("nobody", "POST", path, {
    headers: call?.headers,
    body: JSON.stringify(call?.body),
  });
  expect([answer.status, answer.body.added], answer.text).toEqual([200, houseSchedules.length]);
});

test.each([
  ["5 seconds", 3000, 4000],
  ["59 seconds", 49_000, 50_000],
  ["* * * * *", 49_000, 50_000],
  ["*/5 6-22 * * *", 49_000, 50_000],
])("every %s: a tick is over before the next", async (every, budgetMs, timeoutMs) => {
  await startTicks(every);
  expect((await findTicks())?.schedule).toBe(every);
  await runCommand();
  const [call] = await superuser`select url, timeout_milliseconds from net.calls`;
  expect(call).toEqual({ url: `${url}/jobs/ticks?budgetMs=${budgetMs}`, timeoutMilliseconds: timeoutMs });
});

test("starting again changes how, and makes nothing twice", async () => {
  await startTicks();
  await startTicks("30 seconds", "sb_secret_other", `${url}/`);
  await startTicks("20 seconds", null);
  expect(await superuser`select jobname from cron.job order by jobname`).toEqual([
    { jobname: "parlance-tick-history" },
    { jobname: "parlance-ticks" },
  ]);
  await runCommand();
  expect(await superuser`select url, headers ->> 'apikey' as key from net.calls`).toEqual([
    { url: `${url}/jobs/ticks?budgetMs=18000`, key: "sb_secret_other" },
  ]);
});

test("stopping ends the ticks and forgets the key; again, it says that there were none", async () => {
  await startTicks();
  await superuser`select cron.schedule('someone-elses', '* * * * *', 'select 1')`;
  expect(await stopTicks()).toBe(true);
  expect(await superuser`select jobname from cron.job`).toEqual([{ jobname: "someone-elses" }]);
  expect(await superuser`select name from vault.secrets`).toEqual([]);
  expect(await stopTicks()).toBe(false);
});

test("the history of our calls is kept for a day, others' for as long as they like", async () => {
  await startTicks();
  const [ours] = await superuser`select jobid from cron.job where jobname = 'parlance-ticks'`;
  await superuser`
    insert into cron.job_run_details (jobid, end_time)
    values (${ours?.jobid}, now() - interval '25 hours'), (${ours?.jobid}, now()), (0, now() - interval '25 hours')
  `;
  const [sweep] = await superuser`select command from cron.job where jobname = 'parlance-tick-history'`;
  await house.sql.unsafe(sweep?.command);
  expect(await superuser`select jobid from cron.job_run_details order by jobid`).toEqual([
    { jobid: 0 },
    { jobid: ours?.jobid },
  ]);
  await superuser`delete from cron.job_run_details`;
});

test.each([
  ["seconds that pg_cron does not know", "60 seconds", undefined, url, "no period"],
  ["ticks without an end", "1 seconds", undefined, url, "no period"],
  ["a statement for a period", "'; drop table parlance.jobs; --", undefined, url, "no period"],
  ["what is no secret key", undefined, "sb_publishable_x", url, "sb_secret_"],
  ["no key where the vault has none", undefined, null, url, "vault has no key"],
  ["a path alone", undefined, undefined, "/functions/v1/api", "not where an API answers"],
  ["another protocol", undefined, undefined, "file:///etc/passwd", "not where an API answers"],
  ["a URL with a query", undefined, undefined, `${url}?a=b`, "not where an API answers"],
])("%s: refused in words, and nothing is made", async (_what, every, key, to, words) => {
  await expect(startTicks(every, key, to)).rejects.toThrow(words);
  expect(await superuser`select from cron.job`).toHaveLength(0);
  expect(await superuser`select from vault.secrets`).toHaveLength(0);
});

test("a URL with quotes stays one text", async () => {
  const strange = "https://project.supabase.co/it's/$command$";
  await startTicks(undefined, undefined, strange);
  await runCommand();
  expect(await superuser`select url from net.calls`).toEqual([
    { url: `${strange}/jobs/ticks?budgetMs=8000` },
  ]);
});

describe("where an extension is missing", () => {
  test.each<[string, TickExtension[]]>([
    ["pg_cron", ["net", "vault"]],
    ["pg_net", ["cron", "vault"]],
    ["supabase_vault", ["cron", "net"]],
  ])("%s is named, with what to do", async (extension, present) => {
    const database = await openTestDatabase();
    const admin = database.connect({ role: database.superuser, max: 1 });
    const sql = database.connect({ max: 1 });
    try {
      await installTickExtensions(admin, owner, present);
      const start = sql`select parlance.start_ticks(${url}, 'sb_secret_x')`;
      await expect(start).rejects.toThrow(
        new RegExp(
          `^The extension ${extension} is not installed in this database: run "create extension ${extension}`,
        ),
      );
      expect(await sql`select parlance.stop_ticks() as stopped`).toEqual([{ stopped: false }]);
    } finally {
      await Promise.all([sql.end(), admin.end()]);
      await database.close();
    }
  });
});

const serverUrl = process.env.TEST_DATABASE_URL;
/** pg_cron runs in one database of a server, and from there in any. */
test.runIf(serverUrl)(
  "pg_cron itself takes the period and runs the command",
  { timeout: 60_000 },
  async (context) => {
    const server = postgres(serverUrl as string, { max: 1, onnotice: () => {} });
    const job = `parlance-test-${crypto.randomUUID()}`;
    try {
      const [cron] = await server`
      select from pg_available_extensions
      where name = 'pg_cron' and current_setting('cron.database_name', true) = current_database()
    `;
      if (!cron) return context.skip();
      await server`create extension if not exists pg_cron`;
      await startTicks("5 seconds");
      const [[database], ticks] = await Promise.all([
        house.sql`select current_database() as name`,
        findTicks(),
      ]);
      await server`
      select cron.schedule_in_database(${job}, ${ticks?.schedule}, ${ticks?.command}, ${database?.name}, ${owner})
    `;
      // Where the server's folder knows no "localhost".
      await server`update cron.job set nodename = ${new URL(serverUrl as string).hostname} where jobname = ${job}`;
      const calls = () => superuser`select url, headers from net.calls`;
      await vi.waitUntil(async () => (await calls()).length >= 2, { timeout: 50_000, interval: 500 });
      expect((await calls())[1]).toEqual({
        url: `${url}/jobs/ticks?budgetMs=3000`,
        headers: { "Content-Type": "application/json", apikey: house.keys.secretKey },
      });
    } finally {
      await server`select cron.unschedule(jobid) from cron.job where jobname = ${job}`.catch(() => {});
      await server.end();
    }
  },
);
