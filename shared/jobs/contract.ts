import { z } from "zod";
import { ErrorCode } from "../errors.ts";

export const JobState = z.enum(["queued", "running", "done", "failed", "cancelled"]);
export type JobState = z.infer<typeof JobState>;

/** `interactive` is claimed before `bulk`. */
export const JobLane = z.enum(["interactive", "bulk"]);
export type JobLane = z.infer<typeof JobLane>;

export const Progress = z.object({
  done: z.int().min(0).describe("Steps done so far."),
  total: z.int().min(0).nullable().describe("Steps in all; null while that is not known."),
  message: z.string().nullable().describe("What is being done, for a person to read."),
});
export type Progress = z.infer<typeof Progress>;

export const JobError = z.object({
  code: z.union([ErrorCode, z.string()]).describe("One of the documented error codes."),
  message: z.string(),
});
export type JobError = z.infer<typeof JobError>;

export const Job = z.object({
  id: z.uuid(),
  kind: z.string().describe("`feature.verb-noun`, for example `images.ingest-image`."),
  lane: JobLane,
  ownerId: z.uuid().nullable().describe("Null: the job is the house's."),
  subjectId: z.uuid().nullable().describe("What the job is about, for example the image."),
  state: JobState,
  progress: Progress,
  result: z.record(z.string(), z.unknown()).nullable().describe("A summary; only when `done`."),
  partial: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe("What there is of the result so far, of kinds that tell it; null once the job is `done`."),
  error: JobError.nullable().describe("Why it failed, or why its last try did."),
  attempts: z.int().min(0),
  attemptsMax: z.int().min(1),
  leaseLosses: z.int().min(0).describe("How often a worker stopped answering while it ran this."),
  runAfter: z.iso.datetime().describe("Not before this time."),
  deadlineAt: z.iso.datetime().nullable().describe("Ended as `failed` when it is not done by then."),
  cancelRequestedAt: z.iso.datetime().nullable(),
  lastSequence: z.int().describe("The sequence of the newest event; ask for events after it."),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
});
export type Job = z.infer<typeof Job>;

export const jobEventNames = [
  "job.queued",
  "job.started",
  "job.progressed",
  "job.requeued",
  "job.cancelling",
  "job.done",
  "job.failed",
  "job.cancelled",
  "job.retried",
] as const;

/** What is told on the topic `user:<owner>` and kept in order; equal in both places. */
export const JobEvent = z.object({
  jobId: z.uuid(),
  sequence: z.int().min(1).describe("1, 2, 3 … without holes for each job."),
  event: z.enum(jobEventNames),
  kind: z.string(),
  subjectId: z.uuid().nullable(),
  state: JobState,
  progress: Progress,
  partial: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe("The partial result, where it was told anew."),
  error: JobError.nullable(),
  at: z.iso.datetime(),
});
export type JobEvent = z.infer<typeof JobEvent>;

/**
 * Told in place of the events when one statement brought more than 20 of an owner's (more than one of the house's): ask
 * which jobs changed. Its event is `jobs.changed`.
 */
export const JobsChanged = z.object({ event: z.literal("jobs.changed"), count: z.int().min(1) });
export type JobsChanged = z.infer<typeof JobsChanged>;

/** The private Realtime topic on which an owner's jobs are told; the house's is `house`, for admins. */
export function jobTopic(ownerId: string | null): string {
  return ownerId === null ? "house" : `user:${ownerId}`;
}
