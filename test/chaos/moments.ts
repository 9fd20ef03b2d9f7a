/**
 * Waits for the moment of a kill by watching the rows. Where a moment is over in a millisecond a lock holds it: the
 * watcher locks the picture's row, so that whoever writes it next waits until the kill has happened.
 */
import type { Sql } from "postgres";
import { isTransientDatabaseError } from "../../shared/database.ts";
import type { House } from "./house.ts";
import type { Moment, Plan } from "./plan.ts";
import { startSweepOfOrphans } from "./sweeping.ts";

export interface Reached {
  /** The worker that is at this moment, where one is. */
  readonly workerId: string | undefined;
  /** False where the load was over before the moment came; then the kill happens all the same. */
  readonly isReached: boolean;
  /** Lets go of what the watcher held; after the kill. */
  release(): Promise<void>;
}

const watchMsMax = 2_500;

export async function awaitMoment(house: House, plan: Plan): Promise<Reached> {
  await wait(plan.lookAfterMs);
  if (plan.moment === "sweeping") await startSweepOfOrphans(house);
  const reached = await new Watch(house, plan).run(plan.moment);
  await wait(plan.delayMs);
  return reached;
}

interface Found {
  readonly id: string;
  readonly workerId: string | null;
}

type Find = () => Promise<Found | undefined>;

class Watch {
  readonly #house: House;
  readonly #sql: Sql;
  readonly #plan: Plan;
  readonly #deadline = Date.now() + watchMsMax;

  constructor(house: House, plan: Plan) {
    this.#house = house;
    this.#sql = house.sql;
    this.#plan = plan;
  }

  run(moment: Moment): Promise<Reached> {
    const { uploads } = this.#plan;
    const tags = uploads.map((upload) => upload.tag);
    const quick = uploads.filter((upload) => !upload.isSlow && !upload.isAbandoned);
    const keyed = quick.filter((upload) => upload.way === "form" && !upload.isNamed);
    const runs: Record<Moment, () => Promise<Reached>> = {
      any: async () => ({ ...nothingHeld, isReached: true }),
      "bytes arriving": () => this.#see(() => this.#findDraft()),
      "row written": () => this.#see(() => this.#findImage("uploading", tags)),
      accepted: () => this.#see(() => this.#findImage("processing", tags)),
      claimed: () => this.#see(() => this.#findClaimed()),
      "derivatives stored": () => this.#see(() => this.#findDerivative()),
      "object stored": () => this.#hold("uploading", () => this.#findImage("uploading", tagsOf(quick))),
      sweeping: () => this.#see(() => this.#findSweep()),
      landing: () => this.#hold("processing", () => this.#findClaimed()),
      // One that is sent again with its key, so that it could become two pictures.
      "acceptance unanswered": () =>
        this.#leaveUnanswered("uploading", () => this.#findImage("uploading", tagsOf(keyed))),
      "landing unanswered": () => this.#leaveUnanswered("processing", () => this.#findClaimed()),
    };
    return runs[moment]();
  }

  /** The first that is found. */
  async #look(find: Find): Promise<Found | undefined> {
    while (Date.now() < this.#deadline) {
      const found = await find();
      if (found) return found;
      await wait(2);
    }
    return undefined;
  }

  async #see(find: Find): Promise<Reached> {
    const found = await this.#look(find);
    return { ...nothingHeld, workerId: found?.workerId ?? undefined, isReached: found !== undefined };
  }

  /** Locks the picture that is found while it is in that state, and waits until someone else wants to write it. */
  async #hold(state: string, find: Find): Promise<Reached> {
    for (let found = await this.#look(find); found; found = await this.#look(find)) {
      const release = await lockImage(this.#sql, found.id, state);
      if (!release) continue;
      return { workerId: found.workerId ?? undefined, isReached: await this.#someoneWaits("Lock"), release };
    }
    return nothingHeld;
  }

  /** Lets go of who waits, so that it commits and never hears of it. */
  async #leaveUnanswered(state: string, find: Find): Promise<Reached> {
    const held = await this.#hold(state, find);
    const isPossible = held.isReached && (await this.#house.server.leaveCommitsUnanswered());
    await held.release();
    const isReached = isPossible && (await this.#someoneWaits("SyncRep"));
    return { ...held, isReached, release: async () => {} };
  }

  /** For a lock, or for a standby to have its commit too. */
  async #someoneWaits(what: "Lock" | "SyncRep"): Promise<boolean> {
    const waiting = await this.#look(async () => {
      const [row] = await this.#sql<Found[]>`
        select pid::text as id, null as worker_id
        from pg_stat_activity
        where datname = current_database() and ${what} in (wait_event_type, wait_event)
        limit 1
      `;
      return row;
    });
    return waiting !== undefined;
  }

  async #findDraft(): Promise<Found | undefined> {
    const [draft] = await this.#house.listDrafts();
    return draft === undefined ? undefined : { id: draft, workerId: null };
  }

  async #findImage(state: string, tags: readonly string[]): Promise<Found | undefined> {
    const [row] = await this.#sql<Found[]>`
      select id, null as worker_id
      from parlance.images
      where state = ${state}::text::parlance.image_state and keywords[1] = any (${[...tags]}::text[])
      limit 1
    `;
    return row;
  }

  async #findClaimed(): Promise<Found | undefined> {
    const [row] = await this.#sql<Found[]>`
      select subject_id as id, claimed_by as worker_id
      from parlance.jobs
      where state = 'running' and kind = 'images.ingest-image'
      limit 1
    `;
    return row;
  }

  async #findSweep(): Promise<Found | undefined> {
    const [row] = await this.#sql<Found[]>`
      select id, null as worker_id
      from parlance.jobs
      where state = 'running' and kind = 'images.sweep-objects'
      limit 1
    `;
    return row;
  }

  /** A picture in work of which at least one derivative lies in storage. */
  async #findDerivative(): Promise<Found | undefined> {
    const [row] = await this.#sql<Found[]>`
      select jobs.subject_id as id, jobs.claimed_by as worker_id
      from parlance.jobs
      where state = 'running'
        and exists (
          select
          from storage.objects
          where name in (
            jobs.owner_id || '/' || jobs.subject_id || '/display',
            jobs.owner_id || '/' || jobs.subject_id || '/thumbnail'
          )
        )
      limit 1
    `;
    return row;
  }
}

const nothingHeld: Reached = { workerId: undefined, isReached: false, release: async () => {} };

/** Locks a picture while it is in that state; answers what lets go of it, or undefined where it is no longer so. */
async function lockImage(sql: Sql, id: string, state: string): Promise<(() => Promise<void>) | undefined> {
  const locked = Promise.withResolvers<boolean>();
  const released = Promise.withResolvers<void>();
  const holding = sql
    .begin(async (transaction) => {
      // Whatever becomes of other commits, this one waits for nobody.
      await transaction`set local synchronous_commit = local`;
      const rows = await transaction`
        select
        from parlance.images
        where id = ${id} and state = ${state}::text::parlance.image_state
        for update
      `;
      locked.resolve(rows.count > 0);
      if (rows.count > 0) await released.promise;
    })
    // A crash of Postgres takes the lock along.
    .catch((error: unknown) => {
      locked.resolve(false);
      if (!isTransientDatabaseError(error)) throw error;
    });
  if (!(await locked.promise)) return undefined;
  return async () => {
    released.resolve();
    await holding;
  };
}

const tagsOf = (uploads: Plan["uploads"]) => uploads.map((upload) => upload.tag);

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
