/** A scenario's database, the process that asks for work, and the runners that do it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createId } from "../../../shared/ids.ts";
import { addJob } from "../../../shared/jobs/queue.ts";
import type { Random } from "../../helpers/pictures.ts";
import { until } from "../../helpers/until.ts";
import { HouseProcess } from "../process.ts";
import { patiently, type Server } from "../server.ts";
import { CrewMember } from "./crew.ts";
import type { QueueDatabase, QueueServer } from "./database.ts";
import { doNothing } from "./kinds.ts";

export interface StageOptions {
  readonly seed: number;
  readonly jobs: number;
  /** Work arrives and is hurt for so long. */
  readonly hurtMs: number;
  readonly leaseSeconds: number;
  /** By default as in a sidecar. */
  readonly silenceSeconds?: number | undefined;
  readonly runnersMax: number;
  readonly random: Random;
  /** More environment of the runner with that index; of the enqueuer when it is undefined. */
  readonly environmentOf: (index: number | undefined) => Record<string, string>;
}

const enqueuerScript = join(import.meta.dirname, "enqueuer-process.ts");

export class Stage {
  readonly server: Server;
  readonly database: QueueDatabase;
  readonly options: StageOptions;
  readonly crew: readonly CrewMember[];
  readonly recordPath: string;
  /** How often what was done. */
  readonly hurts = new Map<string, number>();
  readonly #folder: string;
  #enqueuer: HouseProcess | undefined;

  private constructor(
    server: Server,
    database: QueueDatabase,
    stage: { folder: string; crew: CrewMember[] },
    options: StageOptions,
  ) {
    this.server = server;
    this.database = database;
    this.options = options;
    this.crew = stage.crew;
    this.#folder = stage.folder;
    this.recordPath = join(stage.folder, "accepted.jsonl");
  }

  static async open(queue: QueueServer, options: StageOptions): Promise<Stage> {
    const database = await queue.openDatabase();
    const folder = await mkdtemp(join(tmpdir(), "parlance-queue-chaos-"));
    const { leaseSeconds, silenceSeconds, runnersMax, environmentOf } = options;
    const crew = await Promise.all(
      Array.from({ length: runnersMax }, (_, index) =>
        CrewMember.open(index, {
          sidecarUrl: database.sidecarUrl,
          folder,
          leaseSeconds,
          silenceSeconds,
          environment: environmentOf(index),
        }),
      ),
    );
    return new Stage(queue.server, database, { folder, crew }, options);
  }

  note(what: string, count = 1): void {
    this.hurts.set(what, (this.hurts.get(what) ?? 0) + count);
  }

  startEnqueuer(): void {
    const { seed, jobs, hurtMs, environmentOf } = this.options;
    this.#enqueuer = new HouseProcess(
      enqueuerScript,
      {
        DATABASE_URL: this.database.ownerUrl,
        SEED: String(seed),
        JOBS: String(jobs),
        ARRIVE_MS: String(hurtMs),
        RECORD: this.recordPath,
        ...environmentOf(undefined),
      },
      this.#folder,
    );
  }

  async startCrew(): Promise<void> {
    for (const member of this.crew) member.start();
    await Promise.all(this.crew.map((member) => member.awaitReady()));
  }

  /** What was wrong with it, and how often its calls had no clear answer. */
  async awaitEnqueuer(withinMs: number): Promise<{ problems: string[]; unclear: number }> {
    const child = this.#enqueuer;
    const isOver = () => child?.endedWith !== undefined;
    const wait = until("all work was accepted", isOver, { timeoutMs: withinMs, everyMs: 20 });
    const late = await wait.then(
      () => [],
      (error) => [String(error)],
    );
    const lines = child?.lines ?? [];
    const finished = lines.find((line) => line.includes('"finished"'));
    const torn = lines.filter((line) => line.includes('"torn"'));
    const broken = finished ? [] : [`the enqueuer ended with ${child?.endedWith}`, ...lines.slice(-10)];
    const unclear = finished ? (JSON.parse(finished) as { unclear: number }).unclear : 0;
    return { problems: [...late, ...torn, ...broken], unclear };
  }

  /** Waits until no job is open. The wait before a next try is cut short; leases are not. */
  async awaitEnds(withinMs: number): Promise<string[]> {
    const { sql } = this.database;
    const areEnded = () =>
      patiently(async () => {
        // What waits for its first try was told to.
        await sql`
          update parlance.jobs set run_after = now() where state = 'queued' and attempts > 0 and run_after > now()
        `;
        const [open] = await sql<{ count: number }[]>`
          select count(*) from parlance.jobs where finished_at is null and kind like 'chaos.%'
        `;
        return open?.count === 0;
      });
    return until("all jobs ended", areEnded, { timeoutMs: withinMs, everyMs: 100 }).then(
      () => [],
      (error) => [String(error)],
    );
  }

  /** Whether each runner works still: a job that it alone may claim. */
  async probeCrew(withinMs: number): Promise<string[]> {
    const { sql } = this.database;
    const problems: string[] = [];
    for (const { model } of this.crew) {
      const job = { payload: { order: 0, workMs: 0 }, ownerId: null, model, subjectId: createId() };
      const id = await addJob(sql, doNothing, job);
      const isDone = async () => {
        const [row] = await sql<{ state: string }[]>`select state from parlance.jobs where id = ${id}`;
        return row?.state === "done";
      };
      const wait = until("", isDone, { timeoutMs: withinMs, everyMs: 20 });
      await wait.catch(() => problems.push(`${model} lives and no longer works`));
    }
    return problems;
  }

  async stopCrew(withinMs: number): Promise<string[]> {
    return (await Promise.all(this.crew.map((member) => member.stop(withinMs)))).flat();
  }

  async close(): Promise<void> {
    await this.#enqueuer?.kill();
    for (const member of this.crew) await member.close();
    await this.database.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
