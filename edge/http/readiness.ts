import type { Sql } from "postgres";
import { describeError } from "../../shared/log.ts";
import type { Deps } from "../deps.ts";
import { withinTime } from "./deadlines.ts";

export interface PartState {
  readonly isReady: boolean;
  readonly tookMs: number;
}

export interface Readiness {
  readonly isReady: boolean;
  readonly parts: Readonly<Record<"database" | "storage" | "sidecar", PartState>>;
}

const partTimeoutMs = 2_000;

/** What the app cannot do its work without, all asked at once. Why a part is not ready is for the log only. */
export async function checkReadiness(deps: Deps): Promise<Readiness> {
  const [database, storage, sidecar] = await Promise.all([
    checkPart(deps, "database", async () => (await deps.sql`select 1`).length === 1),
    checkPart(deps, "storage", async () => {
      await deps.objects.ensureBucket();
      return true;
    }),
    checkPart(deps, "sidecar", () => isSidecarAlive(deps.sql)),
  ]);
  const parts = { database, storage, sidecar };
  return { isReady: Object.values(parts).every((part) => part.isReady), parts };
}

async function checkPart(deps: Deps, part: string, check: () => Promise<boolean>): Promise<PartState> {
  const startedAtMs = performance.now();
  const isReady = await withinTime(check(), partTimeoutMs).catch((error) => {
    deps.log.warn("part.not-ready", { part, error: describeError(error) });
    return false;
  });
  return { isReady, tookMs: Math.round(performance.now() - startedAtMs) };
}

async function isSidecarAlive(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ isAlive: boolean }[]>`
    select parlance.worker_is_alive('images.ingest-image') as is_alive
  `;
  return row?.isAlive ?? false;
}
