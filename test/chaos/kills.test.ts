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
    const reached = reports.filter((report) => report.isReached).length;
    const sum = (pick: (report: RoundReport) => number) =>
      reports.reduce((total, report) => total + pick(report), 0);
    console.log(
      `${reports.length} kills, ${reached} at their moment; ${sum((report) => report.accepted)} pictures accepted, ` +
        `${sum((report) => report.unclear)} uploads without a clear answer; a crash of Postgres was: ${house?.server.crashIs}`,
    );
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
});
