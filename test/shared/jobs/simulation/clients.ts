/** Everyone but the workers: who adds, cancels, retries and rescues jobs, and who sets shares. */
import type { Sql, TransactionSql } from "postgres";
import { AppError } from "../../../../shared/errors.ts";
import type { JobState } from "../../../../shared/jobs/contract.ts";
import { addJobs, cancelJob, rescueJobs, retryJob } from "../../../../shared/jobs/queue.ts";
import type { JobPicture } from "./invariants.ts";
import { kindsByName, LandingRefused, refusingKinds } from "./kinds.ts";
import { isTooMany } from "./oracle.ts";
import type { Choices } from "./random.ts";
import { describeRequest, planRequest, type Request } from "./requests.ts";
import { ConnectionLost, type World } from "./world.ts";

export class Client {
  readonly #world: World;
  readonly #sql: Sql;
  readonly #name: string;
  /** What was added, to be sent again by whoever believes that it was not. */
  readonly #sent: Request[] = [];

  constructor(world: World, sql: Sql, name: string) {
    this.#world = world;
    this.#sql = sql;
    this.#name = name;
  }

  async add(random: Choices): Promise<void> {
    const request = planRequest(this.#world, random);
    const expected = this.#expectAdded(request);
    const end = random.weighted([
      ["heard", 8],
      ["sent again", 1],
      ["connection lost", 1],
    ] as const);
    const answer = await this.#send(request, end === "connection lost");
    if (end === "sent again" && answer !== "refused") {
      this.#world.expectAnswer("add_jobs, sent again", await this.#send(request, false), answer);
    }
    this.#note(
      `adds ${describeRequest(request)}: ${answer === "refused" ? answer : answer.map((id) => this.#world.name(id)).join(" ")}, ${end}`,
    );
    this.#world.expectAnswer("add_jobs", answer, expected);
  }

  /** Long after it was added, and whatever became of it: nothing happens. */
  async addAgain(random: Choices): Promise<void> {
    if (this.#sent.length === 0) return;
    const request = random.pick(this.#sent);
    // An id that was removed is one that nobody knows.
    if (request.jobs.some(({ id }) => !this.#world.find(id))) return;
    const answer = await this.#send(request, false);
    this.#note(`adds again ${request.jobs.map(({ id }) => this.#world.name(id)).join(" ")}`);
    this.#world.expectAnswer(
      "add_jobs, long after",
      answer,
      request.jobs.map(({ id }) => id),
    );
  }

  #expectAdded({ kind, ownerId, jobs }: Request): "refused" | string[] {
    const ids = jobs.map((job) => {
      const open = this.#world.findOpen({ kind: kind.name, ownerId, uniqueKey: job.uniqueKey ?? null });
      const isTaken = open && (open.state === "queued" || (job.onOpen ?? "skip") === "skip");
      return isTaken ? open.id : job.id;
    });
    const added = jobs.filter(({ id }) => ids.includes(id));
    return isTooMany(this.#world, kind, ownerId, added.length) ? "refused" : ids;
  }

  async #send(request: Request, isLost: boolean): Promise<"refused" | string[]> {
    let answer: string[] = [];
    try {
      await this.#sql.begin(async (transaction) => {
        answer = await addJobs(transaction, request.kind, request.jobs);
        if (isLost) throw new ConnectionLost();
      });
      const added = request.jobs.filter(({ id }) => answer.includes(id));
      for (const { id } of added) this.#world.accepted.add(id);
      if (added.length === request.jobs.length) this.#sent.push(request);
    } catch (error) {
      if (error instanceof AppError && error.code === "quota_exceeded") return "refused";
      if (!(error instanceof ConnectionLost)) throw error;
    }
    return answer;
  }

  async cancel(random: Choices): Promise<void> {
    const job = this.#pick(random);
    if (!job) return;
    let state: JobState | undefined;
    const isLost = random.chance(0.1);
    await this.#transaction(async (transaction) => {
      state = await cancelJob(transaction, kindsByName, asEnding(job));
      if (isLost) throw new ConnectionLost();
    });
    this.#note(`cancels ${this.#world.name(job.id)}: ${state}${isLost ? ", connection lost" : ""}`);
    this.#world.expectAnswer("cancel_job", state, job.state === "queued" ? "cancelled" : job.state);
  }

  async retry(random: Choices): Promise<void> {
    const failed = this.#world.picture.jobs.filter(({ state }) => state === "failed");
    const job = failed.length > 0 && random.chance(0.9) ? random.pick(failed) : this.#pick(random);
    if (!job) return;
    const isOpen = this.#world.findOpen(job) !== undefined;
    let answer: boolean | string = false;
    try {
      await this.#sql.begin(async (transaction) => {
        answer = await retryJob(transaction, kindsByName, asEnding(job));
      });
    } catch (error) {
      if (!(error instanceof AppError && error.code === "conflict")) throw error;
      answer = error.code;
    }
    this.#note(`retries ${this.#world.name(job.id)}: ${answer}`);
    const expected = isOpen ? "conflict" : true;
    this.#world.expectAnswer("retry_job", answer, job.state === "failed" ? expected : false);
  }

  /** What stopped being done, and what waited too long. */
  async rescue(random: Choices): Promise<void> {
    const jobsMax = random.pick([1, 3, 1000]);
    const isRefusing = random.chance(0.15);
    const over = this.#world.picture.jobs.filter((job) =>
      job.state === "running"
        ? (job.leaseUs ?? 0) < this.#world.nowUs
        : job.state === "queued" && (job.deadlineUs ?? Number.POSITIVE_INFINITY) < this.#world.nowUs,
    );
    let answer: number | string;
    try {
      answer = await rescueJobs(this.#sql, isRefusing ? refusingKinds : kindsByName, jobsMax);
    } catch (error) {
      if (!(error instanceof AggregateError) || !error.errors.every((one) => one instanceof LandingRefused))
        throw error;
      answer = `${error.errors.length} refused`;
    }
    this.#note(`rescues ${jobsMax}${isRefusing ? ", landings refused" : ""}: ${answer}`);
    if (!isRefusing) this.#world.expectAnswer("expire_jobs", answer, Math.min(jobsMax, over.length));
  }

  async rescueAll(): Promise<void> {
    this.#note(`rescues all: ${await rescueJobs(this.#sql, kindsByName)}`);
  }

  /** Removes what ended, and events, of so long ago; what is removed is counted before. */
  async prune(random: Choices): Promise<void> {
    const [endedSeconds, eventsSeconds] = [random.pick([0, 60, 3600, 1e6]), random.pick([0, 60, 3600, 1e6])];
    const rowsMax = random.pick([1, 4, 1000]);
    const [row] = await this.#sql<{ rows: number }[]>`
      select parlance.prune_jobs(
        public.virtual_now() - make_interval(secs => ${endedSeconds}),
        public.virtual_now() - make_interval(secs => ${eventsSeconds}),
        ${rowsMax}
      ) as rows
    `;
    this.#note(
      `prunes jobs of ${endedSeconds} s ago, events of ${eventsSeconds} s ago, ${rowsMax} at most: ${row?.rows}`,
    );
  }

  async count(random: Choices): Promise<void> {
    const jobsMax = 1 + random.below(3);
    const [row] = await this.#sql<{ jobs: number }[]>`select parlance.count_ended_jobs(${jobsMax}) as jobs`;
    this.#note(`counts ${jobsMax} at most: ${row?.jobs}`);
  }

  async share(random: Choices): Promise<void> {
    const ownerId = random.pick(this.#world.owners);
    const weight = random.pick([0.1, 1, 5]);
    const runningMax = random.chance(0.6) ? 1 + random.below(2) : null;
    const queuedMax = random.chance(0.3) ? 2 + random.below(6) : null;
    await this.#sql`
      insert into parlance.job_shares (owner_id, weight, running_max, queued_max)
      values (${ownerId}, ${weight}, ${runningMax}, ${queuedMax})
      on conflict (owner_id) do update
      set weight = excluded.weight, running_max = excluded.running_max, queued_max = excluded.queued_max
    `;
    this.#world.shares.set(ownerId, { runningMax, queuedMax });
    this.#note(
      `gives owner-${this.#world.owners.indexOf(ownerId)} the weight ${weight}, running ${runningMax}, queued ${queuedMax}`,
    );
  }

  #pick(random: Choices): JobPicture | undefined {
    const { jobs } = this.#world.picture;
    return jobs.length === 0 ? undefined : random.pick(jobs);
  }

  async #transaction(work: (transaction: TransactionSql) => Promise<void>): Promise<void> {
    try {
      await this.#sql.begin(work);
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
    }
  }

  #note(text: string): void {
    this.#world.note(`${this.#name} ${text}`);
  }
}

function asEnding({ id, kind, ownerId }: JobPicture) {
  return { id, kind, ownerId, subjectId: null };
}
