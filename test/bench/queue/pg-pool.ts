import { createRequire } from "node:module";
import { join } from "node:path";

/** What is used of `pg`, which comes with the packages that are compared. */
export interface Pool {
  query(text: string, values?: readonly unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
  on(event: "error", listener: () => void): void;
  on(event: "connect", listener: (client: Pick<Pool, "on">) => void): void;
  end(): Promise<void>;
}

export async function openPool(home: string, url: string, max: number): Promise<Pool> {
  const require = createRequire(join(home, "package.json"));
  const { Pool: PgPool } = require("pg") as { Pool: new (options: object) => Pool };
  const pool = new PgPool({ connectionString: url, max });
  // graphile-worker asks for both.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}
