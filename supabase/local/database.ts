import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import postgres, { type Sql } from "postgres";
import { databaseOptions } from "../../shared/database.ts";
import { lockFolder } from "./folder-lock.ts";
import { PgliteSession, superuser } from "./pglite-session.ts";
import { PgliteStream } from "./pglite-stream.ts";

/** The role that owns what the migrations make; on a hosted project it is called postgres. */
export const ownerRole = "parlance_owner";

export interface ConnectOptions {
  /** The login role; by default the owner of what the migrations make. */
  role?: string;
  /** The most connections at once; on PGlite they share one session. */
  max?: number;
}

/** A database of the embedded mode. Nothing outside supabase/local can tell which kind it is. */
export interface LocalDatabase {
  readonly kind: "pglite" | "postgres";
  /** The role that may install the stand-ins. */
  readonly superuser: string;
  /** A new client that the caller ends. */
  connect(options?: ConnectOptions): Sql;
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
  /** How long an open transaction may stay silent before it is rolled back; 30 seconds. */
  transactionIdleMs?: number;
}

/** Opens PGlite; a folder belongs to one process at a time. */
export async function openPglite(options: PgliteOptions = {}): Promise<PgliteDatabase> {
  const unlock = options.dataDir === undefined ? async () => {} : await lockFolder(options.dataDir);
  try {
    const db = await PGlite.create({
      ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
      ...(options.template === undefined ? {} : { loadDataDir: options.template }),
      extensions: { vector },
      startParams,
    });
    const session = await PgliteSession.open(db, options.transactionIdleMs ?? 30_000);
    return pgliteDatabase(db, session, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** PGlite's own, but with the search path of a Supabase database. */
const startParams = PGlite.defaultStartParams.map((parameter) =>
  parameter.startsWith("search_path=") ? 'search_path="$user", public, extensions' : parameter,
);

function pgliteDatabase(db: PGlite, session: PgliteSession, unlock: () => Promise<void>): PgliteDatabase {
  const streams = new Set<PgliteStream>();
  const openStream = () => {
    const stream = new PgliteStream(session);
    streams.add(stream);
    stream.once("close", () => streams.delete(stream));
    return stream;
  };
  const connect = ({ role = ownerRole, max = 1 }: ConnectOptions = {}) => {
    // `socket` is an option of postgres.js that its types do not know.
    const options = {
      ...databaseOptions,
      username: role,
      database: "postgres",
      ssl: false,
      max,
      socket: openStream,
    };
    return postgres(options);
  };
  const close = async () => {
    for (const stream of streams) stream.destroy();
    await session.exclusive(() => db.close());
    await unlock();
  };
  const dump = () =>
    session.exclusive(async (run) => {
      await run("checkpoint");
      return db.dumpDataDir("none");
    });
  return { kind: "pglite", superuser, connect, close, dump };
}

/** Opens a Postgres server whose URL names a superuser, or the owner of a hosted project. */
export async function openPostgres(url: string): Promise<LocalDatabase> {
  const target = new URL(url);
  const admin = decodeURIComponent(target.username) || "postgres";
  const connect = ({ role = ownerRole, max = 10 }: ConnectOptions = {}) => {
    const login = new URL(url);
    login.username = role;
    return postgres(login.href, { ...databaseOptions, max });
  };
  return { kind: "postgres", superuser: admin, connect, close: async () => {} };
}
