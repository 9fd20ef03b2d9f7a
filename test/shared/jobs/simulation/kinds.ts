/** Kinds with every limit there is; what they land can be held against what the job's row says. */
import type { TransactionSql } from "postgres";
import { z } from "zod";
import type { EndingJob, JobKind } from "../../../../shared/jobs/kinds.ts";

export const Payload = z.object({ text: z.string() });
export type Payload = z.infer<typeof Payload>;

/** The claim stands in the outcome, so that a landing names the one that it belongs to. */
export interface Outcome {
  readonly claim: number;
  readonly isRefused: boolean;
}

export type SimulatedKind = JobKind<Payload, Outcome>;

/** What a database says that does not want a row. */
export class LandingRefused extends Error {}

async function land(sql: TransactionSql, job: EndingJob, outcome: string, claim: number | null = null) {
  await sql`select public.land(${job.id}, ${claim}, ${outcome})`;
}

function simulatedKind(
  name: string,
  lane: SimulatedKind["lane"],
  more: Partial<SimulatedKind>,
): SimulatedKind {
  return {
    name,
    lane,
    runner: "sidecar",
    payload: Payload,
    attemptsMax: 3,
    timeoutMs: 60_000,
    summarize: ({ claim }) => ({ claim }),
    async land(transaction, job, { claim, isRefused }) {
      await land(transaction, job, "done", claim);
      if (isRefused) throw new LandingRefused();
    },
    landFailure: (transaction, job, error) =>
      land(transaction, job, error.code === "cancelled" ? "cancelled" : "failed"),
    landRetry: (transaction, job) => land(transaction, job, "retried"),
    ...more,
  };
}

export const kinds: readonly SimulatedKind[] = [
  simulatedKind("test.paint-wall", "bulk", {}),
  simulatedKind("test.ask-colour", "interactive", { attemptsMax: 2 }),
  simulatedKind("test.mix-paint", "bulk", { runningMax: 2, runningPerOwnerMax: 1 }),
  simulatedKind("test.dry-wall", "bulk", { deadlineMs: 20_000, attemptsMax: 5, queuedMax: 8 }),
  simulatedKind("test.show-colour", "interactive", { runningPerOwnerMax: 2, queuedPerOwnerMax: 4 }),
];
export const kindsByName: ReadonlyMap<string, SimulatedKind> = new Map(
  kinds.map((kind) => [kind.name, kind]),
);

/** The same, but failures cannot be landed. */
export const refusingKinds: ReadonlyMap<string, SimulatedKind> = new Map(
  kinds.map((kind) => [
    kind.name,
    {
      ...kind,
      async landFailure(transaction, job, error) {
        await kind.landFailure(transaction, job, error);
        throw new LandingRefused();
      },
    },
  ]),
);

export function getKind(name: string): SimulatedKind {
  const kind = kindsByName.get(name);
  if (!kind) throw new Error(`there is no kind ${name}`);
  return kind;
}
