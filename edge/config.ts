import { z } from "zod";
import {
  type Environment,
  integerSetting,
  type NamedKey,
  readSettings,
  readTracing,
  setting,
  supabaseSettings,
  type TracingConfig,
  tracingSettings,
  urlSetting,
  webhookSettings,
} from "../shared/config.ts";
import { type LogLevel, logLevels } from "../shared/log.ts";

/** Requests are limited by what they cost; each class has buckets of its own. */
export const routeClasses = ["read", "write", "search", "job", "log", "anonymous"] as const;
export type RouteClass = (typeof routeClasses)[number];

const PublicJwk = z.looseObject({ kty: z.string(), kid: z.string().optional() });
/** RFC 7517; only the members that say which key it is are read here. */
export type PublicJwk = { kty: string; kid?: string };

export interface EdgeConfig {
  /** The project as this process reaches it. */
  readonly supabaseUrl: string;
  /** The project as browsers reach it. */
  readonly publicUrl: string;
  readonly databaseUrl: string;
  readonly databaseConnectionsMax: number;
  readonly publishableKeys: readonly NamedKey[];
  readonly secretKeys: readonly NamedKey[];
  /** The one that the edge itself uses towards Storage: `default`, else the first. */
  readonly secretKey: string;
  /** Who must have issued a user's token. */
  readonly jwtIssuer: string;
  /** The public signing keys where they are given; else they are fetched from the project. */
  readonly jwks: { readonly keys: readonly PublicJwk[] } | undefined;
  readonly allowedOrigins: "*" | readonly string[];
  /** The one header that is trusted to say where a request comes from, in lower case. */
  readonly clientAddressHeader: string | undefined;
  readonly uploadBytesMax: number;
  readonly bodyBytesMax: number;
  /** Of what is sent to the log of interactions. */
  readonly logBytesMax: number;
  /** A request that takes longer is answered with `deadline_exceeded`. Below the two minutes of an idempotency lock. */
  readonly requestMs: number;
  /** How long a signed link works. */
  readonly linkSeconds: number;
  /** How long a search waits for the vector of its words. */
  readonly searchWaitMs: number;
  /** How long a search by a picture waits for its vector. */
  readonly pictureSearchWaitMs: number;
  /** Of a hundred searches by vectors, so many are kept in the log that recall is measured on. */
  readonly searchLogShare: number;
  /** Requests a minute. */
  readonly rateLimits: Readonly<Record<RouteClass, number>>;
  /** `any`: webhooks may also name http and what is not public, to try things out. */
  readonly webhookTargets: "public" | "any";
  readonly tracing: TracingConfig | undefined;
  readonly logLevel: LogLevel;
}

const MiB = 2 ** 20;

const perMinute = () => integerSetting({ min: 1, max: 1_000_000, unit: "requests a minute" });

const settings = {
  ...supabaseSettings,
  ...tracingSettings,
  ...webhookSettings,
  PUBLIC_URL: urlSetting().optional(),
  JWT_ISSUER: setting("the `iss` of the project's tokens, a URL", (text) => new URL(text) && text).optional(),
  SUPABASE_JWKS: setting(
    "a JSON Web Key Set with a key for ES256 or RS256; where it has none, rotate the project's JWT signing keys",
    parseJwks,
  ).optional(),
  ALLOWED_ORIGINS: setting(
    "*, or origins such as https://app.example.com, with commas between them or as a JSON array",
    parseOrigins,
  ).default([]),
  CLIENT_ADDRESS_HEADER: setting("the name of a header", (text) =>
    /^[a-z0-9-]{1,64}$/i.test(text) ? text.toLowerCase() : undefined,
  ).optional(),
  UPLOAD_BYTES_MAX: integerSetting({ min: 1024, max: 512 * MiB, unit: "bytes" }).default(25 * MiB),
  BODY_BYTES_MAX: integerSetting({ min: 1024, max: 16 * MiB, unit: "bytes" }).default(MiB),
  LOG_BYTES_MAX: integerSetting({ min: 1024, max: 64 * MiB, unit: "bytes" }).default(4 * MiB),
  REQUEST_MS: integerSetting({ min: 1000, max: 110_000, unit: "milliseconds" }).default(60_000),
  LINK_SECONDS: integerSetting({ min: 60, max: 7 * 24 * 3600, unit: "seconds" }).default(3600),
  SEARCH_WAIT_MS: integerSetting({ min: 0, max: 30_000, unit: "milliseconds" }).default(1500),
  PICTURE_SEARCH_WAIT_MS: integerSetting({ min: 0, max: 30_000, unit: "milliseconds" }).default(8000),
  SEARCH_LOG_SHARE: integerSetting({ min: 0, max: 100, unit: "percent" }).default(100),
  RATE_LIMIT_READ: perMinute().default(600),
  RATE_LIMIT_WRITE: perMinute().default(120),
  RATE_LIMIT_SEARCH: perMinute().default(120),
  RATE_LIMIT_JOB: perMinute().default(1200),
  RATE_LIMIT_LOG: perMinute().default(6000),
  RATE_LIMIT_ANONYMOUS: perMinute().default(600),
  DATABASE_CONNECTIONS_MAX: integerSetting({ min: 1, max: 100, unit: "connections" }).default(3),
  LOG_LEVEL: setting(`one of ${logLevels.join(", ")}`, (text) =>
    logLevels.find((level) => level === text.toLowerCase()),
  ).default("info"),
};

/** Throws one SettingsError that names everything wrong. */
export function readEdgeConfig(environment: Environment): EdgeConfig {
  const read = readSettings(settings, environment);
  const publicUrl = read.PUBLIC_URL ?? read.SUPABASE_URL;
  return {
    supabaseUrl: read.SUPABASE_URL,
    publicUrl,
    databaseUrl: read.SUPABASE_DB_URL,
    databaseConnectionsMax: read.DATABASE_CONNECTIONS_MAX,
    publishableKeys: read.SUPABASE_PUBLISHABLE_KEYS,
    secretKeys: read.SUPABASE_SECRET_KEYS,
    secretKey: pickKey(read.SUPABASE_SECRET_KEYS),
    jwtIssuer: read.JWT_ISSUER ?? `${publicUrl}/auth/v1`,
    jwks: read.SUPABASE_JWKS,
    allowedOrigins: read.ALLOWED_ORIGINS,
    clientAddressHeader: read.CLIENT_ADDRESS_HEADER,
    uploadBytesMax: read.UPLOAD_BYTES_MAX,
    bodyBytesMax: read.BODY_BYTES_MAX,
    logBytesMax: read.LOG_BYTES_MAX,
    requestMs: read.REQUEST_MS,
    linkSeconds: read.LINK_SECONDS,
    searchWaitMs: read.SEARCH_WAIT_MS,
    pictureSearchWaitMs: read.PICTURE_SEARCH_WAIT_MS,
    searchLogShare: read.SEARCH_LOG_SHARE,
    rateLimits: {
      read: read.RATE_LIMIT_READ,
      write: read.RATE_LIMIT_WRITE,
      search: read.RATE_LIMIT_SEARCH,
      job: read.RATE_LIMIT_JOB,
      log: read.RATE_LIMIT_LOG,
      anonymous: read.RATE_LIMIT_ANONYMOUS,
    },
    webhookTargets: read.WEBHOOK_TARGETS,
    tracing: readTracing(read),
    logLevel: read.LOG_LEVEL,
  };
}

function pickKey(keys: readonly NamedKey[]): string {
  return (keys.find(({ name }) => name === "default") ?? keys[0])?.key ?? "";
}

/** A set or a bare list of keys; those of other kinds (HS256 secrets) are left out. */
function parseJwks(text: string): { keys: readonly PublicJwk[] } | undefined {
  const parsed: unknown = JSON.parse(text);
  const { keys } = z
    .object({ keys: z.array(PublicJwk) })
    .parse(Array.isArray(parsed) ? { keys: parsed } : parsed);
  const usable = keys.filter(({ kty }) => kty === "EC" || kty === "RSA") as PublicJwk[];
  return usable.length > 0 ? { keys: usable } : undefined;
}

/** An origin is compared letter by letter with what a browser sends, so it must be written as one. */
function parseOrigins(text: string): "*" | readonly string[] | undefined {
  if (text === "*") return "*";
  const parts = text.startsWith("[") ? z.array(z.string()).parse(JSON.parse(text)) : text.split(",");
  const origins = parts.map((part) => part.trim()).filter((part) => part !== "");
  if (origins.length === 1 && origins[0] === "*") return "*";
  const areOrigins = origins.every(
    (origin) => /^https?:\/\/[^*]+$/.test(origin) && new URL(origin).origin === origin,
  );
  return areOrigins && origins.length <= 1000 ? origins : undefined;
}
