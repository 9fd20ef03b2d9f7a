/** What the queue should answer, worked out in the plainest way from what it looks like. */
import type { ClaimOptions } from "../../../../shared/jobs/queue.ts";
import type { JobPicture } from "./invariants.ts";
import { getKind, type SimulatedKind } from "./kinds.ts";
import type { World } from "./world.ts";

/** What this worker may claim, limits and turns aside; looked at before the claim. */
export function findDue(world: World, options: ClaimOptions): JobPicture[] {
  const elsewhere = modelsElsewhere(world, options);
  const names = new Set(options.kinds.map(({ name }) => name));
  return world.picture.jobs.filter(
    (job) =>
      job.state === "queued" &&
      names.has(job.kind) &&
      job.lane === options.lane &&
      (job.turn !== null || job.runAfterUs <= world.nowUs) &&
      (job.deadlineUs === null || job.deadlineUs > world.nowUs) &&
      mayTakeModel(world, options, elsewhere, job),
  );
}

const isSuspect = (job: JobPicture) => job.leaseLosses > 1;

/** Without those that lost two workers, but for the first of them: if the worker holds none, or it has waited for long. */
function leaveSuspects(
  world: World,
  options: ClaimOptions,
  turns: readonly { readonly id: string }[],
  eligible: readonly JobPicture[],
): JobPicture[] {
  const { jobs } = world.picture;
  const holdsOne = jobs.some(
    (job) =>
      isSuspect(job) &&
      job.state === "running" &&
      job.claimedBy === options.workerId &&
      (job.leaseUs ?? 0) > world.nowUs,
  );
  const patient = { ...options, patienceSeconds: -1 };
  const possible = findDue(world, patient).filter(isSuspect);
  const first = turns.flatMap(({ id }) => possible.find((job) => job.id === id) ?? [])[0];
  const isTaken = first && (!holdsOne || first.runAfterUs < world.nowUs - 600e6);
  return eligible.filter((job) => !isSuspect(job) || (isTaken && job.id === first.id));
}

function mayTakeModel(
  world: World,
  options: ClaimOptions,
  elsewhere: ReadonlySet<string>,
  job: JobPicture,
): boolean {
  if (job.model === null) return true;
  if (!options.models?.includes(job.model)) return false;
  return !elsewhere.has(job.model) || job.runAfterUs < world.nowUs - (options.patienceSeconds ?? 2) * 1e6;
}

/** Models that another living worker has in memory, and this one has not. */
function modelsElsewhere(world: World, options: ClaimOptions): ReadonlySet<string> {
  const { models = [], loaded = models } = options;
  if (models.length <= loaded.length) return new Set();
  const others = [...world.registered].filter(
    ([id, { seenAtMs }]) => id !== options.workerId && seenAtMs > world.clock.ms - 20_000,
  );
  return new Set(others.flatMap(([, worker]) => worker.loaded.filter((model) => !loaded.includes(model))));
}

function takeFitting(world: World, eligible: readonly JobPicture[], jobsMax: number): JobPicture[] {
  const running = world.picture.jobs.filter(({ state }) => state === "running");
  const taken: JobPicture[] = [];
  for (const job of eligible) {
    const busy = [...running, ...taken];
    const kind = getKind(job.kind);
    const ofKind = busy.filter((one) => one.kind === job.kind);
    const share = job.ownerId === null ? undefined : world.shares.get(job.ownerId);
    const fits =
      ofKind.length < (kind.runningMax ?? Number.POSITIVE_INFINITY) &&
      ofKind.filter((one) => one.ownerId === job.ownerId).length <
        (kind.runningPerOwnerMax ?? Number.POSITIVE_INFINITY) &&
      busy.filter((one) => one.ownerId === job.ownerId).length <
        (share?.runningMax ?? Number.POSITIVE_INFINITY);
    if (fits && taken.length < jobsMax) taken.push(job);
  }
  return taken;
}

export interface Claiming {
  readonly options: ClaimOptions;
  readonly due: readonly JobPicture[];
  readonly claimed: readonly { readonly id: string; readonly turn: number }[];
}

/**
 * Judges a claim: who is due and first by turn is claimed, and where nothing is limited, those after the first in their
 * order. What waited for its time takes its turn in the claim, so the turns are those after it.
 */
export async function judgeClaim(world: World, { options, due, claimed }: Claiming): Promise<void> {
  if (!world.isExact) return;
  const rows = await world.admin<{ id: string; turn: number }[]>`
    select id, turn from parlance.jobs where turn is not null order by turn, id
  `;
  const ahead = rows.filter(({ turn }) => turn > (options.afterTurn ?? 0));
  const inOrder = ahead.flatMap(({ id }) => due.find((job) => job.id === id) ?? []);
  const eligible = leaveSuspects(world, options, rows, inOrder);
  const ids = claimed.map(({ id }) => id);
  const isLimited =
    options.kinds.some((kind) => kind.runningMax !== undefined || kind.runningPerOwnerMax !== undefined) ||
    [...world.shares.values()].some(({ runningMax }) => runningMax !== null);
  if (!isLimited) {
    const expected = eligible.slice(0, options.jobsMax).map(({ id }) => id);
    world.expectAnswer("claim_jobs", ids, expected);
    return;
  }
  world.expectAnswer("claim_jobs: the first", ids[0], takeFitting(world, eligible, options.jobsMax)[0]?.id);
  const strangers = ids.filter((id) => !eligible.some((job) => job.id === id));
  world.expectAnswer("claim_jobs: those that may not be claimed", strangers, []);
  const turns = claimed.map(({ turn }) => turn);
  world.expectAnswer(
    "claim_jobs: turns",
    turns,
    turns.toSorted((one, other) => one - other),
  );
}

/** Whether as many more would be more than may wait. */
export function isTooMany(world: World, kind: SimulatedKind, ownerId: string | null, jobs: number): boolean {
  if (jobs === 0) return false;
  const queued = world.picture.jobs.filter(({ state }) => state === "queued");
  const ofKind = queued.filter((job) => job.kind === kind.name);
  const ofOwner = (list: readonly JobPicture[]) => list.filter((job) => job.ownerId === ownerId);
  const share = ownerId === null ? undefined : world.shares.get(ownerId);
  const perOwnerMax = ownerId === null ? undefined : kind.queuedPerOwnerMax;
  return (
    ofKind.length + jobs > (kind.queuedMax ?? Number.POSITIVE_INFINITY) ||
    ofOwner(ofKind).length + jobs > (perOwnerMax ?? Number.POSITIVE_INFINITY) ||
    ofOwner(queued).length + jobs > (share?.queuedMax ?? Number.POSITIVE_INFINITY)
  );
}
