import type { Sql } from "postgres";
import type { LocalDatabase } from "../../../../supabase/local/database.ts";

export interface Simulation extends AsyncDisposable {
  readonly admin: Sql;
  /** Names of the functions that read the virtual clock. */
  readonly functions: readonly string[];
  readonly database: LocalDatabase;
  readonly clients: { readonly service: Sql; readonly sidecars: readonly Sql[] };
}
