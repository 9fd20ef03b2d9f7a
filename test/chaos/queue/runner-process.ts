/**
 * A process that does nothing but run jobs, as a sidecar does: one connection and one that listens, as the role of the
 * sidecar. It says on stderr, a JSON object a line, when it is ready, what troubles it, and which claims it lost.
 */
import "./clock.ts";
import postgres from "postgres";
import { databaseErrorCode, workerDatabaseOptions } from "../../../shared/database.ts";
import { createId } from "../../../shared/ids.ts";
import { startRunner } from "../../../shared/jobs/runner.ts";
import { chaosKinds } from "./kinds.ts";
import { chaosTasks } from "./tasks.ts";

const {
  DATABASE_URL = "",
  MODEL = "",
  LEASE_SECONDS = "3",
  PREFETCH = "0",
  SILENCE_SECONDS = "",
} = process.env;

function say(event: string, details: object = {}): void {
  process.stderr.write(`${JSON.stringify({ event, ...details })}\n`);
}

const die = (event: string) => (error: unknown) => {
  say(event, { error: String(error), stack: error instanceof Error ? error.stack : undefined });
  process.exit(1);
};
process.on("unhandledRejection", die("unhandled rejection"));
process.on("uncaughtException", die("uncaught exception"));

// As in a sidecar, but that a run in a hurry does not wait so long for a network that is gone.
const silence = SILENCE_SECONDS === "" ? {} : { silence_timeout: Number(SILENCE_SECONDS) };
const sql = postgres(DATABASE_URL, { ...workerDatabaseOptions, ...silence, max: 1 });
const runner = startRunner({
  sql,
  workerId: createId(),
  tasks: chaosTasks,
  kinds: chaosKinds,
  models: () => [MODEL],
  slots: { interactive: 4, bulk: 8 },
  prefetch: Number(PREFETCH),
  leaseSeconds: Number(LEASE_SECONDS),
  drainMs: 5_000,
  onEnded: (job, ending) => {
    if (ending === "lost") say("lost", { id: job.id, claim: job.claim });
  },
  onTrouble: (doing, error) =>
    say("trouble", { doing, code: databaseErrorCode(error), error: String(error) }),
});

process.once("SIGTERM", async () => {
  await runner.stop();
  await sql.end({ timeout: 5 });
  say("stopped");
  process.exit(0);
});
// Whoever started it may be killed, too.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(1), 1_000).unref();
say("ready");
