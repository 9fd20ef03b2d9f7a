/** What operators do with jobs, and what they are told: adding by hand, dead letters, shares and figures. */
import { z } from "zod";
import { JobError, JobEvent, JobLane } from "./contract.ts";

export const operatingLimits = {
  payloadBytesMax: 65_536,
  delaySecondsMax: 365 * 24 * 3600,
  /** Dead letters retried by one call. */
  redrivenMax: 1000,
} as const;

export const AddedJob = z
  .strictObject({
    kind: z.string().min(1).max(64).describe("A kind that this version knows."),
    payload: z
      .record(z.string(), z.unknown())
      .describe("As its kind takes it; at most 65,536 bytes as JSON."),
    ownerId: z.uuid().nullable().default(null).describe("Whose job it is; null: the house's."),
    subjectId: z.uuid().optional().describe("What the job is about."),
    model: z.string().min(1).max(64).optional().describe("The key of the model that a worker must offer."),
    uniqueKey: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe("While a job of this kind and key is open, there is no second one."),
    onOpen: z
      .enum(["skip", "replace", "debounce"])
      .optional()
      .describe(
        "What happens while one is open. `skip` (default): it is answered, nothing is added. `replace`: it takes the " +
          "payload; beside one that runs, another is added. `debounce`: as `replace`, and its wait begins anew.",
      ),
    delaySeconds: z.number().min(0).max(operatingLimits.delaySecondsMax).default(0),
  })
  .refine(({ onOpen, uniqueKey }) => onOpen === undefined || uniqueKey !== undefined, {
    path: ["onOpen"],
    message: "needs a uniqueKey",
  });
export type AddedJob = z.infer<typeof AddedJob>;

export const DeadLetter = z.object({
  id: z.uuid(),
  kind: z.string(),
  lane: JobLane,
  ownerId: z.uuid().nullable(),
  subjectId: z.uuid().nullable(),
  payload: z.record(z.string(), z.unknown()),
  error: JobError,
  attempts: z.int(),
  attemptsMax: z.int(),
  leaseLosses: z.int(),
  events: z.array(JobEvent).describe("The newest ten, in order; empty when they were pruned."),
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime(),
});
export type DeadLetter = z.infer<typeof DeadLetter>;

export const NewRedrive = z
  .strictObject({
    kind: z.string().min(1).max(64).optional(),
    code: z.string().min(1).max(64).optional().describe("Only those that failed with this code."),
    ids: z.array(z.uuid()).min(1).max(operatingLimits.redrivenMax).optional(),
    limit: z.int().min(1).max(operatingLimits.redrivenMax).default(100),
  })
  .describe("Which failed jobs are retried, the oldest failure first; all that is given must fit.");
export type NewRedrive = z.infer<typeof NewRedrive>;

export const Redrive = z.object({
  retried: z.int().describe("Jobs that are queued again."),
  refused: z.array(z.object({ id: z.uuid(), code: z.string(), message: z.string() })),
  left: z
    .int()
    .describe("Failed jobs that fit as well and were beyond the limit; 1,000 says at least as many."),
});
export type Redrive = z.infer<typeof Redrive>;

/** Of an owner in the queue; applies to what is added, and what is claimed, from then on. */
export const NewJobShare = z.strictObject({
  weight: z
    .number()
    .min(0.01)
    .max(100)
    .default(1)
    .describe("Twice the weight, twice the turns while others wait too."),
  queuedMax: z
    .int()
    .min(1)
    .max(1_000_000)
    .nullable()
    .default(null)
    .describe("Jobs that may wait; null: no limit."),
  runningMax: z.int().min(1).max(10_000).nullable().default(null).describe("Jobs that may run at once."),
});
export type NewJobShare = z.infer<typeof NewJobShare>;

export const JobShare = z.object({
  ownerId: z.uuid(),
  weight: z.number(),
  queuedMax: z.int().nullable(),
  runningMax: z.int().nullable(),
  updatedAt: z.iso.datetime().nullable().describe("Null: nobody set it, these are the defaults."),
});
export type JobShare = z.infer<typeof JobShare>;

const Quantiles = z
  .object({ p50: z.number(), p95: z.number(), p99: z.number() })
  .nullable()
  .describe("In seconds; null where there is none.");

export const JobKindStats = z.object({
  kind: z.string(),
  lane: JobLane,
  queued: z.int().describe("Waiting for a worker."),
  delayed: z.int().describe("Waiting for their time, or for their next try."),
  running: z.int(),
  oldestWaitSeconds: z.number().nullable().describe("How long the one that waits the longest has been due."),
  deadLetters: z.int().describe("Failed jobs that are kept."),
  ended: z.object({ done: z.int(), failed: z.int(), cancelled: z.int() }).describe("Within the window."),
  endedPerMinute: z.number(),
  leaseLosses: z.int().describe("How often a worker was lost, of jobs that run or ended within the window."),
  waitSeconds: Quantiles.describe(
    "From when they were due to their first claim, of those ended within the window.",
  ),
  runSeconds: Quantiles.describe("From their first claim to their end."),
});
export type JobKindStats = z.infer<typeof JobKindStats>;

export const JobStats = z.object({
  items: z.array(JobKindStats).describe("By kind and lane; those that have nothing to tell are left out."),
  windowSeconds: z
    .number()
    .describe("Reaches back an hour, or less where very many jobs ended: the newest ones are looked at."),
});
export type JobStats = z.infer<typeof JobStats>;
