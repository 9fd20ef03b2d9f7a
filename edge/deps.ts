import type { Sql } from "postgres";
import type { Caller } from "../shared/callers.ts";
import type { Log } from "../shared/log.ts";
import type { EdgeConfig } from "./config.ts";
import type { ObjectStore } from "./storage/objects.ts";

/** What the app is given: everything that touches the world is made at the door and handed in here. */
export interface Deps {
  readonly config: EdgeConfig;
  /** Made with `databaseOptions`; its login role may become anon, authenticated and service_role. */
  readonly sql: Sql;
  readonly objects: ObjectStore;
  /** The caller that a token proves; throws `unauthenticated` or `token_expired`. */
  readonly verifyToken: (token: string) => Promise<Caller>;
  readonly log: Log;
  readonly now: () => Date;
}
