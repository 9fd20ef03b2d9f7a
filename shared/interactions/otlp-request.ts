/**
 * What OpenTelemetry's exporters send, as OTLP/HTTP writes it in JSON: looked at piece by piece, so that no body costs more than its
 * bytes do.
 */
import { z } from "zod";
import { AppError } from "../errors.ts";

export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

/** What is deeper is left out: nobody's messages are, and a body made to be deep would exhaust the stack. */
export const depthMax = 12;

/** What proto3 leaves out it may also write as null. */
const list = () =>
  z
    .array(z.unknown())
    .nullish()
    .transform((items) => items ?? []);

const Kinds = z.looseObject({
  stringValue: z.string().nullish(),
  /** Integers of 64 bits are strings in OTLP's JSON. */
  intValue: z.union([z.string(), z.number()]).nullish(),
  doubleValue: z.number().nullish(),
  boolValue: z.boolean().nullish(),
  arrayValue: z.looseObject({ values: list() }).nullish(),
  kvlistValue: z.looseObject({ values: list() }).nullish(),
});
const Pair = z.looseObject({ key: z.string(), value: z.unknown() });

/** An `AnyValue` of OTLP; null for what is none. */
function readValue(given: unknown, depth = 0): Value {
  // A schema's refusal costs far more than the byte that it is of.
  if (typeof given !== "object" || depth > depthMax) return null;
  const kinds = Kinds.safeParse(given);
  if (!kinds.success) return null;
  const { stringValue, intValue, doubleValue, boolValue, arrayValue, kvlistValue } = kinds.data;
  if (arrayValue) return arrayValue.values.map((value) => readValue(value, depth + 1));
  if (kvlistValue) return Object.fromEntries(readPairs(kvlistValue.values, depth + 1));
  return stringValue ?? (intValue == null ? undefined : Number(intValue)) ?? doubleValue ?? boolValue ?? null;
}

function readPairs(given: readonly unknown[], depth = 0): [string, Value][] {
  return given.flatMap((one): [string, Value][] => {
    if (typeof one !== "object") return [];
    const pair = Pair.safeParse(one);
    return pair.success ? [[pair.data.key, readValue(pair.data.value, depth)]] : [];
  });
}

export const Attributes = list().transform((pairs): ReadonlyMap<string, Value> => new Map(readPairs(pairs)));
export type Attributes = z.infer<typeof Attributes>;

/** As a number it has lost its last digits already. */
const UnixNano = z
  .union([z.string().regex(/^\d{1,20}$/), z.number().min(0).refine(Number.isInteger, "must be an integer")])
  .transform((nano) => BigInt(nano));

/** A list is held against its length before anything in it is looked at: each fault in it costs more than the byte that makes it. */
const listOf = <Item extends z.ZodType>(item: Item, countMax: number) =>
  z
    .array(z.unknown())
    .max(countMax)
    .nullish()
    .transform((items) => items ?? [])
    .pipe(z.array(item));

const eventsMax = 1_000;

export const Span = z.object({
  traceId: z.string().regex(/^[0-9a-fA-F]{32}$/),
  spanId: z.string().regex(/^[0-9a-fA-F]{16}$/),
  startTimeUnixNano: UnixNano,
  endTimeUnixNano: UnixNano,
  attributes: Attributes,
  events: listOf(
    z.object({
      name: z
        .string()
        .nullish()
        .transform((name) => name ?? ""),
      attributes: Attributes,
    }),
    eventsMax,
  ),
});
export type Span = z.infer<typeof Span>;

/** Of an export, and scopes of each of them. */
const resourcesMax = 1_000;
/** Of an export. OpenTelemetry's collector sends 8,192 at once where it is not told otherwise. */
export const spansMax = 10_000;

const Resource = z.object({
  resource: z.object({ attributes: Attributes }).nullish(),
  scopeSpans: z.array(z.unknown()).max(resourcesMax).nullish(),
});
const Scope = z.object({ spans: z.array(z.unknown()).nullish() });

/** The body of `POST /v1/traces`: what is in it is looked at piece by piece. */
export const ExportTraceServiceRequest = z.object({
  resourceSpans: z.array(z.unknown()).max(resourcesMax).nullish(),
});
export type ExportTraceServiceRequest = z.infer<typeof ExportTraceServiceRequest>;

interface GivenSpan {
  readonly span: unknown;
  readonly resource: Attributes;
}

const noAttributes: Attributes = new Map();

/** Spans as they were given. The first thing around them that is not understood refuses them all. */
export function listSpans({ resourceSpans }: ExportTraceServiceRequest): GivenSpan[] {
  const found: GivenSpan[] = [];
  for (const [index, given] of (resourceSpans ?? []).entries()) {
    const path = ["body", "resourceSpans", index];
    const { resource, scopeSpans } = readPiece(Resource, given, path);
    for (const [place, scope] of (scopeSpans ?? []).entries()) {
      const { spans } = readPiece(Scope, scope, [...path, "scopeSpans", place]);
      if (found.length + (spans?.length ?? 0) > spansMax) {
        throw new AppError(
          "payload_too_large",
          `An export may have ${spansMax} spans; send smaller batches.`,
        );
      }
      for (const span of spans ?? []) found.push({ span, resource: resource?.attributes ?? noAttributes });
    }
  }
  return found;
}

function readPiece<Schema extends z.ZodType>(
  schema: Schema,
  given: unknown,
  path: readonly PropertyKey[],
): z.infer<Schema> {
  const piece = schema.safeParse(given);
  if (piece.success) return piece.data;
  const fields = piece.error.issues
    .slice(0, 50)
    .map((issue) => ({ field: [...path, ...issue.path].join("."), message: issue.message }));
  throw new AppError("invalid_request", "The request is not valid; see `errors`.", { fields });
}
