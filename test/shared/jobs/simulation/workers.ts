/**
 * Workers and what they do with their claims, for better or worse: they sleep past their lease and go on as if nothing
 * had been, lose answers, and send again. How they end them stands in endings.ts.
 */
import type { Sql, TransactionSql } from "postgres";
import type { JobLane } from "../../../../shared/jobs/contract.ts";
import {
  type ClaimedJob,
  claimJobs,
  heartbeatJobs,
  reportProgress,
  saveJobCursor,
} from "../../../../shared/jobs/queue.ts";
import { createTurnMemory } from "../../../../shared/jobs/turns.ts";
import type { SimulatedKind } from "./kinds.ts";
import { findDue, judgeClaim } from "./oracle.ts";
import type { Choices } from "./random.ts";
import { ConnectionLost, type World } from "./world.ts";

export interface Held extends ClaimedJob {
  /** As the worker counts them. */
  checkpoints: number;
}

export interface WorkerOptions {
  readonly sql: Sql;
  readonly id: string;
  readonly name: string;
  readonly kinds: readonly SimulatedKind[];
  readonly models: readonly string[];
  readonly loaded: readonly string[];
  readonly leaseSeconds: number;
}

export class Worker {
  readonly options: WorkerOptions;
  readonly world: World;
  readonly #memories;
  /** With those that it lost and does not know, or does not care, to have lost. */
  held: Held[] = [];

  constructor(world: World, options: WorkerOptions) {
    this.world = world;
    this.options = options;
    const remember = () => createTurnMemory(() => world.clock.ms);
    this.#memories = { interactive: remember(), bulk: remember() };
  }

  /** Tells that it lives and what it has in memory. */
  async register(): Promise<void> {
    const { id, loaded, models, kinds } = this.options;
    await this.world.admin`
      insert into parlance.workers (id, runner, device, provider, kinds, models, loaded, last_seen_at)
      values (${id}, 'sidecar', 'none', 'none', ${kinds.map(({ name }) => name)}, ${[...models]}, ${[...loaded]}, public.virtual_now())
      on conflict (id) do update set last_seen_at = excluded.last_seen_at
    `;
    this.world.registered.set(id, { loaded, seenAtMs: this.world.clock.ms });
  }

  /** Answers what it claimed. */
  async claim(lane: JobLane, jobsMax: number, how: { remembers: boolean; hears: boolean }): Promise<number> {
    const { sql, id: workerId, kinds, models, loaded, leaseSeconds } = this.options;
    const look = how.remembers ? this.#memories[lane].begin() : undefined;
    const afterTurn = look?.afterTurn ?? 0;
    const options = { workerId, kinds, lane, jobsMax, leaseSeconds, models, loaded, afterTurn };
    const due = findDue(this.world, options);
    const claimed = await claimJobs(sql, options);
    this.note(
      `claims ${jobsMax} of ${lane} after ${afterTurn}: ${claimed.map((job) => this.world.nameClaim(job)).join(" ") || "none"}${how.hears ? "" : ", answer lost"}`,
    );
    await judgeClaim(this.world, { options, due, claimed });
    if (!how.hears) return claimed.length;
    look?.end(claimed);
    this.held.push(...claimed.map((job) => ({ ...job, checkpoints: 0 })));
    return claimed.length;
  }

  async die(): Promise<void> {
    this.note("dies");
    this.held = [];
  }

  async heartbeat(): Promise<void> {
    const { sql, leaseSeconds } = this.options;
    const answer = await heartbeatJobs(sql, this.held, leaseSeconds);
    const told = answer.map(
      (one) => `${this.world.nameClaim(one)}${one.cancelRequested ? " to be cancelled" : ""}`,
    );
    const expected = this.held
      .filter((job) => this.world.isHeld(job))
      .map(
        (job) =>
          `${this.world.nameClaim(job)}${this.world.find(job.id)?.isCancelling ? " to be cancelled" : ""}`,
      );
    this.note(`heartbeat: ${told.join(" ") || "none"}`);
    this.world.expectAnswer("heartbeat_jobs", told.sort(), expected.sort());
  }

  async progress(job: Held, random: Choices): Promise<void> {
    const total = random.chance(0.7) ? 4 + random.below(2) : null;
    const progress = {
      done: random.below(5),
      total,
      partial: random.chance(0.3) ? { n: random.below(9) } : undefined,
    };
    const isHeld = await reportProgress(this.options.sql, job, progress);
    this.note(`progress ${progress.done}/${total} of ${this.world.nameClaim(job)}: ${isHeld}`);
    this.world.expectAnswer("report_progress", isHeld, this.world.isHeld(job));
    this.forgetLost(job, isHeld, random);
  }

  /** What it has no answer of it sends again, at once or when it comes to it. */
  async checkpoint(job: Held, random: Choices): Promise<void> {
    const number = job.checkpoints + 1;
    const saved = this.world.find(job.id)?.checkpoints ?? 0;
    const fits = this.world.isHeld(job) && (number === saved || number === saved + 1);
    const end = random.weighted([
      ["heard", 6],
      ["answer lost", 1],
      ["sent again", 2],
      ["connection lost", 1],
    ] as const);
    const answer = await this.#saveCheckpoint(job, number, end === "connection lost");
    this.note(`checkpoint ${number} of ${this.world.nameClaim(job)}: ${answer}, ${end}`);
    this.world.expectAnswer(
      "save_job_cursor",
      answer,
      fits ? (number === saved ? "known" : "saved") : undefined,
    );
    if (end === "sent again") {
      const again = await this.#saveCheckpoint(job, number, false);
      this.world.expectAnswer("save_job_cursor, sent again", again, fits ? "known" : undefined);
    }
    if ((end === "heard" || end === "sent again") && answer) job.checkpoints = number;
    this.forgetLost(job, answer !== undefined, random);
  }

  async #saveCheckpoint(job: Held, number: number, isLost: boolean): Promise<string | undefined> {
    let answer: string | undefined;
    await this.transaction(async (transaction) => {
      answer = await saveJobCursor(transaction, job, { cursor: { number }, number });
      if (answer === "saved") {
        await transaction`insert into public.steps (job_id, claim, number) values (${job.id}, ${job.claim}, ${number})`;
      }
      if (isLost) throw new ConnectionLost();
    });
    return answer;
  }

  /** One that may be lost before its commit. */
  async transaction(work: (transaction: TransactionSql) => Promise<void>): Promise<void> {
    try {
      await this.options.sql.begin(work);
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
    }
  }

  /** It drops what is over, as a rule; now and then it goes on with it. */
  forgetLost(job: Held, isHeld: boolean, random: Choices): void {
    if (!isHeld && random.chance(0.35)) this.held = this.held.filter((one) => one !== job);
  }

  note(text: string): void {
    this.world.note(`${this.options.name} ${text}`);
  }
}
