/**
 * How a worker is seen, so that others know whether jobs of a kind are run by anyone: its row in the table of workers,
 * written again every few seconds, gone when it ends.
 */
import type { Sql } from "postgres";

export interface Presence {
  readonly id: string;
  readonly runner: "sidecar" | "edge";
  /** Where it runs models; `none` where it runs no models. */
  readonly device: string;
  /** What runs the models there: `cpu`, `webgpu` or `cuda`, or `none`. */
  readonly provider: string;
  readonly kinds: readonly string[];
  /** Models that it offers to run. */
  readonly models: readonly string[];
  /** Models in memory now. */
  readonly loaded: readonly string[];
  readonly memoryBytes: number;
  readonly versions: Readonly<Record<string, string>>;
  /** Who drains takes nothing new; nobody should wait for it. */
  readonly state: "running" | "draining";
}

export async function reportWorker(sql: Sql, presence: Presence): Promise<void> {
  await sql`
    select parlance.report_worker(
      ${presence.id},
      ${presence.runner},
      ${presence.device},
      ${presence.provider},
      ${[...presence.kinds]}::text[],
      ${[...presence.models]}::text[],
      ${[...presence.loaded]}::text[],
      ${presence.memoryBytes},
      ${sql.json(presence.versions)},
      ${presence.state}
    )
  `;
}

export async function removeWorker(sql: Sql, id: string): Promise<void> {
  await sql`select parlance.remove_worker(${id})`;
}
