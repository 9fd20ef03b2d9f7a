/**
 * How much CPU a tick may still use. Supabase ends an isolate that has used two seconds, and tells nobody how much it
 * has used: there each run counts as much as its kind says. Where the runtime tells, what was used counts.
 */
import type { AnyJobKind } from "../../shared/jobs/kinds.ts";

/** Of a kind that does not say. */
const sliceMsDefault = 100;

type Costly = Pick<AnyJobKind, "cpuMs">;

export interface CpuBudget {
  /** Whether a run of that kind, or its next slice, may begin beside what is under way. */
  fits(kind: Costly): boolean;
  begin(kind: Costly): void;
  /** A slice is over; answers whether the next one may begin. */
  goOn(kind: Costly): boolean;
  end(kind: Costly): void;
}

export function createCpuBudget(budgetMs: number, usedMs?: () => number): CpuBudget {
  const usedBeforeMs = usedMs?.() ?? 0;
  let countedMs = 0;
  let underWayMs = 0;
  const leftMs = () => budgetMs - underWayMs - (usedMs ? usedMs() - usedBeforeMs : countedMs);
  return {
    fits: (kind) => sliceMs(kind) <= leftMs(),
    begin(kind) {
      underWayMs += sliceMs(kind);
    },
    goOn(kind) {
      countedMs += sliceMs(kind);
      return leftMs() >= 0;
    },
    end(kind) {
      underWayMs -= sliceMs(kind);
      countedMs += sliceMs(kind);
    },
  };
}

function sliceMs({ cpuMs = sliceMsDefault }: Costly): number {
  return cpuMs;
}
