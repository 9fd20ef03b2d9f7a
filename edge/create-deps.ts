import type { Sql } from "postgres";
import type { Log } from "../shared/log.ts";
import type { EdgeConfig } from "./config.ts";
import type { Deps, Surroundings } from "./deps.ts";
import { createTokenVerifier } from "./http/tokens.ts";
import { createRecorder } from "./interactions/recording.ts";
import { type Bucket, createSupabaseStorage, fileBucket, pictureBucket } from "./storage/supabase.ts";

/** What the app is given in earnest; a door brings the database client, the log and the rest of its runtime. */
export function createDeps(
  config: EdgeConfig,
  { sql, log, ...surroundings }: { sql: Sql; log: Log } & Surroundings,
): Deps {
  const { supabaseUrl, publicUrl, secretKey } = config;
  const open = (bucket: Bucket) => createSupabaseStorage({ supabaseUrl, publicUrl, secretKey, bucket });
  const now = () => new Date();
  return {
    ...surroundings,
    config,
    sql,
    log,
    calls: createRecorder({ ...surroundings, sql, log, now }),
    objects: open(pictureBucket(config.uploadBytesMax)),
    files: open(fileBucket),
    verifyToken: createTokenVerifier(config),
    now,
  };
}
