/** Until when nobody is told of which alerts; they are opened and counted all the same. */
import { z } from "zod";
import { AlertSeverity } from "./rules.ts";
import { Time } from "./times.ts";

const minutesMax = 366 * 24 * 60;

export const AlertSilence = z.object({
  id: z.uuid(),
  ownerId: z.uuid().nullable(),
  ruleId: z.uuid().nullable().describe("Null: of any rule. So for the next four."),
  app: z.string().nullable().describe("Alerts of rules that judge this app apart."),
  environment: z.string().nullable(),
  model: z.string().nullable(),
  severityMax: AlertSeverity.nullable().describe("This one and lesser ones."),
  reason: z.string(),
  startsAt: z.iso.datetime(),
  endsAt: z.iso.datetime(),
  isRunning: z.boolean(),
  createdAt: z.iso.datetime(),
});
export type AlertSilence = z.infer<typeof AlertSilence>;

/** From when: default now. Until when: a time, or so many minutes later. */
export const NewSilence = z
  .object({
    ruleId: z.uuid().nullable().default(null),
    app: z.string().trim().min(1).max(64).nullable().default(null),
    environment: z.string().trim().min(1).max(64).nullable().default(null),
    model: z.string().trim().min(1).max(128).nullable().default(null),
    severityMax: AlertSeverity.nullable().default(null),
    reason: z.string().trim().max(500).default(""),
    startsAt: Time.optional().describe("Default: now."),
    endsAt: Time.optional(),
    minutes: z.int().min(1).max(minutesMax).optional().describe("In place of `endsAt`."),
  })
  .strict()
  .refine(({ endsAt, minutes }) => (endsAt === undefined) !== (minutes === undefined), {
    path: ["endsAt"],
    message: "either this or minutes must be given",
  });
export type NewSilence = z.infer<typeof NewSilence>;

/** When it begins and ends, in milliseconds; undefined where it would end before it begins, or already, or too late. */
export function findSilenceTimes(
  { startsAt, endsAt, minutes = 0 }: NewSilence,
  now: Date,
): { startsAt: Date; endsAt: Date } | undefined {
  const starts = startsAt === undefined ? now.getTime() : Date.parse(startsAt);
  const ends = endsAt === undefined ? starts + minutes * 60_000 : Date.parse(endsAt);
  if (ends <= starts || ends <= now.getTime() || ends > starts + minutesMax * 60_000) return undefined;
  return { startsAt: new Date(starts), endsAt: new Date(ends) };
}
