/**
 * The whole house as processes of their own: the API as `bun run start` starts it, two sidecars, and a Postgres.
 * Any of them can be killed and brought back; the data folder, the port and the database stay.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import { databaseOptions } from "../../shared/database.ts";
import { statusPath } from "../../supabase/local/config.ts";
import { loginUrl } from "../../supabase/local/logins.ts";
import type { Status } from "../../supabase/local/status.ts";
import { until } from "../helpers/until.ts";
import { findFreePort } from "./ports.ts";
import { HouseProcess } from "./process.ts";
import { openServer, type Server } from "./server.ts";
import { installWitness } from "./witness.ts";

const root = join(import.meta.dirname, "..", "..");
const sidecarsInHouse = 2;
/** A process may take this long to be there; it is far less on a machine that has nothing else to do. */
const starting = { timeoutMs: 60_000, everyMs: 20 };

export interface HouseOptions {
  readonly postgresScript: string | undefined;
  readonly databaseUrl: string;
}

export class House {
  readonly server: Server;
  /** As the superuser of the database. */
  readonly sql: Sql;
  readonly folder: string;
  readonly publicUrl: string;
  publishableKey = "";
  secretKey = "";
  readonly #port: number;
  #api: HouseProcess | undefined;
  readonly #sidecars: (HouseProcess | undefined)[] = Array.from({ length: sidecarsInHouse });
  /** Processes that ended although nobody killed them. */
  readonly #surprises: string[] = [];

  private constructor(server: Server, folder: string, port: number) {
    this.server = server;
    this.folder = folder;
    this.#port = port;
    this.publicUrl = `http://127.0.0.1:${port}`;
    this.sql = postgres(server.url, { ...databaseOptions, max: 4 });
  }

  static async open(options: HouseOptions): Promise<House> {
    const server = await openServer(options.postgresScript, options.databaseUrl);
    const folder = await mkdtemp(join(tmpdir(), "parlance-chaos-"));
    const house = new House(server, folder, await findFreePort());
    try {
      await house.startApi();
      await installWitness(house.sql);
      return house;
    } catch (error) {
      await house.close();
      throw error;
    }
  }

  get apiUrl(): string {
    return `${this.publicUrl}/functions/v1/api`;
  }

  /** The folder of the files of storage. */
  get objectsFolder(): string {
    return join(this.folder, "objects");
  }

  async startApi(): Promise<void> {
    const api = new HouseProcess(
      join(root, "supabase/local/start.ts"),
      {
        PORT: String(this.#port),
        DATA_DIR: this.folder,
        DATABASE_URL: this.server.url,
        SAMPLES: "false",
        SIDECAR: "false",
        REQUEST_MS: "20000",
        RATE_LIMIT_READ: "100000",
        RATE_LIMIT_WRITE: "100000",
        RATE_LIMIT_JOB: "100000",
      },
      this.folder,
    );
    this.#api = api;
    const isThere = async () => {
      if (api.endedByItself) throw new Error(`the API did not start:\n${api.lines.join("\n")}`);
      const answer = await fetch(`${this.apiUrl}/health`, { signal: AbortSignal.timeout(1_000) }).catch(
        () => undefined,
      );
      return answer?.ok ?? false;
    };
    await until("the API answers", isThere, starting);
    await until("the API has said its keys", () => this.#readStatus(), starting);
  }

  async #readStatus(): Promise<boolean> {
    const text = await readFile(statusPath(this.folder), "utf8").catch(() => "");
    if (text === "") return false;
    const status: Status = JSON.parse(text);
    this.publishableKey = status.PUBLISHABLE_KEY;
    this.secretKey = status.SECRET_KEY;
    return true;
  }

  async killApi(): Promise<void> {
    await this.#end(this.#api, "the API");
    this.#api = undefined;
  }

  /** Starts the sidecars that are not running. */
  startSidecars(): void {
    for (const index of this.#sidecars.keys()) this.#sidecars[index] ??= this.#createSidecar();
  }

  #createSidecar(): HouseProcess {
    return new HouseProcess(
      // Without a supervisor: what is killed here is the worker itself.
      join(root, "gpu-sidecar/slot.ts"),
      {
        SUPABASE_URL: this.publicUrl,
        SUPABASE_SECRET_KEY: this.secretKey,
        SIDECAR_DB_URL: loginUrl(this.server.url, "parlance_sidecar"),
        LEASE_SECONDS: "3",
      },
      this.folder,
    );
  }

  /** Resolves when every sidecar has started its work. */
  async awaitSidecars(): Promise<void> {
    const areThere = () =>
      this.#sidecars.every((sidecar) => {
        if (sidecar?.endedByItself) throw new Error(`a sidecar ended:\n${sidecar.lines.join("\n")}`);
        return findWorkerId(sidecar) !== undefined;
      });
    await until("the sidecars work", areThere, starting);
  }

  /** Kills the sidecar of that worker; another one where there is none such. */
  async killSidecar(workerId: string | undefined): Promise<void> {
    const index = this.#findSidecar(workerId);
    await this.#end(this.#sidecars[index], "a sidecar");
    this.#sidecars[index] = undefined;
  }

  /** Freezes the sidecar of that worker, or wakes it. */
  freezeSidecar(workerId: string, isFrozen: boolean): void {
    this.#sidecars[this.#findSidecar(workerId)]?.freeze(isFrozen);
  }

  #findSidecar(workerId: string | undefined): number {
    return Math.max(
      0,
      this.#sidecars.findIndex((sidecar) => findWorkerId(sidecar) === workerId),
    );
  }

  async #end(process: HouseProcess | undefined, what: string): Promise<void> {
    if (process?.endedByItself) {
      this.#surprises.push(
        `${what} ended by itself with ${process.endedByItself}`,
        ...process.lines.slice(-5),
      );
    }
    await process?.kill();
  }

  /** What ended although nobody killed it, since the last time this was asked. */
  takeSurprises(): string[] {
    for (const process of [this.#api, ...this.#sidecars]) {
      if (!process?.endedByItself) continue;
      this.#surprises.push(
        `a process ended by itself with ${process.endedByItself}`,
        ...process.lines.slice(-5),
      );
    }
    return this.#surprises.splice(0);
  }

  /** The last lines of all logs, for a person who looks for the cause. */
  async readLogs(linesMax: number): Promise<string> {
    const api = await readFile(join(this.folder, "parlance.log"), "utf8").catch(() => "");
    const last = (lines: readonly string[]) => lines.slice(-linesMax).join("\n");
    const sidecars = this.#sidecars.map(
      (sidecar, index) => `sidecar ${index}:\n${last(sidecar?.lines ?? [])}`,
    );
    return [`API:\n${last(api.trim().split("\n"))}`, ...sidecars].join("\n");
  }

  /** The files of storage by their names, drafts among them. */
  async listFiles(): Promise<string[]> {
    const entries = await readdir(this.objectsFolder, { recursive: true, withFileTypes: true }).catch(
      () => [],
    );
    return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  }

  /** Files whose bytes are still arriving. */
  listDrafts(): Promise<string[]> {
    return readdir(join(this.objectsFolder, "drafts")).catch(() => []);
  }

  async close(): Promise<void> {
    for (const process of [...this.#sidecars, this.#api]) await process?.kill();
    await this.sql.end({ timeout: 1 });
    try {
      await this.server.close();
    } finally {
      await rm(this.folder, { recursive: true, force: true });
    }
  }
}

function findWorkerId(sidecar: HouseProcess | undefined): string | undefined {
  const line = sidecar?.lines.find((text) => text.includes('"worker.started"'));
  return line && (JSON.parse(line) as { workerId: string }).workerId;
}
