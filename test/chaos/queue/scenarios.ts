/** The ways in which the queue is hurt. Each ends with everything healed: what was away is back. */
import { existsSync } from "node:fs";
import postgres, { type Sql } from "postgres";
import { databaseErrorCode } from "../../../shared/database.ts";
import { createId } from "../../../shared/ids.ts";
import { loginUrl } from "../../../supabase/local/logins.ts";
import { patiently } from "../server.ts";
import { blockSize } from "./check.ts";
import type { CrewMember } from "./crew.ts";
import { keepOrder } from "./kinds.ts";
import type { Stage } from "./stage.ts";

export interface Scenario {
  readonly name: string;
  /** What of its report must be above 0, or it did not hurt. */
  readonly feels: readonly ("reclaims" | "lost" | "unclear" | "troubles" | "refusals")[];
  /** Before any runner is there. */
  prepare?(stage: Stage): Promise<void>;
  /** Hurts until `deadlineMs` of `performance.now()`. */
  hurt(stage: Stage, deadlineMs: number): Promise<void>;
  /** Environment of the runners by their index, and of the enqueuer. */
  environmentOf?(index: number | undefined): Record<string, string>;
}

const sleep = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs));
const isBefore = (deadlineMs: number) => performance.now() < deadlineMs;

/** A duration between the two, from the seed. */
function between({ options }: Stage, leastMs: number, mostMs: number): number {
  return leastMs + options.random() * (mostMs - leastMs);
}

function pick<T>({ options }: Stage, items: readonly T[]): T {
  const item = items[Math.floor(options.random() * items.length)];
  if (item === undefined) throw new Error("there is nothing to pick from");
  return item;
}

const restartServer: Scenario = {
  name: "Postgres restarted",
  feels: ["troubles", "unclear"],
  async hurt(stage, deadlineMs) {
    const { server } = stage;
    while (isBefore(deadlineMs)) {
      await sleep(between(stage, 300, 1_500));
      const way = stage.options.random();
      if (way < 0.4) {
        // The worst of a database: what was committed is kept, and who committed it never hears so.
        await server.leaveCommitsUnanswered();
        await sleep(between(stage, 20, 200));
      }
      await (way < 0.7 ? server.crash() : server.stop());
      stage.note(way < 0.4 ? "crashes with commits unanswered" : way < 0.7 ? "crashes" : "stops");
      await sleep(between(stage, 0, 700));
      await server.start();
    }
  },
};

const killBackends: Scenario = {
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

const exhaustConnections: Scenario = {
  name: "connections exhausted",
  feels: ["refusals", "unclear"],
  async hurt(stage, deadlineMs) {
    while (isBefore(deadlineMs)) {
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

const killRunners: Scenario = {
  name: "runners killed at random",
  feels: ["reclaims"],
  async hurt(stage, deadlineMs) {
    while (isBefore(deadlineMs)) {
      await sleep(between(stage, 300, 1_200));
      const member = pick(stage, stage.crew);
      await member.kill();
      stage.note("runners killed");
      await sleep(between(stage, 0, 500));
      member.start();
    }
    await Promise.all(stage.crew.map((member) => member.awaitReady()));
  },
};

const killRunnersAgain: Scenario = {
  name: "runners killed again and again",
  feels: ["reclaims"],
  async hurt(stage, deadlineMs) {
    const haunt = async (member: CrewMember) => {
      while (isBefore(deadlineMs)) {
        await member.awaitReady();
        await sleep(between(stage, 50, 900));
        await member.kill();
        stage.note("runners killed");
        member.start();
      }
      await member.awaitReady();
    };
    await Promise.all(stage.crew.map(haunt));
  },
};

const freezeNetwork: Scenario = {
  name: "network and runners frozen",
  feels: ["reclaims", "lost"],
  async hurt(stage, deadlineMs) {
    const haunt = async (member: CrewMember, first: number) => {
      for (let turn = first; isBefore(deadlineMs); turn++) {
        await sleep(between(stage, 200, 1_200));
        await freezings[turn % freezings.length]?.(stage, member);
      }
    };
    // One is spared, so that there is always somebody to take over.
    await Promise.all(stage.crew.slice(1).map(haunt));
  },
};

/** Longer than a lease. */
const awayMs = (stage: Stage) => stage.options.leaseSeconds * 1000 * between(stage, 1.2, 1.8);

const freezings: readonly ((stage: Stage, member: CrewMember) => Promise<void>)[] = [
  async (stage, member) => {
    member.freeze(true);
    await sleep(awayMs(stage));
    member.freeze(false);
    stage.note("runners frozen");
  },
  async (stage, member) => {
    member.network.freeze();
    await sleep(awayMs(stage));
    member.network.thaw();
    stage.note("networks frozen");
  },
  // The next landing is never committed: its transaction stays open, and the job's row locked.
  async (stage, member) => {
    member.network.loseAfter("chaos.landings");
    stage.note("landings cut off before their commit");
  },
  async (stage, member) => {
    member.network.lose();
    stage.note("networks that forgot their connections");
  },
];

const hourMs = 3_600_000;
const fakeTime = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/** A clock that is wrong by so much: for the whole process where Debian's `faketime` is installed, else for its Dates. */
function shiftClock(offsetMs: number): Record<string, string> {
  if (!existsSync(fakeTime)) return { CLOCK: `${offsetMs},1` };
  const seconds = offsetMs / 1000;
  const offset = `${seconds < 0 ? "" : "+"}${seconds}`;
  return { LD_PRELOAD: fakeTime, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
}

/** Of the runners: an hour ahead, an hour behind, running at half again the speed; the others' are right. */
const clocks = [shiftClock(hourMs), shiftClock(-hourMs), { CLOCK: "0,1.5" }];
/** Of the enqueuer: behind, and falling further behind. */
const slowClock = { CLOCK: `${-hourMs},0.5` };

const skewClocks: Scenario = {
  name: "clocks that disagree",
  feels: ["reclaims"],
  environmentOf: (index) => (index === undefined ? slowClock : (clocks[index] ?? {})),
  /** Blocks of jobs whose ids come from the future and from the past in turn. */
  async prepare({ database: { sql } }) {
    for (let block = 0; block < 6; block++) {
      const nowMs = Date.now() + (block % 2 === 0 ? hourMs : -hourMs);
      const jobs = Array.from({ length: blockSize }, (_, index) => ({
        id: createId(nowMs),
        kind: keepOrder.name,
        lane: keepOrder.lane,
        attempts_max: keepOrder.attemptsMax,
        payload: { order: block * blockSize + index, workMs: 0 },
      }));
      await sql`select parlance.add_jobs(${sql.json(jobs)})`;
    }
  },
  async hurt(stage, deadlineMs) {
    while (isBefore(deadlineMs)) {
      await sleep(between(stage, 1_000, 2_500));
      // What it held is to be taken by the others when its lease is over, by the clock of the database.
      const member = pick(stage, stage.crew);
      await member.kill();
      stage.note("runners killed");
      member.start();
    }
    await Promise.all(stage.crew.map((member) => member.awaitReady()));
  },
};

export const scenarios: readonly Scenario[] = [
  restartServer,
  killBackends,
  exhaustConnections,
  killRunners,
  killRunnersAgain,
  freezeNetwork,
  skewClocks,
];
