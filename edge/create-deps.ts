import type { Sql } from "postgres";
import type { Log } from "../shared/log.ts";
import type { EdgeConfig } from "./config.ts";
import type { Deps, Surroundings } from "./deps.ts";
import { createTokenVerifier } from "./http/tokens.ts";
import { createSupabaseStorage } from "./storage/supabase.ts";

/** What the app is given in earnest; a door brings the database client, the log and the rest of its runtime. */
export function createDeps(
  config: EdgeConfig,
  { sql, log, ...surroundings }: { sql: Sql; log: Log } & Surroundings,
): Deps {
  return {
    ...surroundings,
    config,
    sql,
    log,
    objects: createSupabaseStorage({
      supabaseUrl: config.supabaseUrl,
      publicUrl: config.publicUrl,
      secretKey: config.secretKey,
      sizeBytesMax: config.uploadBytesMax,
    }),
    verifyToken: createTokenVerifier(config),
    now: () => new Date(),
  };
}
