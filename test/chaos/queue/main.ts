/**
 * `bun run chaos [SCENARIO…] [--seed N] [--jobs N] [--postgres17 TOOL]`: ten thousand jobs in each scenario, on a
 * Postgres 17 of its own that is crashed, and a judge that looks at every job of it. A scenario is a number from 1 or a part of its name.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { openQueueServer } from "./database.ts";
import { type Report, runRound } from "./round.ts";
import type { Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
    jobs: { type: "string", default: "10000" },
    seconds: { type: "string", default: "30" },
    postgres17: { type: "string", default: process.env.POSTGRES17 ?? "" },
  },
});

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

function readNumber(name: "seed" | "jobs" | "seconds"): number {
  const value = Number(values[name]);
  return Number.isSafeInteger(value) && value > 0 ? value : fail(`--${name} takes a whole number above 0.`);
}

function findScenarios(): readonly Scenario[] {
  if (positionals.length === 0) return scenarios;
  return positionals.map((word) => {
    const found = scenarios[Number(word) - 1] ?? scenarios.find(({ name }) => name.includes(word));
    return (
      found ??
      fail(
        `There is no scenario ${word}; there are:\n${scenarios.map(({ name }, index) => `  ${index + 1} ${name}`).join("\n")}`,
      )
    );
  });
}

if (!existsSync(values.postgres17)) {
  fail(
    [
      values.postgres17
        ? `There is no ${values.postgres17}.`
        : "This crashes a Postgres 17 of its own, and there is none.",
      "Set POSTGRES17, or give --postgres17, to a tool that takes `start PORT` (prints the superuser's URL), `stop PORT`",
      "and `kill PORT` (a crash), and keeps its data in $POSTGRES17_DIR/data-PORT.",
    ].join("\n"),
  );
}
const [seed, jobs, seconds] = [readNumber("seed"), readNumber("jobs"), readNumber("seconds")];
const chosen = findScenarios();
const queue = await openQueueServer(values.postgres17);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => queue.close().finally(() => process.exit(130)));
}
const reports: Report[] = [];
try {
  for (const scenario of chosen) {
    const report = await runRound(queue, scenario, {
      seed,
      jobs,
      hurtMs: seconds * 1000,
      patienceMs: 300_000,
      leaseSeconds: 3,
    });
    reports.push(report);
    const { problems, ...figures } = report;
    console.log(figures);
    for (const problem of problems) console.log(`  PROBLEM ${problem}`);
    if (problems.length > 0)
      console.log(
        `  again: bun run chaos "${scenario.name}" --seed ${seed} --jobs ${jobs} --seconds ${seconds}`,
      );
  }
} finally {
  await queue.close();
}
console.table(
  reports.map(({ problems, hurts: _, ...figures }) => ({ ...figures, problems: problems.length })),
);
process.exit(reports.every((report) => report.problems.length === 0) ? 0 : 1);
