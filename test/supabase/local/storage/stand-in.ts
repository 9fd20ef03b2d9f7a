import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { SignJWT } from "jose";
import type { Sql } from "postgres";
import type { LocalDatabase } from "../../../../supabase/local/database.ts";
import { type LocalKeys, loadKeys } from "../../../../supabase/local/keys.ts";
import { createStorage } from "../../../../supabase/local/storage/routes.ts";
import type { StorageOptions } from "../../../../supabase/local/storage/tools.ts";
import { openTestDatabase } from "../../../helpers/database.ts";

/** The storage stand-in alone, on a port of its own, over a database with nothing but the stand-in schemas. */
export interface StandIn {
  readonly url: string;
  readonly keys: LocalKeys;
  readonly database: LocalDatabase;
  /** A client of the role that owns the migrations. */
  readonly owner: Sql;
  /** A client of supabase_storage_admin. */
  readonly admin: Sql;
  readonly folder: string;
  /** What the server told nobody. */
  readonly errors: unknown[];
  /** How many requests the server is done with, also those that nobody waited for. */
  answered: number;
  /** Milliseconds that the server's clock is ahead. */
  clockAheadMs: number;
  signToken(userId: string): Promise<string>;
  /** The files on disk, drafts too, by their paths below the folder. */
  listFiles(): Promise<string[]>;
  close(): Promise<void>;
}

const issuer = "http://stand-in.test/auth/v1";

/** Whoever is signed in has the folder that is named for them, in every bucket. */
export const ownFolderPolicy = `
  create policy "own folder" on storage.objects
    for all to authenticated
    using ((storage.foldername(name))[1] = (select auth.uid())::text)
    with check ((storage.foldername(name))[1] = (select auth.uid())::text)
`;

export async function openStandIn(
  options: Pick<StorageOptions, "fileSizeLimitBytes" | "bodyIdleMs"> = {},
): Promise<StandIn> {
  const database = await openTestDatabase({ migrate: false });
  const owner = database.connect({ max: 1 });
  await owner.unsafe(ownFolderPolicy);
  const admin = database.connect({ role: "supabase_storage_admin", max: 4 });
  const folder = await mkdtemp(join(tmpdir(), "parlance-storage-"));
  const keys = await loadKeys();
  const errors: unknown[] = [];
  const app = new Hono().route(
    "/storage/v1",
    createStorage({
      ...options,
      sql: admin,
      keys,
      issuer,
      folder,
      now: () => new Date(Date.now() + standIn.clockAheadMs),
      reportError: (error) => errors.push(error),
    }),
  );
  const server = Bun.serve({
    port: 0,
    maxRequestBodySize: 1024 ** 3,
    fetch: async (request) => {
      const answer = await app.fetch(request);
      standIn.answered++;
      return answer;
    },
  });
  const standIn: StandIn = {
    url: `http://127.0.0.1:${server.port}`,
    keys,
    database,
    owner,
    admin,
    folder,
    errors,
    clockAheadMs: 0,
    answered: 0,
    signToken: (userId) => signToken(keys, userId),
    listFiles: () => listFiles(folder),
    async close() {
      await server.stop(true);
      await owner.end();
      await admin.end();
      await database.close();
      await rm(folder, { recursive: true });
    },
  };
  return standIn;
}

function signToken(keys: LocalKeys, userId: string): Promise<string> {
  return new SignJWT({ role: "authenticated" })
    .setProtectedHeader({ alg: "ES256", kid: keys.kid })
    .setSubject(userId)
    .setIssuer(issuer)
    .setAudience("authenticated")
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(keys.signingKey);
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
