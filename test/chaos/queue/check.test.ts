/** The judge of the queue: silent about jobs in order, and it names each thing that is not. */
import { expect, test } from "vitest";
import { checkFacts } from "./check.ts";
import type { ChangeFact, EventFact, Expected, Facts, JobFact } from "./facts.ts";
import { beCancelled, beLate, doNothing, failAlways, keepOrder, keepPlace, stepsMax } from "./kinds.ts";

const done: JobFact = {
  id: "job",
  kind: doNothing.name,
  subjectId: "subject",
  order: 0,
  state: "done",
  attempts: 2,
  attemptsMax: 8,
  errorCode: null,
  errorMessage: null,
  isCancelAsked: false,
  eventSequence: 5,
};

const listEvents = (...names: string[]): EventFact[] =>
  names.map((name, index) => ({ jobId: "job", sequence: index + 1, event: `job.${name}` }));

const claim = (number: number): ChangeFact => ({
  jobId: "job",
  before: "queued",
  after: "running",
  claim: number,
  isLost: false,
  leaseLeftBefore: null,
  leaseLeftAfter: 3,
});

const release = (after: string, change: Partial<ChangeFact> = {}): ChangeFact => ({
  jobId: "job",
  before: "running",
  after,
  claim: null,
  isLost: false,
  leaseLeftBefore: 2,
  leaseLeftAfter: null,
  ...change,
});

const reclaim = release("queued", { isLost: true, leaseLeftBefore: -1 });

const facts: Facts = {
  jobs: [done],
  events: listEvents("queued", "started", "requeued", "started", "done"),
  changes: [claim(1), reclaim, claim(7), release("done")],
  landings: [{ jobId: "job", what: "done", code: null }],
  steps: [],
  orders: [0],
};

const expected: Expected = {
  accepted: [{ id: "job", order: 0, way: "with a row" }],
  orders: new Map([[0, { kind: doNothing.name, subjectId: "subject", way: "with a row" }]]),
  leaseSeconds: 3,
};

const judge = (changed: Facts, changedExpected: Expected = expected) =>
  checkFacts(changed, changedExpected).map(({ what }) => what);

test("jobs in order are met with silence", () => {
  expect(judge(facts)).toEqual([]);
});

test("a job that failed or was cancelled as its kind may is met with silence", () => {
  const orders = new Map([[0, { kind: failAlways.name, subjectId: "subject", way: "with a row" as const }]]);
  const failed = { ...done, kind: failAlways.name, state: "failed", attempts: 1, eventSequence: 3 };
  const withCause = { ...failed, errorCode: "image_undecodable", errorMessage: "It fails for good." };
  const changes = [claim(1), release("failed")];
  const landings = [{ jobId: "job", what: "failure" as const, code: "image_undecodable" }];
  const events = listEvents("queued", "started", "failed");
  expect(judge({ ...facts, jobs: [withCause], events, changes, landings }, { ...expected, orders })).toEqual(
    [],
  );
  const asked = {
    ...failed,
    kind: beCancelled.name,
    state: "cancelled",
    attempts: 0,
    isCancelAsked: true,
  };
  const untried = {
    ...facts,
    jobs: [{ ...asked, eventSequence: 2 }],
    events: listEvents("queued", "cancelled"),
  };
  const cancelOrders = new Map([
    [0, { kind: beCancelled.name, subjectId: "subject", way: "with a row" as const }],
  ]);
  const cancelled = [{ ...release("cancelled"), before: "queued" }];
  expect(judge({ ...untried, landings, changes: cancelled }, { ...expected, orders: cancelOrders })).toEqual(
    [],
  );
});

const withJob = (change: Partial<JobFact>): Facts => ({ ...facts, jobs: [{ ...done, ...change }] });
const withEvents = (...names: string[]): Facts => ({ ...facts, events: listEvents(...names) });
const withChanges = (...changes: ChangeFact[]): Facts => ({ ...facts, changes });
const [landing] = facts.landings;
if (!landing) throw new Error("there is no landing");

const cases: [what: string, facts: Facts, problem: RegExp][] = [
  ["an accepted job that is lost", { ...facts, jobs: [], landings: [] }, /was accepted as job and is lost/],
  [
    "an order that was carried out twice",
    { ...facts, jobs: [done, { ...done, id: "other" }] },
    /order 0 .* has 2 jobs/,
  ],
  ["a job under another id", withJob({ id: "other" }), /was accepted as job and is other/],
  ["a job of another kind", withJob({ kind: failAlways.name }), /was accepted as job of another kind/],
  ["a row without its job", { ...facts, jobs: [], landings: [] }, /has 0 jobs/],
  ["a job without its row", { ...facts, orders: [] }, /were not written together/],
  ["a job that did not end", withJob({ state: "running" }), /did not end/],
  [
    "a job that ended twice",
    withChanges(claim(1), reclaim, claim(7), release("done"), release("done")),
    /ended 2 times/,
  ],
  ["a failure without a reason", withJob({ state: "failed" }), /gives no reason/],
  [
    "a failure that its kind does not have",
    withJob({ state: "failed", errorCode: "unexpected", errorMessage: "?" }),
    /failed with unexpected/,
  ],
  [
    "a job that was given up while it had attempts left",
    withJob({ state: "failed", errorCode: "lease_expired", errorMessage: "Gone." }),
    /failed with lease_expired/,
  ],
  ["a cancellation that nobody asked for", withJob({ state: "cancelled" }), /nobody asked for that/],
  ["success of what cannot succeed", withJob({ kind: failAlways.name }), /cannot be done/],
  ["a job that landed twice", { ...facts, landings: [landing, landing] }, /landed: done, done/],
  ["a job that never landed", { ...facts, landings: [] }, /landed: never/],
  [
    "a job that landed both ways",
    { ...facts, landings: [landing, { ...landing, what: "failure" }] },
    /landed: done, failure/,
  ],
  [
    "the landing of another's failure",
    { ...facts, landings: [{ ...landing, what: "failure" }] },
    /landed: failure/,
  ],
  [
    "a landing of no job",
    { ...facts, landings: [landing, { ...landing, jobId: "x" }] },
    /landed and is no job/,
  ],
  [
    "a hole among the events",
    {
      ...facts,
      events: facts.events.map((event, index) => ({ ...event, sequence: index < 3 ? index + 1 : index + 2 })),
    },
    /its events have holes/,
  ],
  [
    "an event that is there twice",
    { ...facts, events: facts.events.toSpliced(1, 0, ...facts.events.slice(1, 2)) },
    /its events have holes/,
  ],
  ["events that are not counted", withJob({ eventSequence: 6 }), /counts 6 events, has 5/],
  [
    "a beginning that is another",
    withEvents("started", "requeued", "started", "done"),
    /job.started follows nothing/,
  ],
  ["an end that nobody worked for", withEvents("queued", "done"), /job.done follows job.queued/],
  [
    "work after the end",
    withEvents("queued", "started", "done", "started", "done"),
    /job.started follows job.done/,
  ],
  [
    "a last event that is another",
    withEvents("queued", "started", "progressed"),
    /its last event is another/,
  ],
  ["an attempt that is not counted", withJob({ attempts: 1 }), /2 starts, 1 attempts/],
  ["more attempts than there may be", withJob({ attemptsMax: 1 }), /2 attempts of 1/],
  ["a claim that is not greater", withChanges(claim(7), reclaim, claim(7), release("done")), /claims 7, 7/],
  ["a start without a claim", withChanges(claim(1), reclaim, release("done")), /2 starts, 1 claims/],
  [
    "a lease by a clock that is wrong",
    withChanges({ ...claim(1), leaseLeftAfter: 3603 }, reclaim, claim(7), release("done")),
    /was given a lease of 3603 s/,
  ],
  [
    "a lease that was taken early",
    withChanges(claim(1), { ...reclaim, leaseLeftBefore: 0.5 }, claim(7), release("done")),
    /its lease was taken 0.5 s early/,
  ],
];

test.each(cases)("%s is noticed", (_, changed, problem) => {
  expect(judge(changed).join("\n")).toMatch(problem);
});

const walk = (...steps: number[]) => steps.map((step) => ({ jobId: "job", step }));
const keeping = withJob({ kind: keepPlace.name });

test.each<[what: string, steps: number[], problem: RegExp]>([
  ["a step that was written twice", [1, 2, 2, 3, 4, 5], /its steps: 1, 2, 2, 3, 4, 5/],
  ["a step that is missing", [1, 2, 4, 5], /its steps: 1, 2, 4, 5/],
  ["work that ended half-way", [1, 2, 3], /its steps: 1, 2, 3/],
])("%s is noticed", (_, steps, problem) => {
  expect(judge({ ...keeping, steps: walk(...steps) }).join("\n")).toMatch(problem);
});

test("a checkpoint may give attempts back, and each step is written once", () => {
  const orders = new Map([[0, { kind: keepPlace.name, subjectId: "subject", way: "with a row" as const }]]);
  const whole = walk(...Array.from({ length: stepsMax }, (_, index) => index + 1));
  const kept = withJob({ kind: keepPlace.name, attempts: 1 });
  expect(judge({ ...kept, steps: whole }, { ...expected, orders })).toEqual([]);
});

test("work that began after its deadline is noticed", () => {
  expect(judge(withJob({ kind: beLate.name })).join("\n")).toMatch(/was begun after its deadline/);
});

test("blocks that were begun in another order are noticed, neighbours that mix are not", () => {
  const size = 100;
  const jobs = Array.from({ length: 3 * size }, (_, order) => ({
    ...done,
    id: `job ${order}`,
    order,
    kind: keepOrder.name,
  }));
  const claimInOrder = (blocks: number[]) =>
    jobs.map(({ id, order }) => ({
      ...claim(1 + (blocks[Math.floor(order / size)] ?? 0) * size + (order % size)),
      jobId: id,
    }));
  const tell = (blocks: number[]) =>
    judge({ ...facts, jobs, changes: claimInOrder(blocks) }).filter((what) => what.startsWith("block"));
  expect(tell([0, 1, 2])).toEqual([]);
  expect(tell([1, 0, 2])).toEqual([]);
  expect(tell([2, 1, 0])).toEqual(["block 0 of ordered jobs was begun after block 2"]);
});

test("an order that was never accepted, or twice, is noticed", () => {
  expect(judge(facts, { ...expected, accepted: [] }).join("\n")).toMatch(/was accepted 0 times/);
  const twice = [...expected.accepted, ...expected.accepted];
  expect(judge(facts, { ...expected, accepted: twice }).join("\n")).toMatch(/was accepted 2 times/);
});
