/** Processes whose clocks disagree: by the database's alone jobs are ordered, leased and late. */
import { existsSync } from "node:fs";
import { createId } from "../../../shared/ids.ts";
import { blockSize } from "./check.ts";
import { keepOrder } from "./kinds.ts";
import { between, isBefore, pick, type Scenario, sleep } from "./scenario.ts";

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

export const skewClocks: Scenario = {
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
