/** The ways in which the queue is hurt. */
import { exhaustConnections, killBackends } from "./backends.ts";
import { skewClocks } from "./clocks.ts";
import type { CrewMember } from "./crew.ts";
import { freezeNetwork } from "./freezing.ts";
import { between, isBefore, pick, type Scenario, sleep } from "./scenario.ts";

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

export const scenarios: readonly Scenario[] = [
  restartServer,
  killBackends,
  exhaustConnections,
  killRunners,
  killRunnersAgain,
  freezeNetwork,
  skewClocks,
];
