/** What a Supabase project gives its functions and sidecars, made of what the stack knows itself. */
import { readEdgeConfig } from "../../edge/config.ts";
import { readSidecarConfig } from "../../gpu-sidecar/config.ts";
import { type Environment, readAll } from "../../shared/config.ts";
import { type LocalConfig, readEnvironment, readLocalConfig } from "./config.ts";
import type { LocalKeys } from "./keys.ts";
import { clientAddressHeader } from "./server.ts";

export interface Project {
  readonly keys: Pick<LocalKeys, "publishableKey" | "secretKey" | "jwks">;
  /** As this process reaches it. */
  readonly supabaseUrl: string;
  /** As browsers reach it. */
  readonly publicUrl: string;
}

/** The user's settings, where they gave any, and what only this stack can know. */
export function createEnvironment(
  { environment, databaseUrl }: Pick<LocalConfig, "environment" | "databaseUrl">,
  { keys, supabaseUrl, publicUrl }: Project,
): Environment {
  const given = Object.fromEntries(Object.entries(environment).filter(([, text]) => text?.trim()));
  return {
    CLIENT_ADDRESS_HEADER: clientAddressHeader,
    ALLOWED_ORIGINS: "*",
    ...given,
    SUPABASE_URL: supabaseUrl,
    PUBLIC_URL: publicUrl,
    SUPABASE_DB_URL: databaseUrl ?? "postgres://embedded",
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
    SUPABASE_JWKS: JSON.stringify(keys.jwks),
    JWT_ISSUER: `${publicUrl}/auth/v1`,
  };
}

/** Stands for what is made later, so that the user's part can be judged before anything is made. */
const anyProject: Project = {
  keys: {
    publishableKey: `sb_publishable_${"x".repeat(24)}`,
    secretKey: `sb_secret_${"x".repeat(24)}`,
    jwks: { keys: [{ kty: "EC", crv: "P-256" }] },
  },
  supabaseUrl: "http://127.0.0.1",
  publicUrl: "http://127.0.0.1",
};

/** The settings of the embedded mode; throws one error that names every wrong one, those of edge and sidecar too. */
export function readAllSettings(environment: Environment = readEnvironment()): LocalConfig {
  const complete = createEnvironment({ environment, databaseUrl: undefined }, anyProject);
  return readAll({
    local: () => readLocalConfig(environment),
    edge: () => readEdgeConfig(complete),
    sidecar: () => readSidecarConfig({ ...complete, SIDECAR_DB_URL: complete.SUPABASE_DB_URL }),
  }).local;
}
