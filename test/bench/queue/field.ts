/** Where the contenders meet: one server, a fresh database for each, a process for each on each runtime. */
import postgres from "postgres";
import { type Contestant, startContestant } from "./contestant.ts";
import { findPostmaster } from "./cpu.ts";
import type { Entry } from "./entries.ts";
import { installContenders } from "./installing.ts";
import type { Runtime } from "./options.ts";

export interface Field {
  readonly settings: Readonly<Record<string, string>>;
  /** Runtimes of those asked for that are to be had. */
  readonly runtimes: readonly Runtime[];
  contestant(library: Entry["library"], runtime: Runtime): Promise<Contestant>;
  /** One more process of the same, which adds jobs while the first works. */
  producer(library: Entry["library"], runtime: Runtime): Promise<Contestant>;
  close(): Promise<void>;
}

const databasePrefix = "queue_bench_";

const shown = [
  "server_version",
  "fsync",
  "synchronous_commit",
  "shared_buffers",
  "wal_level",
  "max_connections",
];

/** What a bench that was killed left behind; a bench that runs is connected to its databases. */
async function dropLeftOvers(admin: postgres.Sql): Promise<void> {
  const left = await admin<{ name: string }[]>`
    select datname as name
    from pg_database
    where starts_with(datname, ${databasePrefix})
      and datname not in (select datname from pg_stat_activity where datname is not null)
  `;
  for (const { name } of left) await admin.unsafe(`drop database if exists ${name}`);
}

export async function openField(url: string, runtimes: readonly Runtime[]): Promise<Field> {
  const { home, node } = await installContenders();
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  await dropLeftOvers(admin);
  const [backend] = await admin<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const postmaster = findPostmaster(backend?.pid ?? 0);
  const settings = Object.fromEntries(
    await Promise.all(shown.map(async (name) => [name, (await admin.unsafe(`show ${name}`))[0]?.[name]])),
  );
  const databases = new Map<string, Promise<string>>();
  const contestants = new Map<string, Promise<Contestant>>();

  const begin = async (library: Entry["library"], runtime: Runtime, databaseUrl: string) => {
    const executable = runtime === "bun" ? process.execPath : (node ?? "node");
    return startContestant({ executable, library, url: databaseUrl, home, postmaster });
  };
  const prepare = async (library: Entry["library"]) => {
    const name = `${databasePrefix}${library.replaceAll("-", "_")}_${process.pid}`;
    await admin.unsafe(`create database ${name}`);
    const target = new URL(url);
    target.pathname = `/${name}`;
    const installer = await begin(library, "bun", target.href);
    contestants.set(`${library} bun worker`, Promise.resolve(installer));
    await installer.ask("install", {});
    return target.href;
  };
  const open = async (library: Entry["library"], runtime: Runtime, role: string) => {
    if (!databases.has(library)) databases.set(library, prepare(library));
    const databaseUrl = (await databases.get(library)) ?? url;
    const key = `${library} ${runtime} ${role}`;
    if (!contestants.has(key)) contestants.set(key, begin(library, runtime, databaseUrl));
    return contestants.get(key) as Promise<Contestant>;
  };
  return {
    settings,
    runtimes: runtimes.filter((runtime) => runtime === "bun" || node !== undefined),
    contestant: (library, runtime) => open(library, runtime, "worker"),
    producer: (library, runtime) => open(library, runtime, "producer"),
    async close() {
      for (const contestant of contestants.values())
        await contestant.then((one) => one.close()).catch(() => {});
      for (const made of databases.values()) {
        const name = await made.then((made) => new URL(made).pathname.slice(1)).catch(() => undefined);
        if (name) await admin.unsafe(`drop database if exists ${name} with (force)`);
      }
      await admin.end();
    },
  };
}
