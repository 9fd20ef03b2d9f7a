/** The log as it is read: lists, one with its neighbours, and how an owner wants it kept. */
import { z } from "zod";
import { isLabel, JudgedInteraction, labelFault } from "./contract.ts";
import { personalDataKinds } from "./personal-data.ts";
import { AlertSeverity } from "./rules.ts";
import { Time } from "./times.ts";

export const ListOrder = z.enum(["-occurredAt", "occurredAt"]);
export type ListOrder = z.infer<typeof ListOrder>;

/** How much of the texts an answer carries. */
export const TextsShown = z.enum(["full", "preview", "none"]);
export type TextsShown = z.infer<typeof TextsShown>;

/** One of a list: its texts may be shown in part. */
export const ListedInteraction = JudgedInteraction.extend({
  inputIsCut: z.boolean().describe("There is more of `input` than is shown."),
  outputIsCut: z.boolean().describe("There is more of `output` than is shown."),
});
export type ListedInteraction = z.infer<typeof ListedInteraction>;

export const InteractionPage = z.object({
  items: z.array(ListedInteraction),
  nextCursor: z
    .string()
    .nullable()
    .describe(
      "Where to go on; null at the end. A page looks at a bounded number of interactions, so it may have fewer items than " +
        "`limit`, even none, and still go on.",
    ),
});
export type InteractionPage = z.infer<typeof InteractionPage>;

/** As much as is needed to walk through a session. */
export const SessionNeighbour = z.object({
  id: z.uuid(),
  occurredAt: z.iso.datetime(),
  model: z.string().nullable(),
  input: z.string().describe("Its first 200 characters; so for `output`."),
  output: z.string(),
  inputIsCut: z.boolean(),
  outputIsCut: z.boolean(),
});
export type SessionNeighbour = z.infer<typeof SessionNeighbour>;

export const InteractionDetail = JudgedInteraction.extend({
  session: z
    .object({
      before: z.array(SessionNeighbour).describe("At most five, the nearest last."),
      after: z.array(SessionNeighbour).describe("At most five, the nearest first."),
    })
    .nullable()
    .describe("What came before and after it in its session; null where it has none."),
});
export type InteractionDetail = z.infer<typeof InteractionDetail>;

const label = (length: number) => z.string().min(1).max(length).refine(isLabel, labelFault);

export const NewDeletion = z
  .object({
    app: label(64).optional(),
    sessionId: label(200).optional(),
    userLabel: label(200).optional().describe("All that this person said."),
    importId: z.uuid().optional().describe("All that this import brought."),
    from: Time.optional().describe("From this time on."),
    to: Time.optional().describe("Until before this time."),
  })
  .strict()
  .refine((wish) => Object.values(wish).some((value) => value !== undefined), "must name what is deleted")
  .refine(
    ({ from, to }) => from === undefined || to === undefined || Date.parse(from) < Date.parse(to),
    "`to` must be later than `from`",
  );
export type NewDeletion = z.infer<typeof NewDeletion>;

const days = z.int().min(1).max(36_500);
const daysByApp = z
  .record(z.string().min(1).max(64).refine(isLabel, labelFault), days.nullable())
  .refine((byApp) => Object.keys(byApp).length <= 100, "must have 100 apps at most");

export const InteractionSettings = z.object({
  redact: z
    .array(z.enum(personalDataKinds as [string, ...string[]]))
    .describe(
      "What is left out of texts before they are stored, `[email]` in its place. Metrics are of the whole texts.",
    ),
  retentionDays: days
    .nullable()
    .describe("Interactions that happened longer ago are removed, within the hour. Null: kept for ever."),
  retentionDaysByApp: z
    .record(z.string(), days.nullable())
    .describe("By app, in place of the above; null: kept for ever."),
  alertEmail: z.email().max(254).nullable().describe("Where alerts are sent to; null: nowhere."),
  alertEmailSeverityMin: AlertSeverity.describe("Lesser ones are not sent."),
});
export type InteractionSettings = z.infer<typeof InteractionSettings>;

export const InteractionSettingsChange = z
  .object({
    redact: z
      .array(z.enum(["email", "phone", "card", "key"]))
      .max(4)
      .transform((kinds) => [...new Set(kinds)]),
    retentionDays: InteractionSettings.shape.retentionDays,
    retentionDaysByApp: daysByApp.describe("Replaces the whole of it."),
    alertEmail: InteractionSettings.shape.alertEmail.describe(
      "Your own confirmed address, or null; admins may name any.",
    ),
    alertEmailSeverityMin: AlertSeverity,
  })
  .partial()
  .strict();
export type InteractionSettingsChange = z.infer<typeof InteractionSettingsChange>;
