/** Schedules as they cross walls: which job is added when. */
import { z } from "zod";

export const scheduleLimits = {
  cronLengthMax: 120,
  /** As of every job. */
  payloadBytesMax: 65_536,
  /** The times that a look at one schedule shows. */
  nextRunsShown: 5,
} as const;

export const ScheduleName = z
  .string()
  .max(64)
  .regex(
    /^[a-z][a-z0-9]*([.-][a-z0-9]+)*$/,
    "must be lower-case words of a-z and 0-9, joined by dots or hyphens, the first begun by a letter",
  );

/** What becomes of runs whose time passed while nobody ticked. */
export const MissedPolicy = z.enum(["skip", "once", "all"]);
export type MissedPolicy = z.infer<typeof MissedPolicy>;

const descriptions = {
  cron: "Minute, hour, day of month, month, day of week; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.",
  timeZone:
    "An IANA name, as `Europe/Berlin`. A fixed time that a clock skips runs when the gap ends; one that it repeats " +
    "runs once.",
  missed:
    "Of runs that nobody was there to add: `skip` drops those more than five minutes late, `once` adds one for all, " +
    "`all` adds each, the newest 100 at most.",
};

/** What a schedule is made of, and replaced by. */
export const NewJobSchedule = z.strictObject({
  kind: z.string().min(1).max(64).describe("A kind of job, as `images.sweep-objects`."),
  payload: z.record(z.string(), z.unknown()).default({}).describe("What each of its jobs is given."),
  ownerId: z.uuid().nullable().default(null).describe("Whose jobs they are; null: the house's."),
  cron: z.string().min(1).max(scheduleLimits.cronLengthMax).describe(descriptions.cron),
  timeZone: z.string().min(1).max(64).default("UTC").describe(descriptions.timeZone),
  missed: MissedPolicy.default("once").describe(descriptions.missed),
  isPaused: z.boolean().default(false).describe("A paused one adds nothing, and misses nothing."),
});
export type NewJobSchedule = z.infer<typeof NewJobSchedule>;

export const JobSchedule = z.object({
  name: z.string(),
  kind: z.string(),
  payload: z.record(z.string(), z.unknown()),
  ownerId: z.uuid().nullable(),
  cron: z.string().describe(descriptions.cron),
  timeZone: z.string(),
  missed: MissedPolicy.describe(descriptions.missed),
  isPaused: z.boolean(),
  nextAt: z.iso.datetime().nullable().describe("When it adds its next job; null while it is paused."),
  lastAt: z.iso.datetime().nullable().describe("The time that its newest job was due."),
  lastJobId: z.uuid().nullable().describe("That job; gone when it was pruned."),
  lastError: z.string().nullable().describe("Why its newest try added nothing; tried again every minute."),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type JobSchedule = z.infer<typeof JobSchedule>;

export const JobScheduleDetail = JobSchedule.extend({
  nextRuns: z
    .array(z.iso.datetime())
    .describe("The next five times by its expression, in UTC; none while it is paused."),
});
export type JobScheduleDetail = z.infer<typeof JobScheduleDetail>;

export const ScheduleRun = z.object({
  job: z.object({ id: z.uuid().describe("Follow it at `/jobs/{id}`.") }),
});
export type ScheduleRun = z.infer<typeof ScheduleRun>;
