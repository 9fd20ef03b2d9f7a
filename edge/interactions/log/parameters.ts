/** What a request filters the log by, read into filters. */
import { z } from "@hono/zod-openapi";
import type { Caller } from "../../../shared/callers.ts";
import { AppError } from "../../../shared/errors.ts";
import { isLabel, labelFault } from "../../../shared/interactions/contract.ts";
import { findMetricNumber } from "../../../shared/interactions/metrics/registry.ts";
import { Time } from "../../../shared/interactions/times.ts";
import { findTerms } from "../../../shared/interactions/words.ts";
import { chooseOwner, Scope } from "../owners.ts";
import type { LogFilters, MetricRange } from "./conditions.ts";
import { toUtc } from "./keys.ts";

/** A parameter that may stand there several times. */
const repeated = <Item extends z.ZodType<string>>(item: Item, countMax: number, description: string) =>
  z
    .preprocess(
      (value: z.input<Item> | z.input<Item>[] | undefined) => (typeof value === "string" ? [value] : value),
      z.array(item).max(countMax).optional(),
    )
    .openapi({ type: "array", items: { type: "string" }, maxItems: countMax, description });

/** The database could not even be asked for what is none. */
const label = (length: number) => z.string().max(length).refine(isLabel, labelFault);

export const filterParameters = {
  scope: Scope,
  from: Time.optional().describe("What happened from this time on."),
  to: Time.optional().describe("What happened before this time."),
  app: label(64).optional(),
  environment: label(64).optional().describe("Empty: that name none. So for `model`."),
  model: label(128).optional(),
  provider: label(64).min(1).optional(),
  tag: repeated(label(64).min(1), 20, "All of these tags."),
  sessionId: label(200).min(1).optional(),
  userLabel: label(200).min(1).optional(),
  importId: z.uuid().optional(),
  q: z
    .string()
    .max(200)
    .optional()
    .describe(
      "Words that stand in the input or the output: all of them, whole and in any case; of scripts without spaces a part of the " +
        "text. The first ten count. `gpt-4o` is one word, `gpt` finds it too.",
    ),
  metric: repeated(
    z.string().max(100),
    5,
    "`output.characters:100..200`, both inclusive; `100..` and `..200` are open. All of these, of interactions that have the metric.",
  ),
  hasAlert: z.enum(["true", "false"]).optional().describe("Whether it made an alert fire."),
  ruleId: z.uuid().optional().describe("It made an alert of this rule fire."),
};

type AskedFilters = z.infer<z.ZodObject<typeof filterParameters>>;

/** Refuses what cannot be meant. */
export function checkFilters({ from, to, q, metric }: AskedFilters, context: z.core.$RefinementCtx): void {
  const refuse = (path: (string | number)[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to)) {
    refuse(["to"], "must be later than from");
  }
  if (q !== undefined && findTerms(q).length === 0) refuse(["q"], "must have a word");
  for (const [index, range] of (metric ?? []).entries()) {
    if (!readRange(range))
      refuse(["metric", index], "must be a known metric and a range, such as output.characters:100..200");
  }
}

const rangePattern = /^([a-z]+\.[a-z0-9-]+):(-?\d{1,15}(?:\.\d{1,9})?)?\.\.(-?\d{1,15}(?:\.\d{1,9})?)?$/;

function readRange(text: string): MetricRange | undefined {
  const [, name = "", low, high] = rangePattern.exec(text) ?? [];
  const number = findMetricNumber(name);
  if (number === undefined || (low === undefined && high === undefined)) return undefined;
  const range = {
    number,
    low: low === undefined ? undefined : Number(low),
    high: high === undefined ? undefined : Number(high),
  };
  return range.low !== undefined && range.high !== undefined && range.low > range.high ? undefined : range;
}

export function readFilters(caller: Caller, asked: AskedFilters): LogFilters {
  const { scope, tag, q, metric, hasAlert, from, to, ...same } = asked;
  return {
    ...same,
    from: from && toUtc(from),
    to: to && toUtc(to),
    ownerId: chooseOwner(caller, scope),
    tags: tag,
    terms: q === undefined ? undefined : findTerms(q),
    ranges: metric?.map((range) => readRange(range) ?? refuseRange()),
    hasAlert: hasAlert === undefined ? undefined : hasAlert === "true",
  };
}

function refuseRange(): never {
  throw new AppError("invalid_request", "A range of a metric is not valid.");
}
