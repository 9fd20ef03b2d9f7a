import { join, resolve } from "node:path";
import { type Environment, integerSetting, readSettings, setting, urlSetting } from "../../shared/config.ts";
import { type LogLevel, logLevels } from "../../shared/log.ts";

const text = (expected: string) => setting(expected, (value) => value || undefined);

const settings = {
  PORT: integerSetting({ min: 0, max: 65_535 }).default(54_321),
  HOST: text("an address of this machine").default("127.0.0.1"),
  DATA_DIR: text("a folder").default(".parlance"),
  DATABASE_URL: setting("a URL that begins with postgres://", (value) =>
    /^postgres(ql)?:$/.test(new URL(value).protocol) ? value : undefined,
  ).optional(),
  PUBLIC_URL: urlSetting().optional(),
  SAMPLES: setting("true or false", parseFlag).default(true),
  SIDECAR: setting("true or false", parseFlag).default(true),
  EDGE_RUNNER: setting("true or false", parseFlag).default(true),
  LOG_LEVEL: setting(`one of ${logLevels.join(", ")}`, (text) =>
    logLevels.find((level) => level === text.toLowerCase()),
  ).default("info"),
};

function parseFlag(value: string): boolean | undefined {
  return value === "true" || value === "false" ? value === "true" : undefined;
}

export interface LocalConfig {
  readonly port: number;
  readonly host: string;
  /** Absolute. */
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  /** Undefined: `http://<host>:<port>` of the server that was started. */
  readonly publicUrl: string | undefined;
  readonly withSamples: boolean;
  /** False where sidecars are started by hand, here or on another machine. */
  readonly withSidecar: boolean;
  /** False where a timer outside calls `POST /jobs/ticks`. */
  readonly withEdgeRunner: boolean;
  readonly logLevel: LogLevel;
  /** What the readers of the edge and the sidecar are given beside what the stack knows itself. */
  readonly environment: Environment;
}

export function readEnvironment(): Environment {
  return process.env;
}

/** The settings of the embedded mode; throws one error that names every wrong one. */
export function readLocalConfig(environment: Environment = readEnvironment()): LocalConfig {
  const read = readSettings(settings, environment);
  return {
    port: read.PORT,
    host: read.HOST,
    dataDir: resolve(read.DATA_DIR),
    databaseUrl: read.DATABASE_URL,
    publicUrl: read.PUBLIC_URL,
    withSamples: read.SAMPLES,
    withSidecar: read.SIDECAR,
    withEdgeRunner: read.EDGE_RUNNER,
    logLevel: read.LOG_LEVEL,
    environment,
  };
}

/** What a running stack leaves for `bun run status` and `bun run admin`. */
export function statusPath(dataDir: string): string {
  return join(dataDir, "status.json");
}
