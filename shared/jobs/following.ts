/** What those who follow jobs are told beside the job itself. */
import { z } from "zod";
import { Job } from "./contract.ts";

/** As many jobs ahead are counted; of more it is only said that there are more. */
export const placeMax = 1000;

export const JobOutlook = z.object({
  place: z
    .int()
    .min(0)
    .max(placeMax)
    .nullable()
    .describe(
      "How many due jobs of its lane are taken before it, by the workers that run its kind; 0: it is next. Null when it " +
        "is not queued, or waits for its time.",
    ),
  placeIsAtLeast: z
    .boolean()
    .describe(`True: there are more than ${placeMax} ahead, and \`place\` says that number.`),
  estimatedStartAt: z.iso
    .datetime()
    .nullable()
    .describe(
      "When it is likely to begin: `place` divided by how fast its lane went in the last minutes, or its own time when " +
        "that is later. Null when unknown, and when it has begun or ended.",
    ),
  estimatedEndAt: z.iso
    .datetime()
    .nullable()
    .describe(
      "When it is likely to end: while it runs by its progress, else by the median time that jobs of its kind ran " +
        "lately. Null when unknown, when it takes longer than that, and when it has ended.",
    ),
  reason: z.string().describe("What it waits for, or why it ended, for a person; may change."),
});
export type JobOutlook = z.infer<typeof JobOutlook>;

export const JobDetail = Job.extend(JobOutlook.shape);
export type JobDetail = z.infer<typeof JobDetail>;

export const Revision = z
  .string()
  .describe("Opaque: ask `GET /jobs/changes?after=…` for what changed since.");

export const JobChanges = z.object({
  items: z.array(Job).describe("Jobs that changed, as they stand; each once, in the order of their changes."),
  revision: Revision,
  hasMore: z
    .boolean()
    .describe(
      "True: ask again at once with `revision`: there are more, or others may have changed while the pages were read.",
    ),
});
export type JobChanges = z.infer<typeof JobChanges>;
