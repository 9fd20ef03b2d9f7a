/** What the actors share: the queue as it looked after the last move, the time, and what was noted. */
import type { Sql } from "postgres";
import type { Claim } from "../../../../shared/jobs/queue.ts";
import type { VirtualClock } from "./clock.ts";
import { type JobPicture, look, type Picture, type Violation } from "./invariants.ts";

export interface Share {
  readonly runningMax: number | null;
  readonly queuedMax: number | null;
}

export interface Registered {
  readonly loaded: readonly string[];
  readonly seenAtMs: number;
}

/** The database's word for a connection that broke before the commit. */
export class ConnectionLost extends Error {}

export class World {
  readonly admin: Sql;
  readonly clock: VirtualClock;
  readonly owners: readonly string[];
  /** Whether moves come one after the other, so that the picture tells what each must answer. */
  readonly isExact: boolean;
  readonly shares = new Map<string, Share>();
  readonly registered = new Map<string, Registered>();
  /** Ids of jobs whose adding was committed, whether or not anyone heard so. */
  readonly accepted = new Set<string>();
  readonly violations: Violation[] = [];
  readonly log: string[] = [];
  picture: Picture = { violations: [], jobs: [], removed: [] };
  readonly #names = new Map<string, string>();

  constructor(options: { admin: Sql; clock: VirtualClock; owners: readonly string[]; isExact: boolean }) {
    this.admin = options.admin;
    this.clock = options.clock;
    this.owners = options.owners;
    this.isExact = options.isExact;
  }

  /** A short name of a job, for readers. */
  name(id: string): string {
    const name = this.#names.get(id) ?? `job-${this.#names.size + 1}`;
    this.#names.set(id, name);
    return name;
  }

  nameClaim({ id, claim }: Claim): string {
    return `${this.name(id)}#${claim}`;
  }

  note(text: string): void {
    this.log.push(text);
  }

  complain(law: string, what: string, jobId: string | null = null): void {
    this.violations.push({ law, jobId, what });
  }

  /** What a call answered must be what the picture before it says; where moves are truly at once, nobody can tell. */
  expectAnswer(call: string, answer: unknown, expected: unknown): void {
    const [told, wanted] = [JSON.stringify(answer), JSON.stringify(expected)];
    if (this.isExact && told !== wanted) {
      this.complain("answers are true", `${call} answered ${told}, expected ${wanted}`);
    }
  }

  find(id: string): JobPicture | undefined {
    return this.picture.jobs.find((job) => job.id === id);
  }

  /** The open job of a unique key, which is its owner's own. */
  findOpen(wanted: Pick<JobPicture, "kind" | "ownerId" | "uniqueKey">): JobPicture | undefined {
    if (wanted.uniqueKey === null) return undefined;
    return this.picture.jobs.find(
      (job) =>
        job.kind === wanted.kind &&
        job.ownerId === wanted.ownerId &&
        job.uniqueKey === wanted.uniqueKey &&
        (job.state === "queued" || job.state === "running"),
    );
  }

  isHeld({ id, claim }: Claim): boolean {
    return this.find(id)?.claim === claim;
  }

  get nowUs(): number {
    return this.clock.ms * 1000;
  }

  /** Looks at everything after a move; nothing is under way. */
  async look(): Promise<void> {
    this.picture = await look(this.admin);
    this.violations.push(...this.picture.violations);
    const there = new Set(this.picture.jobs.map(({ id }) => id));
    const removed = new Set(this.picture.removed);
    for (const id of there) {
      if (!this.accepted.has(id)) this.complain("what is there was accepted", "was not", id);
    }
    for (const id of this.accepted) {
      if (!there.has(id) && !removed.has(id)) this.complain("what was accepted is there", "is gone", id);
    }
  }
}
