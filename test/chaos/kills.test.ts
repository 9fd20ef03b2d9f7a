/**
 * Kills on a real Postgres, each from a seed, each followed by a look at every row, object, file and vector.
 * `CHAOS=1` and `TEST_DATABASE_URL` run it; `CHAOS_SEED=n CHAOS_KILLS=1` repeats one kill. `POSTGRES17` names the
 * script that starts and crashes a server of its own; without it a crash of Postgres is the end of all connections.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { House } from "./house.ts";
import { planRound } from "./plan.ts";
import { drawPool, type PoolPicture } from "./pool.ts";
import { type RoundReport, runRound } from "./round.ts";
import { Sender } from "./sender.ts";

const databaseUrl = process.env.TEST_DATABASE_URL ?? "";
const firstSeed = Number(process.env.CHAOS_SEED ?? 1);
const kills = Number(process.env.CHAOS_KILLS ?? 50);
const plans = Array.from({ length: kills }, (_, index) => planRound(firstSeed + index));

describe.runIf(process.env.CHAOS && databaseUrl)("kills", () => {
  let pool: PoolPicture[];
  let house: House | undefined;
  let sender: Sender;
  const reports: RoundReport[] = [];

  beforeAll(async () => {
    pool = await drawPool();
  });

  /** After a failure the next round begins in a new house. */
  afterEach(async ({ task }) => {
    if (task.result?.state !== "fail") return;
    if (house) console.error(await house.readLogs(40));
    await house?.close();
    house = undefined;
  });

  afterAll(async () => {
    console.log(`${describeReports(reports)}; a crash of Postgres was: ${house?.server.crashIs}`);
    await house?.close();
  });

  async function openHouse(): Promise<House> {
    house = await House.open({ postgresScript: process.env.POSTGRES17, databaseUrl });
    sender = new Sender(house, pool);
    await sender.signUp();
    return house;
  }

  test.each(plans)(
    "$scenario, $moment: nothing is lost, doubled or left (seed $seed)",
    async (plan) => {
      const report = await runRound(house ?? (await openHouse()), sender, plan);
      reports.push(report);
      expect(report.problems, `CHAOS_SEED=${plan.seed} CHAOS_KILLS=1`).toEqual([]);
    },
    120_000,
  );

  test.runIf(process.env.POSTGRES17)("nearly every kill came at its moment", () => {
    const reached = reports.filter((report) => report.isReached).length;
    expect(reached).toBeGreaterThanOrEqual(reports.length * 0.8);
  });
});

function describeReports(reports: readonly RoundReport[]): string {
  const sum = (pick: (report: RoundReport) => number) =>
    reports.reduce((total, report) => total + pick(report), 0);
  return [
    `${reports.length} kills`,
    `${sum((report) => (report.isReached ? 1 : 0))} at their moment`,
    `${sum((report) => report.unclear)} uploads without a clear answer at first`,
    `${sum((report) => report.ready)} pictures ready`,
    `${sum((report) => report.failed)} whole ones failed with a reason`,
  ].join(", ");
}
