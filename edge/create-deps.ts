import type { Sql } from "postgres";
import type { Log } from "../shared/log.ts";
import type { EdgeConfig } from "./config.ts";
import type { Deps } from "./deps.ts";
import { createTokenVerifier } from "./http/tokens.ts";
import { createSupabaseStorage } from "./storage/supabase.ts";

/** What the app is given in earnest; a door brings the database client and the log of its runtime. */
export function createDeps(config: EdgeConfig, { sql, log }: { sql: Sql; log: Log }): Deps {
  return {
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
