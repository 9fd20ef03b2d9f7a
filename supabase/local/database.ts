import { existsSync } from "node:fs";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import postgres, { type Sql } from "postgres";
import { databaseOptions } from "../../shared/database.ts";
import { loginUrl, setPasswords } from "./logins.ts";
import { Engine, superuser } from "./pglite/engine.ts";
import { lockFolder } from "./pglite/folder-lock.ts";
import { PgliteSession } from "./pglite/session.ts";
import { PgliteStream } from "./pglite/stream.ts";

/** The role that owns what the migrations make; on a Supabase project it is the URL's own, `postgres`. */
const ownerRole = "parlance_owner";

export interface ConnectOptions {
  /** The login role; by default the owner of what the migrations make. */
  role?: string;
  /** The most connections at once; on PGlite they share one session. */
  max?: number;
}

/** A database that the embedded mode runs on. No file outside supabase/local can tell which kind it is. */
export interface LocalDatabase {
  readonly kind: "pglite" | "postgres";
  /** The role that installs the stand-ins. */
  readonly superuser: string;
  /** A new client; the caller ends it. */
  connect(options?: ConnectOptions): Sql;
  /** Sees to it that the login roles made so far can log in. */
  allowLogins(): Promise<void>;
  close(): Promise<void>;
}

export interface PgliteDatabase extends LocalDatabase {
  /** The whole data folder as a tar, to open copies from. */
  dump(): Promise<Blob>;
}

export interface PgliteOptions {
  /** Where the data lives; in memory without. */
  dataDir?: string;
  /** A dump to start from, when there is no data yet. */
  template?: Blob;
  /** How long an open transaction may stay silent before it is rolled back; by default 30 seconds. */
  transactionIdleMs?: number;
}

/** Opens PGlite. A folder belongs to one process at a time. */
export async function openPglite(options: PgliteOptions = {}): Promise<PgliteDatabase> {
  const { dataDir, template, transactionIdleMs = 30_000 } = options;
  const unlock = dataDir === undefined ? async () => {} : await lockFolder(dataDir);
  try {
    const isNew = dataDir === undefined || !existsSync(join(dataDir, "PG_VERSION"));
    if (dataDir !== undefined && isNew) await createDataFolder(dataDir, template);
    // PGlite lets everyone read and write its files; as with Postgres, nobody but their owner gets to them.
    if (dataDir !== undefined) await chmod(dataDir, 0o700);
    const db = await createPglite(dataDir, dataDir === undefined ? template : undefined);
    return pgliteDatabase(db, await PgliteSession.open(new Engine(db), transactionIdleMs), unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Made beside its place and moved there when it is whole: a start that is killed half-way leaves no half database. */
async function createDataFolder(dataDir: string, template: Blob | undefined): Promise<void> {
  const unfinished = `${dataDir}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  const db = await createPglite(unfinished, template);
  await db.close();
  await rename(unfinished, dataDir);
  // A whole PGlite, some 400 MiB, is garbage now, and the next one is about to be made.
  await new Promise((resolve) => setTimeout(resolve, 0));
  Bun.gc(true);
}

function createPglite(dataDir: string | undefined, template: Blob | undefined): Promise<PGlite> {
  return PGlite.create({
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(template === undefined ? {} : { loadDataDir: template }),
    extensions: { vector },
    startParams,
  });
}

/**
 * PGlite's own, but with the search path of a Supabase database, and half of its 128 MB of buffers: with them it fits
 * in the memory that it begins with, and the vectors of 50,000 pictures and their index fit in them.
 */
const startParams = [
  ...PGlite.defaultStartParams.map((parameter) =>
    parameter.startsWith("search_path=") ? 'search_path="$user", public, extensions' : parameter,
  ),
  ...["-c", "shared_buffers=64MB"],
];

function pgliteDatabase(db: PGlite, session: PgliteSession, unlock: () => Promise<void>): PgliteDatabase {
  const streams = new Set<PgliteStream>();
  const socket = () => {
    const stream = new PgliteStream(session);
    streams.add(stream);
    stream.once("close", () => streams.delete(stream));
    return stream;
  };
  const closeAll = async () => {
    for (const stream of streams) stream.destroy();
    await session.close(() => db.close());
    await unlock();
  };
  let closed: Promise<void> | undefined;
  return {
    kind: "pglite",
    superuser,
    connect({ role = ownerRole, max = 1 } = {}) {
      // `socket` is an option of postgres.js that its types do not know.
      const options = { ...databaseOptions, username: role, database: "postgres", ssl: false, max, socket };
      return postgres(options);
    },
    async allowLogins() {},
    close() {
      closed ??= closeAll();
      return closed;
    },
    dump: () =>
      session.exclusive(async (run) => {
        await run("checkpoint");
        return db.dumpDataDir("none");
      }),
  };
}

/** Opens a Postgres server. The URL names a superuser, or on a Supabase project the owner, `postgres`. */
export async function openPostgres(url: string): Promise<LocalDatabase> {
  const user = decodeURIComponent(new URL(url).username) || "postgres";
  const options = {
    ...databaseOptions,
    connection: { ...databaseOptions.connection, application_name: "parlance" },
  };
  const admin = postgres(url, { ...options, max: 1, idle_timeout: 5 });
  const { isSupabase } = await examineServer(admin, url);
  return {
    kind: "postgres",
    superuser: user,
    connect: ({ role = isSupabase ? user : ownerRole, max = 10 } = {}) =>
      postgres(loginUrl(url, role), { ...options, max }),
    allowLogins: async () => (isSupabase ? undefined : setPasswords(admin, url)),
    close: () => admin.end({ timeout: 5 }),
  };
}

async function examineServer(admin: Sql, url: string): Promise<{ isSupabase: boolean }> {
  const { host, pathname } = new URL(url);
  try {
    const [row] = await admin<{ version: number }[]>`
      select current_setting('server_version_num')::int as version
    `;
    if (!row || row.version < 170_000) throw new Error("Parlance needs Postgres 17 or newer");
    return { isSupabase: await isSupabase(admin) };
  } catch (error) {
    await admin.end({ timeout: 0 });
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The database ${host}${pathname} cannot be used: ${reason}.`, { cause: error });
  }
}

/** True where Supabase's own Auth or Storage keeps its migrations. */
export async function isSupabase(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`
    select coalesce(to_regclass('auth.schema_migrations'), to_regclass('storage.migrations')) is not null as found
  `;
  return row?.found ?? false;
}
