import type { Sql } from "postgres";
import { listMessages, listMessagesAfter, readClock, type StoredMessage } from "./store.ts";

/**
 * What the database tells, in the order of commits:
 *
 *   realtime.send ─▶ row ─▶ trigger ─▶ NOTIFY id ─▶ queue ─▶ one query for all that waits ─▶ deliver
 *                                                     ▲
 *   LISTEN again after a lost connection ─▶ rows since the last one, less those delivered
 *
 * Nothing is asked while nothing happens. At most once: a row is delivered or, where the server was away, left to
 * replay. A transaction that wrote its message longer ago than `overlapMs` before the connection was lost, and
 * committed while it was lost, is not announced.
 */
export interface Feed {
  close(): Promise<void>;
}

export interface FeedOptions {
  /** Called with one message after the other; must not throw. */
  readonly deliver: (message: StoredMessage) => void;
  /** Told about a query that failed; the feed goes on. */
  readonly reportError: (error: unknown) => void;
}

const channel = "realtime_messages";
const batchMax = 500;
/** Rows that one interruption may bring live; older ones are left to replay. */
const catchUpPagesMax = 20;
const overlapMs = 60_000;
/** Ids that are remembered so that nothing is delivered twice. */
const rememberedMax = 20_000;
const announcedMax = 100_000;
const retryDelayMs = 500;
const retriesMax = 20;

/** Resolves when the database is listened to: what is committed from then on is delivered. */
export async function startFeed(sql: Sql, options: FeedOptions): Promise<Feed> {
  const state = new FeedState(sql, options, BigInt(await readClock(sql)));
  const { unlisten } = await sql.listen(
    channel,
    (id) => state.announce(id),
    () => state.listened(),
  );
  return {
    close: async () => {
      state.stop();
      await unlisten();
      await state.idle;
    },
  };
}

class FeedState {
  /** Resolves when nothing is being asked. */
  idle: Promise<void> = Promise.resolve();
  readonly #sql: Sql;
  readonly #options: FeedOptions;
  /** Every id delivered lately, with the time of its row, in the order of delivery. */
  readonly #delivered = new Map<string, bigint>();
  /** The time of the latest row, in microseconds. */
  #latest: bigint;
  /** No row before this time is asked for: ids from before may have been forgotten. */
  #floor: bigint;
  #announced: string[] = [];
  #mustCatchUp = false;
  #isPumping = false;
  #isStopped = false;

  constructor(sql: Sql, options: FeedOptions, startMicroseconds: bigint) {
    this.#sql = sql;
    this.#options = options;
    this.#latest = startMicroseconds;
    this.#floor = startMicroseconds;
  }

  announce(id: string): void {
    this.#announced.push(id);
    if (this.#announced.length > announcedMax) {
      this.#announced = [];
      this.#mustCatchUp = true;
    }
    this.#pump();
  }

  /** After the first LISTEN there is nothing to find: the time to catch up from is the time of the start. */
  listened(): void {
    this.#mustCatchUp = true;
    this.#pump();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #pump(): void {
    if (!this.#isPumping) this.idle = this.#work();
  }

  async #work(): Promise<void> {
    this.#isPumping = true;
    for (let failures = 0; this.#hasWork(); ) {
      try {
        if (this.#mustCatchUp) await this.#catchUp();
        await this.#readAnnounced();
        failures = 0;
      } catch (error) {
        this.#options.reportError(error);
        failures += 1;
        if (failures > retriesMax) this.#giveUp();
        else await new Promise((resolve) => setTimeout(resolve, retryDelayMs));
      }
    }
    // In the same breath as the last look: what is announced from now on starts anew.
    this.#isPumping = false;
  }

  #hasWork(): boolean {
    return !this.#isStopped && (this.#mustCatchUp || this.#announced.length > 0);
  }

  /** What waits is left to replay; a connection that comes back catches up by itself. */
  #giveUp(): void {
    this.#announced = [];
    this.#mustCatchUp = false;
  }

  async #readAnnounced(): Promise<void> {
    const ids = this.#announced.splice(0, batchMax);
    const unknown = ids.filter((id) => !this.#delivered.has(id) && isUuid(id));
    if (unknown.length === 0) return;
    try {
      const rows = await listMessages(this.#sql, unknown);
      const byId = new Map(rows.map((row) => [row.id, row]));
      for (const id of unknown) this.#deliver(byId.get(id));
    } catch (error) {
      this.#announced.unshift(...unknown);
      throw error;
    }
  }

  async #catchUp(): Promise<void> {
    this.#mustCatchUp = false;
    try {
      await this.#readMissed();
    } catch (error) {
      this.#mustCatchUp = true;
      throw error;
    }
  }

  async #readMissed(): Promise<void> {
    const overlapped = this.#latest - BigInt(overlapMs) * 1000n;
    const start = overlapped > this.#floor ? overlapped : this.#floor;
    let after = { insertedMicroseconds: String(start), writeOrder: 0 };
    for (let page = 0; page < catchUpPagesMax; page += 1) {
      const rows = await listMessagesAfter(this.#sql, after, batchMax);
      for (const row of rows) this.#deliver(row);
      const last = rows.at(-1);
      if (rows.length < batchMax || !last) return;
      after = last;
    }
  }

  #deliver(row: StoredMessage | undefined): void {
    if (!row || this.#delivered.has(row.id) || this.#isStopped) return;
    this.#remember(row.id, BigInt(row.insertedMicroseconds));
    this.#options.deliver(row);
  }

  #remember(id: string, microseconds: bigint): void {
    if (microseconds > this.#latest) this.#latest = microseconds;
    this.#delivered.set(id, microseconds);
    if (this.#delivered.size <= rememberedMax) return;
    for (const [oldest, oldestMicroseconds] of this.#delivered) {
      this.#delivered.delete(oldest);
      if (oldestMicroseconds >= this.#floor) this.#floor = oldestMicroseconds + 1n;
      return;
    }
  }
}

/** Every role may NOTIFY; what is not an id is nobody's message. */
function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}
