import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import {
  type Environment,
  integerSetting,
  type NamedKey,
  readSettings,
  readTracing,
  SettingsError,
  setting,
  supabaseSettings,
  type TracingConfig,
  tracingSettings,
  urlSetting,
  webhookSettings,
} from "../shared/config.ts";
import type { JobLane } from "../shared/jobs/contract.ts";
import { type LogLevel, logLevels } from "../shared/log.ts";

export interface SidecarConfig {
  readonly supabaseUrl: string;
  readonly secretKey: string;
  /** With the role `parlance_sidecar`. */
  readonly databaseUrl: string;
  /** False where the database cannot notify, behind a pooler of transactions: then it polls from the start. */
  readonly listens: boolean;
  /** A database that is silent for longer ends the process. */
  readonly databasePatienceMs: number;
  /** One process each: `cpu`, `webgpu` or `cuda:N`. Undefined: chosen at start. There is no falling back from a named one. */
  readonly devices: readonly string[] | undefined;
  /** The graphics cards that this process may see, as CUDA reads it; undefined: all of them. */
  readonly cudaVisible: string | undefined;
  /** Where installed models lie. */
  readonly modelsFolder: string;
  /** Threads inside one run of the model on the processor; they wait without spinning, so decoding shares the cores. */
  readonly modelThreads: number;
  /** A process that holds a model unused for longer gives the memory back by ending. 0: never. */
  readonly modelIdleMs: number;
  /** How often slots and graphics cards are reported. */
  readonly gpuStatsMs: number;
  /** How many jobs run at once. */
  readonly slots: Readonly<Record<JobLane, number>>;
  readonly leaseSeconds: number;
  /** Given to what runs when the process is told to end. */
  readonly drainMs: number;
  /** Width times height of an original. */
  readonly pixelsMax: number;
  readonly uploadBytesMax: number;
  /** `any`: webhooks also call http and what is not public, to try things out. */
  readonly webhookTargets: "public" | "any";
  /** How mail about alerts is sent; undefined: this sidecar sends none. */
  readonly mail: MailConfig | undefined;
  readonly tracing: TracingConfig | undefined;
  readonly logLevel: LogLevel;
}

/** By a server or by an API, and who sends. */
export type MailConfig = { readonly from: MailSender } & (
  | { readonly server: { host: string; port: number; user: string; password: string } }
  | { readonly api: { url: string; key: string } }
);

interface MailSender {
  readonly name: string;
  readonly address: string;
}

const slots = () => integerSetting({ min: 1, max: 64, unit: "jobs" });

const settings = {
  ...tracingSettings,
  ...webhookSettings,
  SMTP_URL: setting(
    "smtps://user:password@host, on port 465: with TLS from the first byte, which hosted functions and most clouds let pass; 25 and 587 they do not",
    parseSmtpUrl,
  ).optional(),
  MAIL_API_URL: setting("an https:// URL", parseApiUrl).optional(),
  MAIL_API_KEY: setting("a key without spaces", (text) =>
    /^[!-~]{1,512}$/.test(text) ? text : undefined,
  ).optional(),
  MAIL_FROM: setting("an address, such as Parlance <alerts@example.com>", parseSender).optional(),
  SUPABASE_URL: supabaseSettings.SUPABASE_URL,
  SUPABASE_SECRET_KEYS: supabaseSettings.SUPABASE_SECRET_KEYS,
  SIDECAR_DB_URL: setting("a URL that begins with postgres://, here or in SUPABASE_DB_URL", (text) =>
    /^postgres(ql)?:$/.test(new URL(text).protocol) ? text : undefined,
  ),
  LISTEN: setting("true or false", parseFlag).default(true),
  DATABASE_PATIENCE_SECONDS: integerSetting({ min: 1, max: 86_400, unit: "seconds" }).default(120),
  DEVICES: setting("cpu, webgpu or cuda:N, several with commas between them", parseDevices).optional(),
  MODELS_DIR: setting("a folder", (text) => text || undefined).default(".parlance/models"),
  MODEL_THREADS: integerSetting({ min: 1, max: 256, unit: "threads" }).default(
    Math.min(256, availableParallelism()),
  ),
  MODEL_IDLE_SECONDS: integerSetting({ min: 0, max: 604_800, unit: "seconds" }).default(900),
  GPU_STATS_SECONDS: integerSetting({ min: 1, max: 30, unit: "seconds" }).default(10),
  SLOTS_BULK: slots().default(4),
  SLOTS_INTERACTIVE: slots().default(8),
  LEASE_SECONDS: integerSetting({ min: 3, max: 3600, unit: "seconds" }).default(30),
  DRAIN_SECONDS: integerSetting({ min: 0, max: 3600, unit: "seconds" }).default(10),
  PIXELS_MAX: integerSetting({ min: 1_000_000, max: 1_000_000_000, unit: "pixels" }).default(100_000_000),
  UPLOAD_BYTES_MAX: integerSetting({ min: 1024, max: 512 * 2 ** 20, unit: "bytes" }).default(25 * 2 ** 20),
  LOG_LEVEL: setting(`one of ${logLevels.join(", ")}`, (text) =>
    logLevels.find((level) => level === text.toLowerCase()),
  ).default("info"),
};

const modelSettings = {
  MODELS_DIR: settings.MODELS_DIR,
  HF_ENDPOINT: urlSetting().default("https://huggingface.co"),
  HF_TOKEN: setting("a token without spaces", (text) =>
    /^[!-~]{1,512}$/.test(text) ? text : undefined,
  ).optional(),
};

/** What `bun run models` needs; it knows neither database nor storage. */
export interface ModelsConfig {
  readonly modelsFolder: string;
  /** Where models are pulled from. */
  readonly hubEndpoint: string;
  readonly hubToken: string | undefined;
}

export function readModelsConfig(environment: Environment = process.env): ModelsConfig {
  const read = readSettings(modelSettings, environment);
  return {
    modelsFolder: resolve(read.MODELS_DIR),
    hubEndpoint: read.HF_ENDPOINT,
    hubToken: read.HF_TOKEN,
  };
}

const deviceSettings = {
  DEVICES: settings.DEVICES,
  MODELS_DIR: settings.MODELS_DIR,
  GPU_STATS_SECONDS: settings.GPU_STATS_SECONDS,
};

/** What `bun run doctor` needs; it knows neither database nor storage. */
export type DevicesConfig = Pick<SidecarConfig, "devices" | "cudaVisible" | "modelsFolder" | "gpuStatsMs">;

export function readDevicesConfig(environment: Environment = process.env): DevicesConfig {
  const read = readSettings(deviceSettings, environment);
  return {
    devices: read.DEVICES,
    cudaVisible: environment.CUDA_VISIBLE_DEVICES,
    modelsFolder: resolve(read.MODELS_DIR),
    gpuStatsMs: read.GPU_STATS_SECONDS * 1000,
  };
}

/** Throws one SettingsError that names everything wrong. */
export function readSidecarConfig(environment: Environment = process.env): SidecarConfig {
  const databaseUrl = environment.SIDECAR_DB_URL?.trim() || environment.SUPABASE_DB_URL;
  const read = readSettings(settings, { ...environment, SIDECAR_DB_URL: databaseUrl });
  return {
    supabaseUrl: read.SUPABASE_URL,
    secretKey: pickKey(read.SUPABASE_SECRET_KEYS),
    databaseUrl: read.SIDECAR_DB_URL,
    listens: read.LISTEN,
    databasePatienceMs: read.DATABASE_PATIENCE_SECONDS * 1000,
    ...readDevicesConfig(environment),
    modelThreads: read.MODEL_THREADS,
    modelIdleMs: read.MODEL_IDLE_SECONDS * 1000,
    slots: { interactive: read.SLOTS_INTERACTIVE, bulk: read.SLOTS_BULK },
    leaseSeconds: read.LEASE_SECONDS,
    drainMs: read.DRAIN_SECONDS * 1000,
    pixelsMax: read.PIXELS_MAX,
    uploadBytesMax: read.UPLOAD_BYTES_MAX,
    webhookTargets: read.WEBHOOK_TARGETS,
    mail: readMail(read),
    tracing: readTracing(read),
    logLevel: read.LOG_LEVEL,
  };
}

/** What a child is given to read beside what is its own. */
export function readEnvironment(): Environment {
  return process.env;
}

const devicesMax = 64;

/** `cuda` alone is the first one. The same device twice is two processes on it. */
function parseDevices(text: string): readonly string[] | undefined {
  const devices = text.split(",").map((part) => (part.trim() === "cuda" ? "cuda:0" : part.trim()));
  const areKnown = devices.every((device) => /^(cpu|webgpu|cuda:\d{1,2})$/.test(device));
  return areKnown && devices.length <= devicesMax ? devices : undefined;
}

interface MailSettings {
  readonly SMTP_URL?: { host: string; port: number; user: string; password: string } | undefined;
  readonly MAIL_API_URL?: string | undefined;
  readonly MAIL_API_KEY?: string | undefined;
  readonly MAIL_FROM?: MailSender | undefined;
}

/** One way of sending, whole; none where nothing is set. */
function readMail(read: MailSettings): MailConfig | undefined {
  const { SMTP_URL: server, MAIL_API_URL: url, MAIL_API_KEY: key, MAIL_FROM: from } = read;
  if (!server && !url && !key) return undefined;
  if (server && (url || key)) {
    throw new SettingsError(["SMTP_URL is one way to send mail, MAIL_API_URL another; set one of them"]);
  }
  if (!from) throw new SettingsError(["MAIL_FROM is missing; expected the address that mail is sent from"]);
  if (server) return { from, server };
  if (url && key) return { from, api: { url, key } };
  throw new SettingsError([`${url ? "MAIL_API_KEY" : "MAIL_API_URL"} is missing; both are needed`]);
}

function parseSmtpUrl(text: string): MailSettings["SMTP_URL"] {
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  const isWhole = protocol === "smtps:" && hostname !== "" && ["", "465"].includes(port);
  if (!isWhole || pathname.replace("/", "") + search + hash !== "") return undefined;
  const [user, word] = [decodeURIComponent(username), decodeURIComponent(password)];
  if ((user === "") !== (word === "")) return undefined;
  return { host: hostname.replace(/^\[|\]$/g, ""), port: 465, user, password: word };
}

/** Plain http shows the key to whoever listens: on this machine only, to try things out. */
function parseApiUrl(text: string): string | undefined {
  const { protocol, hostname, username, hash } = new URL(text);
  const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  const isSafe = protocol === "https:" || (protocol === "http:" && isHere);
  return isSafe && username === "" && hash === "" ? text : undefined;
}

/** `name <address>` or an address alone. */
function parseSender(text: string): MailSender | undefined {
  const [, quoted, plain, address] = /^(?:"([^"\\]*)"|([^"<>@,;:]*))\s*<([^<>]+)>$/.exec(text) ?? [
    undefined,
    "",
    "",
    text,
  ];
  const name = (quoted ?? plain ?? "").trim();
  const isAddress = /^[^\s@<>()[\]",;:\\\p{Cc}]{1,64}@[a-z0-9.-]{1,253}$/iu.test(address ?? "");
  return isAddress && !/\p{Cc}/u.test(name) && name.length <= 100
    ? { name, address: address ?? "" }
    : undefined;
}

function parseFlag(text: string): boolean | undefined {
  return text === "true" || text === "false" ? text === "true" : undefined;
}

/** `default`, else the first. */
function pickKey(keys: readonly NamedKey[]): string {
  return (keys.find(({ name }) => name === "default") ?? keys[0])?.key ?? "";
}
