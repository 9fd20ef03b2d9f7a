/** What is frozen longer than a lease: a runner, its network, a landing half-way. */
import type { CrewMember } from "./crew.ts";
import { between, isBefore, type Scenario, sleep } from "./scenario.ts";
import type { Stage } from "./stage.ts";

export const freezeNetwork: Scenario = {
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
