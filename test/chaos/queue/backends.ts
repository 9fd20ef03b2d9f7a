/** What is done to connections: they are ended, or there are none to be had. */
import postgres, { type Sql } from "postgres";
import { databaseErrorCode } from "../../../shared/database.ts";
import { loginUrl } from "../../../supabase/local/logins.ts";
import { patiently } from "../server.ts";
import { between, isBefore, pick, type Scenario, sleep } from "./scenario.ts";
import type { Stage } from "./stage.ts";

export const killBackends: Scenario = {
  name: "its backends killed",
  feels: ["troubles", "unclear"],
  async hurt(stage, deadlineMs) {
    for (let round = 1; isBefore(deadlineMs); round++) {
      await sleep(between(stage, 50, 400));
      // One that dies takes all others with it: the server cannot know what it did to their memory.
      if (round % 12 === 0) await killOneBackend(stage);
      else await endBackends(stage, between(stage, 0.1, 0.9));
    }
  },
};

/** Ends a share of the connections of runners and of the enqueuer. */
async function endBackends(stage: Stage, share: number): Promise<void> {
  const { sql } = stage.database;
  const ended = await patiently(
    () => sql`
      select pg_terminate_backend(pid)
      from pg_stat_activity
      where datname = current_database()
        and usename in ('parlance_sidecar', 'parlance_owner')
        and random() < ${share}
    `,
  );
  stage.note("backends ended", ended.count);
}

async function killOneBackend(stage: Stage): Promise<void> {
  const { sql } = stage.database;
  const rows = await patiently(
    () => sql<{ pid: number }[]>`
      select pid
      from pg_stat_activity
      where datname = current_database() and usename in ('parlance_sidecar', 'parlance_owner')
      order by pid
    `,
  );
  if (rows.length === 0) return;
  process.kill(pick(stage, rows).pid, "SIGKILL");
  stage.note("backends killed with SIGKILL");
}

export const exhaustConnections: Scenario = {
  name: "connections exhausted",
  feels: ["refusals", "unclear"],
  async hurt(stage, deadlineMs) {
    // A connection that is back before it is missed hurts nobody.
    const isFelt = () => stage.crew.some((member) => member.hasSaid("trouble", "53300"));
    while (isBefore(deadlineMs) || (isBefore(deadlineMs + 30_000) && !isFelt())) {
      await sleep(between(stage, 200, 800));
      // Longer than a lease, so that what was held is lost, too.
      const untilMs = performance.now() + stage.options.leaseSeconds * 1000 * between(stage, 1.1, 1.5);
      const hoard: Sql[] = [];
      while (performance.now() < untilMs) {
        await fillServer(stage, hoard);
        await endBackends(stage, 1);
      }
      stage.note("times without a free connection");
      await Promise.all(hoard.map((sql) => sql.end({ timeout: 0 })));
    }
  },
};

/** Takes what connections there are, as many at once as it takes to be faster than those that come back. */
async function fillServer({ database }: Stage, hoard: Sql[]): Promise<void> {
  // Not as one of those that are ended.
  const url = loginUrl(database.url, "authenticator");
  for (let isFull = false; !isFull; ) {
    const tries = Array.from({ length: 10 }, async () => {
      const sql = postgres(url, { max: 1, max_lifetime: null, onnotice: () => {} });
      try {
        await sql`select 1`;
        hoard.push(sql);
      } catch (error) {
        await sql.end({ timeout: 0 });
        if (databaseErrorCode(error) === "53300") isFull = true;
      }
    });
    await Promise.all(tries);
  }
}
