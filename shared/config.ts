/**
 * How a process reads its settings: text from the environment, checked as a whole at start. Everything that is wrong
 * is told at once, by name and with what is expected; a value is never told, for it may be a secret.
 */
import { z } from "zod";

export type Environment = Readonly<Record<string, string | undefined>>;

export class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Settings that are wrong or missing:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.name = "SettingsError";
    this.problems = problems;
  }
}

/** What all the readers answer, or one SettingsError with everything that any of them refuses. */
export function readAll<Readers extends Record<string, () => unknown>>(
  readers: Readers,
): { [Name in keyof Readers]: ReturnType<Readers[Name]> } {
  const problems = new Set<string>();
  const read = Object.entries(readers).map(([name, reader]) => {
    try {
      return [name, reader()];
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      for (const problem of error.problems) problems.add(problem);
      return [name, undefined];
    }
  });
  if (problems.size > 0) throw new SettingsError([...problems]);
  return Object.fromEntries(read);
}

/** One setting: `expected` says to a person what it takes; `parse` answers undefined, or throws, for what it does not. */
export function setting<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string({ error: `is missing; expected ${expected}` }).transform((text, context): T => {
    const value = attempt(() => parse(text.trim()));
    if (value !== undefined) return value;
    context.addIssue(`is wrong; expected ${expected}`);
    return z.NEVER;
  });
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

export function integerSetting(range: { min: number; max: number; unit?: string }) {
  return setting(
    `a whole number ${range.unit ? `of ${range.unit} ` : ""}from ${range.min} to ${range.max}`,
    (text) => {
      const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
      return value >= range.min && value <= range.max ? value : undefined;
    },
  );
}

/** An http(s) URL, kept without its last slash so that paths can be put behind it. */
export function urlSetting() {
  return setting("a URL that begins with http:// or https://", (text) => {
    const { protocol, username } = new URL(text);
    const isPlain = /^https?:$/.test(protocol) && username === "" && !/[?#]/.test(text);
    return isPlain ? text.replace(/\/+$/, "") : undefined;
  });
}

/** A key of the project with the name that its operator gave it. */
export interface NamedKey {
  readonly name: string;
  readonly key: string;
}

/** Keys as a hosted project gives them: a JSON object of names and keys. */
function keysSetting(kind: "publishable" | "secret") {
  const single = `SUPABASE_${kind.toUpperCase()}_KEY`;
  const expected = `a JSON object such as {"default":"sb_${kind}_…"}, or ${single} with one such key`;
  const Keys = z.record(z.string().min(1).max(64), z.string().startsWith(`sb_${kind}_`).min(24));
  return setting(expected, (text): readonly NamedKey[] | undefined => {
    const named = Object.entries(Keys.parse(JSON.parse(text)));
    return named.length > 0 ? named.map(([name, key]) => ({ name, key })) : undefined;
  });
}

/** What edge and sidecar both read; spread into the settings of each. */
export const supabaseSettings = {
  SUPABASE_URL: urlSetting(),
  SUPABASE_DB_URL: setting("a URL that begins with postgres:// or postgresql://", (text) =>
    /^postgres(ql)?:$/.test(new URL(text).protocol) ? text : undefined,
  ),
  SUPABASE_PUBLISHABLE_KEYS: keysSetting("publishable"),
  SUPABASE_SECRET_KEYS: keysSetting("secret"),
};

/** What webhooks may call; edge and sidecar both ask. */
export const webhookSettings = {
  WEBHOOK_TARGETS: setting("public or any", (text) =>
    (["public", "any"] as const).find((targets) => targets === text.toLowerCase()),
  ).default("public"),
};

/** Where traces go, as OpenTelemetry names it; spread into the settings of each process. */
export const tracingSettings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: urlSetting().optional(),
  OTEL_EXPORTER_OTLP_HEADERS: setting(
    "pairs such as name=value, with commas between them",
    parseHeaders,
  ).default({}),
  OTEL_TRACES_SAMPLER_ARG: setting("a share from 0 to 1", (text) => {
    const share = text === "" ? Number.NaN : Number(text);
    return share >= 0 && share <= 1 ? share : undefined;
  }).default(1),
};

/** Undefined where no endpoint is set: then nothing is traced. */
export interface TracingConfig {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sampleShare: number;
}

export function readTracing(read: {
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly OTEL_EXPORTER_OTLP_HEADERS: Readonly<Record<string, string>>;
  readonly OTEL_TRACES_SAMPLER_ARG: number;
}): TracingConfig | undefined {
  const endpoint = read.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return undefined;
  return {
    endpoint,
    headers: read.OTEL_EXPORTER_OTLP_HEADERS,
    sampleShare: read.OTEL_TRACES_SAMPLER_ARG,
  };
}

/** Values are percent-encoded, as W3C Baggage writes them. */
function parseHeaders(text: string): Record<string, string> | undefined {
  const pairs = text.split(",").map((pair) => /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(pair));
  if (pairs.some((pair) => pair === null)) return undefined;
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", decodeURIComponent(pair?.[2] ?? "")]));
}

/** The settings, or one SettingsError that lists everything wrong. An empty value counts as none. */
export function readSettings<Shape extends z.ZodRawShape>(
  shape: Shape,
  environment: Environment,
): z.output<z.ZodObject<Shape>> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, text]) => text?.trim()));
  for (const kind of ["PUBLISHABLE", "SECRET"]) {
    const single = given[`SUPABASE_${kind}_KEY`];
    if (single) given[`SUPABASE_${kind}_KEYS`] ??= JSON.stringify({ default: single.trim() });
  }
  const result = z.object(shape).safeParse(given);
  if (result.success) return result.data;
  throw new SettingsError(result.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`));
}
