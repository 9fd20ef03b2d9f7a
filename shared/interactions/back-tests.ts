/** What a rule would have done over the rows that are there, before it is enabled. */
import { z } from "zod";
import { NewRule, RuleFields } from "./rules.ts";
import { Time } from "./times.ts";

/** Days that one may look through. */
export const backTestDaysMax = 400;
/** As many of an owner are kept. */
export const backTestsKept = 100;
/** Interactions that are named in each of its lists. */
export const backTestRowsMax = 100;

export const NewBackTest = z
  .object({
    rule: NewRule.extend({ name: NewRule.shape.name.default("back-test") })
      .optional()
      .describe("A rule that need not be there. It is not saved."),
    ruleId: z.uuid().optional().describe("One that is there, as it stands now."),
    from: Time.optional().describe("Default: 28 days before `to`. Rounded down to the full hour."),
    to: Time.optional().describe(
      "Default: the newest interaction that is there. Rounded up to the full hour; at most 400 days after `from`.",
    ),
  })
  .strict()
  .refine(({ rule, ruleId }) => (rule === undefined) !== (ruleId === undefined), {
    message: "must be given, or `ruleId`, and not both",
    path: ["rule"],
  });
export type NewBackTest = z.infer<typeof NewBackTest>;

export const BackTestRow = z.object({
  interactionId: z
    .uuid()
    .nullable()
    .describe("Of a rate the newest that was counted; null for what is missing."),
  occurredAt: z.iso.datetime(),
  app: z
    .string()
    .nullable()
    .describe("Null where the rule does not judge apps apart and no single interaction is told of."),
  environment: z.string().nullable(),
  model: z.string().nullable(),
  value: z
    .number()
    .describe("Of a rate interactions within the window, of what is missing minutes without any."),
  score: z
    .number()
    .nullable()
    .describe("Spreads that it is off, negative for too small; null where no history was asked for."),
  bound: z.number().describe("What it was held against."),
});
export type BackTestRow = z.infer<typeof BackTestRow>;

const perWeek = z.number().describe("On average in seven days of the period.");
const Times = {
  fired: z.int(),
  firedPerWeek: perWeek,
};

export const BackTestResult = z.object({
  judged: z
    .int()
    .describe("Interactions that were judged: those that the rule watches and that have its metric."),
  withoutHistory: z
    .int()
    .describe(
      "Of these, those that no rule about outliers could speak of: there was too little before them.",
    ),
  fired: z
    .int()
    .describe("How often the condition held: interactions, or of `rate` and `missing` minutes. Exact."),
  firedPerWeek: perWeek,
  alerts: z
    .object({
      opened: z.int().describe("Alerts that people would have been told of, also when one came back."),
      repeated: z.int().describe("Told again, because it went on (`renotifyMinutes`)."),
      perWeek: z.number().describe("Both together."),
    })
    .describe(
      "With the manners of the rule, by the times of interactions. Silences and what people acknowledge are not foreseen.",
    ),
  weeks: z
    .array(
      z.object({
        from: z.iso.datetime(),
        judged: z.int(),
        fired: z.int(),
        alerts: z.int().describe("Opened and repeated."),
      }),
    )
    .describe("Seven days each from the beginning of the period; the last one may be shorter."),
  first: z
    .array(BackTestRow)
    .describe("The oldest that fired, 100 at most; of `rate` and `missing` where each stretch began."),
  newest: z.array(BackTestRow),
  extreme: z.array(BackTestRow).describe("Those that were the farthest out, in front the farthest."),
  values: z
    .object({
      count: z.int(),
      p50: z.number(),
      p95: z.number(),
      p99: z.number(),
      max: z.number(),
    })
    .nullable()
    .describe(
      "How the values are spread, percentiles within 1 %; of `rate` how many interactions a window had, minute by minute. " +
        "Null where there are none, and for `missing`.",
    ),
  sensitivities: z
    .array(z.object({ sensitivity: z.number(), ...Times }))
    .nullable()
    .describe("Of `outlier`: what others would have come to, the rule's own among them."),
  thresholds: z
    .array(z.object({ threshold: z.number(), ...Times }))
    .nullable()
    .describe(
      "Of `above`, `below` and `rate`: what others would have come to, taken from how the values are spread. `fired` is " +
        "within what lies 1 % around the threshold.",
    ),
  groups: z
    .int()
    .describe("How many apps, environments or models were judged apart; 1 where all were judged together."),
});
export type BackTestResult = z.infer<typeof BackTestResult>;

export const BackTestState = z.enum(["running", "done", "failed", "cancelled"]);

export const BackTest = z.object({
  id: z.uuid(),
  ownerId: z.uuid().nullable(),
  rule: RuleFields.describe("As it was tried."),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  state: BackTestState.describe("`running` also while its job waits."),
  job: z.object({ id: z.uuid().describe("Follow it, or cancel it, at `/jobs/{id}`.") }),
  result: BackTestResult.nullable().describe("Null until it is done."),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
});
export type BackTest = z.infer<typeof BackTest>;
