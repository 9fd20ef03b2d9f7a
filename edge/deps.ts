import type { Sql } from "postgres";
import type { Caller } from "../shared/callers.ts";
import type { Log } from "../shared/log.ts";
import type { CallRecorder } from "./clients/record.ts";
import type { EdgeConfig } from "./config.ts";
import type { ObjectStore } from "./storage/objects.ts";

/** What the process around the app offers to work that is no request; a door gives what its runtime has. */
export interface Surroundings {
  /**
   * Keeps the process up until the work is over, though its request was answered. Missing where a runner in this process
   * hears of jobs by itself.
   */
  readonly keepAlive?: (work: Promise<unknown>) => void;
  /** Aborted when the process is about to end: jobs that run are handed back. */
  readonly ending?: AbortSignal;
  /** The CPU that this process has used so far. */
  readonly cpuUsedMs?: () => number;
}

/** What the app is given: everything that touches the world is made at the door and handed in here. */
export interface Deps extends Surroundings {
  readonly config: EdgeConfig;
  /** Made with `databaseOptions`; its login role may become anon, authenticated and service_role. */
  readonly sql: Sql;
  /** Pictures and what is made of them. */
  readonly objects: ObjectStore;
  /** Files that are imported. */
  readonly files: ObjectStore;
  /** The caller that a token proves; throws `unauthenticated` or `token_expired`. */
  readonly verifyToken: (token: string) => Promise<Caller>;
  readonly log: Log;
  /** Whoever calls a model of another company tells it here, best by `createRecordingFetch`. */
  readonly calls: CallRecorder;
  readonly now: () => Date;
}
