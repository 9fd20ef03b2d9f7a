/**
 * The judge: what is not as it must be when a scenario is over, and of which jobs. It believes the rows alone, and for
 * what was accepted the record of who asked.
 */
import type { ChangeFact, EventFact, Expected, Facts, JobFact, LandingFact, StepFact } from "./facts.ts";
import { beCancelled, beLate, failAlways, keepOrder, keepPlace, leaveNothing, stepsMax } from "./kinds.ts";

export interface Problem {
  readonly what: string;
  readonly jobId?: string;
}

export function checkFacts(facts: Facts, expected: Expected): Problem[] {
  const histories = groupByJob(facts);
  return [
    ...checkAcceptance(facts, expected),
    ...facts.jobs.flatMap((job) => checkJob(histories.get(job.id), expected.leaseSeconds)),
    ...findStrays(facts),
    ...checkOrder(facts),
  ];
}

/** All that is known of one job. */
export interface History {
  readonly job: JobFact;
  readonly events: EventFact[];
  readonly changes: ChangeFact[];
  readonly landings: LandingFact[];
  readonly steps: StepFact[];
}

export function groupByJob(facts: Facts): ReadonlyMap<string, History> {
  const histories = new Map<string, History>(
    facts.jobs.map((job) => [job.id, { job, events: [], changes: [], landings: [], steps: [] }]),
  );
  for (const event of facts.events) histories.get(event.jobId)?.events.push(event);
  for (const change of facts.changes) histories.get(change.jobId)?.changes.push(change);
  for (const landing of facts.landings) histories.get(landing.jobId)?.landings.push(landing);
  for (const step of facts.steps) histories.get(step.jobId)?.steps.push(step);
  return histories;
}

function findStrays({ jobs, landings }: Facts): Problem[] {
  const ids = new Set(jobs.map((job) => job.id));
  return landings
    .filter((landing) => !ids.has(landing.jobId))
    .map(({ jobId }) => ({ jobId, what: "landed and is no job" }));
}

/** Each order was accepted once, and what was accepted is there once. */
function checkAcceptance(facts: Facts, { accepted, orders }: Expected): Problem[] {
  const found: Problem[] = [];
  const jobs = new Map(facts.jobs.map((job) => [job.id, job]));
  const bySubject = Map.groupBy(facts.jobs, (job) => job.subjectId ?? "");
  const answers = Map.groupBy(accepted, (answer) => answer.order);
  const rows = new Set(facts.orders);
  for (const [number, order] of orders) {
    const say = (what: string) =>
      found.push({ what: `order ${number} (${order.kind}, ${order.way}) ${what}` });
    const given = answers.get(number) ?? [];
    if (given.length !== 1) say(`was accepted ${given.length} times`);
    for (const { id } of given) {
      if (!jobs.has(id)) say(`was accepted as ${id} and is lost`);
      else if (jobs.get(id)?.kind !== order.kind) say(`was accepted as ${id} of another kind`);
    }
    const made = bySubject.get(order.subjectId) ?? [];
    if (order.way === "same key") continue;
    if (made.length !== 1) say(`has ${made.length} jobs`);
    if (made[0] && made[0].id !== given[0]?.id) say(`was accepted as ${given[0]?.id} and is ${made[0].id}`);
    if ((order.way === "with a row") !== rows.has(number)) say("and its row were not written together");
  }
  return found;
}

const endings = ["done", "failed", "cancelled"];

function checkJob(history: History | undefined, leaseSeconds: number): Problem[] {
  if (!history) return [];
  const { job } = history;
  return [
    ...checkEnd(history),
    ...checkLandings(history),
    ...checkSteps(history),
    ...checkEvents(history),
    ...checkClaims(history),
    ...checkLeases(history, leaseSeconds),
  ].map((what) => ({ jobId: job.id, what: `${job.kind} (${job.state}): ${what}` }));
}

/** It ended, as its kind ends, with a cause where there must be one. */
function checkEnd({ job, changes }: History): string[] {
  const found: string[] = [];
  if (!endings.includes(job.state)) return ["did not end"];
  const ended = changes.filter((change) => endings.includes(change.after)).length;
  if (ended !== 1) found.push(`ended ${ended} times`);
  if (job.state === "failed" && !(job.errorCode && job.errorMessage)) found.push("gives no reason");
  if (job.state === "cancelled" && !(job.isCancelAsked && job.kind === beCancelled.name)) {
    found.push("nobody asked for that");
  }
  if (job.state === "done" && [failAlways.name, beLate.name].includes(job.kind)) found.push("cannot be done");
  if (job.kind === beLate.name && job.attempts > 0) found.push("was begun after its deadline");
  if (job.state === "failed" && !mayHaveFailed(job)) found.push(`failed with ${job.errorCode}`);
  return found;
}

function mayHaveFailed(job: JobFact): boolean {
  if (job.kind === failAlways.name && job.errorCode === "image_undecodable") return true;
  if (job.kind === beLate.name) return job.errorCode === "deadline_exceeded";
  return job.errorCode === "lease_expired" && job.attempts === job.attemptsMax;
}

function checkLandings({ job, landings }: History): string[] {
  if (!endings.includes(job.state)) return landings.length === 0 ? [] : ["landed before its end"];
  const landed = landings.map((landing) => landing.what).join(", ");
  const success = job.kind === leaveNothing.name ? "" : "done";
  return landed === (job.state === "done" ? success : "failure") ? [] : [`landed: ${landed || "never"}`];
}

/** What checkpoints wrote is there once, and of a job that is done all of it. */
function checkSteps({ job, steps }: History): string[] {
  const walked = steps.map(({ step }) => step);
  const isWhole = job.state !== "done" || job.kind !== keepPlace.name || walked.length === stepsMax;
  return isWhole && walked.every((step, index) => step === index + 1)
    ? []
    : [`its steps: ${walked.join(", ")}`];
}

/** What may come before each event. */
const befores: Readonly<Record<string, readonly string[]>> = {
  "job.queued": [""],
  "job.started": ["job.queued", "job.requeued"],
  "job.progressed": ["job.started", "job.progressed", "job.cancelling"],
  "job.cancelling": ["job.started", "job.progressed"],
  "job.requeued": ["job.started", "job.progressed"],
  "job.done": ["job.started", "job.progressed", "job.cancelling"],
  // One that waits fails when its deadline is over.
  "job.failed": ["job.started", "job.progressed", "job.queued", "job.requeued"],
  "job.cancelled": ["job.queued", "job.requeued", "job.progressed", "job.cancelling"],
};

function checkEvents({ job, events }: History): string[] {
  const found: string[] = [];
  if (events.some(({ sequence }, index) => sequence !== index + 1)) found.push("its events have holes");
  if (job.eventSequence !== events.length)
    found.push(`counts ${job.eventSequence} events, has ${events.length}`);
  for (const [index, { event }] of events.entries()) {
    const before = events[index - 1]?.event ?? "";
    if (!befores[event]?.includes(before)) found.push(`${event} follows ${before || "nothing"}`);
  }
  if (endings.includes(job.state) && events.at(-1)?.event !== `job.${job.state}`) {
    found.push("its last event is another");
  }
  return found;
}

/** Each start is a claim greater than the one before, and an attempt that is counted. */
function checkClaims({ job, events, changes }: History): string[] {
  const found: string[] = [];
  const starts = events.filter(({ event }) => event === "job.started").length;
  const claims = changes.filter((change) => change.after === "running").map((change) => change.claim ?? 0);
  if (claims.length !== starts) found.push(`${starts} starts, ${claims.length} claims`);
  if (claims.some((claim, index) => claim <= (claims[index - 1] ?? 0)))
    found.push(`claims ${claims.join(", ")}`);
  if (!isCounted(job, starts)) found.push(`${starts} starts, ${job.attempts} attempts`);
  if (job.attempts > job.attemptsMax) found.push(`${job.attempts} attempts of ${job.attemptsMax}`);
  return found;
}

/** A checkpoint gives all other attempts back, and whoever cancels what was claimed ahead and never begun, that one. */
function isCounted({ kind, state, attempts }: JobFact, starts: number): boolean {
  if (kind === keepPlace.name) return attempts <= starts;
  return attempts === starts || (state === "cancelled" && attempts === starts - 1);
}

/** Leases are measured by the database's clock, whatever a runner's says: none is longer, none is taken early. */
function checkLeases({ changes }: History, leaseSeconds: number): string[] {
  const found: string[] = [];
  for (const { after, isLost, leaseLeftBefore, leaseLeftAfter } of changes) {
    if (after === "running" && Math.abs(leaseLeftAfter ?? 0) > leaseSeconds + 60) {
      found.push(`was given a lease of ${leaseLeftAfter} s`);
    }
    if (isLost && (leaseLeftBefore ?? 0) > 0) {
      found.push(`its lease was taken ${leaseLeftBefore} s early`);
    }
  }
  return found;
}

export const blockSize = 100;

/**
 * Jobs of one owner that were added one block after another, are claimed in that order, whatever clock made their ids.
 * Neighbours may mix: several runners claim at once.
 */
function checkOrder({ jobs, changes }: Facts): Problem[] {
  const firstClaims = new Map<string, number>();
  for (const { jobId, claim } of changes) {
    if (claim !== null && !firstClaims.has(jobId)) firstClaims.set(jobId, claim);
  }
  const ordered = jobs
    .filter((job) => job.kind === keepOrder.name)
    .toSorted((one, other) => one.order - other.order);
  const claims = ordered.map((job) => firstClaims.get(job.id) ?? 0);
  const blocks = Array.from({ length: Math.ceil(claims.length / blockSize) }, (_, index) =>
    claims.slice(index * blockSize, (index + 1) * blockSize),
  );
  return blocks.flatMap((block, index) => {
    const later = blocks[index + 2];
    const isBefore = !later || Math.max(...block) < Math.min(...later);
    return isBefore ? [] : [{ what: `block ${index} of ordered jobs was begun after block ${index + 2}` }];
  });
}
