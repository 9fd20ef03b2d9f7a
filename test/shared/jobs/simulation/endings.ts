/** How workers end what they hold, or believe to hold: in the transactions of the executor, which may be lost or refused. */
import type { TransactionSql } from "postgres";
import type { JobState } from "../../../../shared/jobs/contract.ts";
import { createEndings } from "../../../../shared/jobs/endings.ts";
import { cancelledError, completeJobs, failJob, releaseJobs } from "../../../../shared/jobs/queue.ts";
import { getKind, LandingRefused } from "./kinds.ts";
import type { Choices } from "./random.ts";
import type { Held, Worker } from "./workers.ts";
import { ConnectionLost } from "./world.ts";

/** As the executor does: together, and what is refused fails alone. */
export async function complete(worker: Worker, jobs: readonly Held[], random: Choices): Promise<void> {
  const expected = jobs.map((job) => (worker.world.isHeld(job) ? "done" : "lost"));
  const refused = new Set(jobs.filter(() => random.chance(0.08)));
  const endings = createEndings(worker.options.sql);
  const answers = await Promise.all(
    jobs.map(async (job) => {
      try {
        return await endings.complete(getKind(job.kind), job, {
          claim: job.claim,
          isRefused: refused.has(job),
        });
      } catch (error) {
        if (error instanceof LandingRefused) return "refused";
        throw error;
      }
    }),
  );
  worker.note(
    `completes ${jobs.map((job, index) => `${worker.world.nameClaim(job)} (${answers[index]})`).join(" ")}`,
  );
  worker.world.expectAnswer(
    "complete_jobs",
    answers,
    jobs.map((job, index) => (expected[index] === "done" && refused.has(job) ? "refused" : expected[index])),
  );
  const isHeard = random.chance(0.85);
  for (const [index, job] of jobs.entries()) {
    if (answers[index] === "refused" && isHeard) await fail(worker, job, random, "refused");
    else if (isHeard) worker.forgetLost(job, answers[index] === "lost", random);
  }
}

/** All that it holds, as a worker does that nothing happens to. */
export async function completeAll(worker: Worker): Promise<void> {
  const endings = createEndings(worker.options.sql);
  const ended = await Promise.all(
    worker.held.map((job) =>
      endings.complete(getKind(job.kind), job, { claim: job.claim, isRefused: false }),
    ),
  );
  worker.note(`completes ${ended.length}`);
  worker.world.expectAnswer(
    "complete_jobs",
    ended,
    worker.held.map(() => "done"),
  );
  worker.held = [];
}

/** Everything but the commit. */
export async function completeInVain(worker: Worker, job: Held): Promise<void> {
  await worker.transaction(async (transaction) => {
    const held = await completeJobs(transaction, [{ ...job, result: { claim: job.claim } }]);
    if (held.has(job.claim))
      await getKind(job.kind).land?.(transaction, job, { claim: job.claim, isRefused: false });
    throw new ConnectionLost();
  });
  worker.note(`completes ${worker.world.nameClaim(job)}, connection lost before the commit`);
}

export async function fail(
  worker: Worker,
  job: Held,
  random: Choices,
  why: "refused" | "retryable" | "for good" = random.pick(["retryable", "for good"]),
): Promise<void> {
  const isHeld = worker.world.isHeld(job);
  const error = { code: "unexpected", message: why };
  const end = random.weighted([
    ["heard", 8],
    ["answer lost", 1],
    ["connection lost", 1],
  ] as const);
  let state: JobState | undefined;
  await worker.transaction(async (transaction) => {
    state = await failJob(transaction, job, {
      ...error,
      code: "unexpected",
      retryable: why === "retryable",
    });
    await landEnd(transaction, job, state);
    if (end === "connection lost") throw new ConnectionLost();
  });
  worker.note(`fails ${worker.world.nameClaim(job)} ${why}: ${state}, ${end}`);
  worker.world.expectAnswer("fail_job", state !== undefined, isHeld);
  if (end === "heard") worker.forgetLost(job, false, random);
}

export async function release(worker: Worker, jobs: readonly Held[], random: Choices): Promise<void> {
  const expected = jobs.filter((job) => worker.world.isHeld(job)).map(({ id }) => id);
  let states: ReadonlyMap<string, JobState> = new Map();
  await worker.transaction(async (transaction) => {
    states = await releaseJobs(transaction, jobs);
    for (const [id, state] of states) {
      const job = jobs.find((one) => one.id === id);
      if (job) await landEnd(transaction, job, state);
    }
  });
  worker.note(
    `releases ${jobs.map((job) => `${worker.world.nameClaim(job)} (${states.get(job.id) ?? "lost"})`).join(" ")}`,
  );
  worker.world.expectAnswer("release_jobs", [...states.keys()].sort(), expected.sort());
  for (const job of jobs) worker.forgetLost(job, false, random);
}

async function landEnd(transaction: TransactionSql, job: Held, state: JobState | undefined): Promise<void> {
  const error = state === "cancelled" ? cancelledError : { code: "unexpected" as const, message: "" };
  if (state === "failed" || state === "cancelled")
    await getKind(job.kind).landFailure(transaction, job, error);
}
