/** The kinds of jobs that the chaos adds. Their landings go into a table without a key, so that doubles are seen. */
import type { TransactionSql } from "postgres";
import { z } from "zod";
import type { EndingJob, JobKind } from "../../../shared/jobs/kinds.ts";

const Payload = z.object({
  /** The number of the order that asked for it. */
  order: z.int(),
  /** How long its work takes. */
  workMs: z.int(),
});
export type Payload = z.infer<typeof Payload>;
export type ChaosKind = JobKind<Payload, Payload>;

/** Enough that work which is killed again and again rarely ends by it. */
const attemptsMax = 8;

function defineKind(name: string, options: Partial<ChaosKind> = {}): ChaosKind {
  return {
    name: `chaos.${name}`,
    runner: "sidecar",
    lane: "bulk",
    payload: Payload,
    attemptsMax,
    timeoutMs: 30_000,
    summarize: (outcome) => outcome,
    land: (transaction, job) => writeLanding(transaction, job, "done", null),
    landFailure: (transaction, job, error) => writeLanding(transaction, job, "failure", error.code),
    ...options,
  };
}

async function writeLanding(
  transaction: TransactionSql,
  job: EndingJob,
  what: "done" | "failure",
  code: string | null,
): Promise<void> {
  await transaction`insert into chaos.landings (job_id, what, code) values (${job.id}, ${what}, ${code})`;
}

export const doNothing = defineKind("do-nothing");
export const answerNow = defineKind("answer-now", { lane: "interactive" });
/** A clock that is an hour off must not end it. */
export const workBriefly = defineKind("work-briefly", { deadlineMs: 30 * 60_000 });
/** Its success writes nothing but that. */
export const leaveNothing = omitLanding(defineKind("leave-nothing"));
/** Its first two tries fail. */
export const failTwice = defineKind("fail-twice");
export const failAlways = defineKind("fail-always");
/** Whoever added it cancels it at some moment. */
export const beCancelled = defineKind("be-cancelled");
/** Goes on where it was: each of its steps is written once, whoever takes it. */
export const keepPlace = defineKind("keep-place");
export const stepsMax = 5;
/** Added so that it may only begin when its time is over. */
export const beLate = defineKind("be-late", { deadlineMs: 400 });
export const lateSeconds = 1;
/** Added in the order in which it must be begun. */
export const keepOrder = defineKind("keep-order");

function omitLanding({ land: _, ...kind }: ChaosKind): ChaosKind {
  return kind;
}

const all: readonly ChaosKind[] = [
  doNothing,
  answerNow,
  workBriefly,
  leaveNothing,
  failTwice,
  failAlways,
  beCancelled,
  keepPlace,
  beLate,
  keepOrder,
];
export const chaosKinds: ReadonlyMap<string, ChaosKind> = new Map(all.map((kind) => [kind.name, kind]));

export function getKind(name: string): ChaosKind {
  const kind = chaosKinds.get(name);
  if (!kind) throw new Error(`there is no kind ${name}`);
  return kind;
}
