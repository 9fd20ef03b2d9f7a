/** What a runner does for each kind. */
import { AppError } from "../../../shared/errors.ts";
import { defineTask, type Task, type TaskContext } from "../../../shared/jobs/kinds.ts";
import {
  answerNow,
  beCancelled,
  beLate,
  type ChaosKind,
  doNothing,
  failAlways,
  failTwice,
  keepOrder,
  keepPlace,
  leaveNothing,
  type Payload,
  stepsMax,
  workBriefly,
} from "./kinds.ts";

type Run = (payload: Payload, context: TaskContext) => Promise<Payload>;

const echo: Run = async (payload) => payload;

const work: Run = async (payload, { signal, reportProgress }) => {
  reportProgress(0, 2);
  await sleep(payload.workMs, signal);
  reportProgress(1, 2);
  return payload;
};

const stumble: Run = async (payload, { attempt }) => {
  if (attempt <= 2) throw new AppError("upstream_failed", "It fails twice.", { retryable: true });
  return payload;
};

const fail: Run = async () => {
  throw new AppError("image_undecodable", "It fails for good.");
};

/** A run that lost its claim may not write any more; what it wrote before, the next one finds. */
const walk: Run = async (payload, { job, cursor, checkpoint, signal }) => {
  const walked = (cursor as { steps: number } | undefined)?.steps ?? 0;
  for (let step = walked + 1; step <= stepsMax; step++) {
    await sleep(payload.workMs / stepsMax, signal);
    if (signal.aborted) break;
    await checkpoint({ steps: step }, async (transaction) => {
      await transaction`insert into chaos.steps (job_id, step) values (${job.id}, ${step})`;
    });
  }
  return payload;
};

const runs: readonly [ChaosKind, Run][] = [
  [doNothing, echo],
  [answerNow, echo],
  [workBriefly, work],
  [failTwice, stumble],
  [failAlways, fail],
  [beCancelled, work],
  [leaveNothing, echo],
  [keepPlace, walk],
  [beLate, echo],
  [keepOrder, echo],
];

export const chaosTasks: readonly Task[] = runs.map(([kind, run]) => defineTask(kind, run));

/** Ends early when the task is told to stop. */
function sleep(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
