/** What a back-test found, as it is told. */
import { type FindingsState, type Found, msPerWeek, type Period } from "./back-test-findings.ts";
import type { BackTestResult, BackTestRow } from "./back-tests.ts";
import type { GroupLabels } from "./judging.ts";
import { type RuleFields, sensitivityOf } from "./rules.ts";
import { QuantileSketch } from "./statistics/sketch.ts";

export interface Described {
  readonly rule: RuleFields;
  readonly period: Period;
  /** How many apps, environments or models were judged apart. */
  readonly groups: number;
  readonly labelsOf: (groupId: number) => Labels;
}

type Labels = { readonly [Part in keyof GroupLabels]?: string | null };

export function describeFindings(
  found: FindingsState,
  { rule, period, groups, labelsOf }: Described,
): BackTestResult {
  const { judged, withoutHistory, fired, opened, repeated } = found;
  const perWeek = (times: number) =>
    Number(((times * msPerWeek) / (period.toMs - period.fromMs)).toPrecision(6));
  const count = (times: number) => ({ fired: times, firedPerWeek: perWeek(times) });
  const toRow = (row: Found) => describeRow(row, labelsOf(row.groupId));
  const sketch = QuantileSketch.fromParts(found.sketch);
  return shorten({
    judged,
    withoutHistory,
    ...count(fired),
    alerts: { opened, repeated, perWeek: perWeek(opened + repeated) },
    weeks: found.weeks.map((week, index) => ({
      from: new Date(period.fromMs + index * msPerWeek).toISOString(),
      ...week,
    })),
    first: found.first.map(toRow),
    newest: found.newest.map(toRow),
    extreme: found.extreme.map(toRow),
    values: found.max === null ? null : describeValues(sketch, found.max),
    sensitivities:
      listSensitivities(rule, found)?.map(([sensitivity, times]) => ({ sensitivity, ...count(times) })) ??
      null,
    thresholds:
      listThresholds(rule, sketch, fired)?.map(([threshold, times]) => ({ threshold, ...count(times) })) ??
      null,
    groups,
  });
}

/** A row of the database holds 200,000; it writes some more spaces than we do. */
const bytesMax = 150_000;

/** Where names of apps and models are long, fewer rows are told. */
function shorten(result: BackTestResult): BackTestResult {
  const { first, newest, extreme } = result;
  if (new TextEncoder().encode(JSON.stringify(result)).length <= bytesMax) return result;
  const half = (rows: BackTestRow[]) => rows.slice(0, Math.floor(rows.length / 2));
  return shorten({ ...result, first: half(first), newest: half(newest), extreme: half(extreme) });
}

function describeValues(sketch: QuantileSketch, max: number): BackTestResult["values"] {
  // The middle of a bucket may lie above all that is in it.
  const at = (share: number) => Math.min(sketch.quantile(share) ?? max, max);
  return { count: sketch.count, p50: at(0.5), p95: at(0.95), p99: at(0.99), max };
}

type Other = readonly [bound: number, fired: number];

function listSensitivities(
  { condition }: RuleFields,
  { sensitivities, fired }: FindingsState,
): Other[] | undefined {
  if (condition.type !== "outlier") return undefined;
  const own = sensitivityOf(condition);
  // What fired is what says so: a bound and a score may differ in their last bit.
  return sensitivities.map(([sensitivity, times]) => [sensitivity, sensitivity === own ? fired : times]);
}

const shares = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999];

function listThresholds(
  { condition }: RuleFields,
  sketch: QuantileSketch,
  fired: number,
): Other[] | undefined {
  const { type } = condition;
  if (type === "outlier" || type === "missing") return undefined;
  const own = type === "rate" ? condition.moreThan : condition.threshold;
  const others = shares.flatMap((share) => {
    const found = sketch.quantile(type === "below" ? 1 - share : share);
    if (found === undefined) return [];
    return type === "rate" ? Math.round(found) : Number(found.toPrecision(3));
  });
  const count = (threshold: number) =>
    type === "below" ? sketch.countBelow(threshold) : sketch.countAbove(threshold);
  return [...new Set([...others, own])]
    .sort((one, other) => one - other)
    .map((threshold) => [threshold, threshold === own ? fired : count(threshold)]);
}

function describeRow({ id, at, value, score, bound }: Found, labels: Labels): BackTestRow {
  return {
    interactionId: id,
    occurredAt: microsToIso(at),
    app: labels.app ?? null,
    environment: labels.environment || null,
    model: labels.model || null,
    value,
    score,
    bound,
  };
}

/** With all six digits, as the database writes times. */
export function microsToIso(micros: number): string {
  const ms = Math.floor(micros / 1000);
  const rest = String(micros - ms * 1000).padStart(3, "0");
  return new Date(ms).toISOString().replace("Z", `${rest}Z`);
}
