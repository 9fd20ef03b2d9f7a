/** Where a job stands, and what it waits for. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { describeOutlook, type LaneFigures } from "../../../edge/jobs/outlook.ts";
import { createId } from "../../../shared/ids.ts";
import { ingestImage } from "../../../shared/images/kinds.ts";
import type { Job } from "../../../shared/jobs/contract.ts";
import { JobDetail, placeMax } from "../../../shared/jobs/following.ts";
import { pruneHistory } from "../../../shared/jobs/maintenance.ts";
import { addJob, addJobs, claimJobs, completeJobs, failJob } from "../../../shared/jobs/queue.ts";
import { jobKinds } from "../../../shared/kinds.ts";
import { openTestApp, type TestApp, type TestUser, type Who } from "../../helpers/app.ts";

const nowAt = "2026-01-01T12:00:00.000000Z";
const inSeconds = (seconds: number) => new Date(Date.parse(nowAt) + seconds * 1000).toISOString();

const job: Job = {
  id: createId(),
  kind: "images.ingest-image",
  lane: "bulk",
  ownerId: null,
  subjectId: null,
  state: "queued",
  progress: { done: 0, total: null, message: null },
  result: null,
  partial: null,
  error: null,
  attempts: 0,
  attemptsMax: 3,
  leaseLosses: 0,
  runAfter: nowAt,
  deadlineAt: null,
  cancelRequestedAt: null,
  lastSequence: 1,
  createdAt: nowAt,
  startedAt: null,
  finishedAt: null,
};
const figures: LaneFigures = {
  isDue: true,
  ahead: 10,
  endsPerSecond: 2,
  runSeconds: 3,
  beganAt: null,
  workerIsAlive: true,
  modelIsOffered: true,
  nowAt,
};
const outlook = (changes: Partial<Job> = {}, other: Partial<LaneFigures> = {}) =>
  describeOutlook(jobKinds, { ...job, ...changes }, { ...figures, ...other });
const error = { code: "upstream_failed", message: "Storage did not answer." };

describe("a job that waits", () => {
  test("begins when those ahead of it have ended, and ends as fast as its kind does", () => {
    expect(outlook()).toEqual({
      place: 10,
      placeIsAtLeast: false,
      estimatedStartAt: inSeconds(5),
      estimatedEndAt: inSeconds(8),
      reason: "It waits for its turn: 10 jobs are ahead of it.",
    });
  });

  test("knows no time where nothing ended lately, or too many are ahead to count", () => {
    const unknown = { estimatedStartAt: null, estimatedEndAt: null };
    expect(outlook({}, { endsPerSecond: null })).toMatchObject({ ...unknown, place: 10 });
    expect(outlook({}, { ahead: placeMax + 1 })).toMatchObject({
      ...unknown,
      place: placeMax,
      placeIsAtLeast: true,
      reason: "It waits for its turn: more than 1000 jobs are ahead of it.",
    });
    expect(outlook({}, { ahead: placeMax })).toMatchObject({ place: placeMax, placeIsAtLeast: false });
    expect(outlook({}, { runSeconds: null })).toMatchObject({
      estimatedEndAt: null,
      estimatedStartAt: inSeconds(5),
    });
  });

  test.each([
    ["its turn, the next one", {}, { ahead: 0 }, "It is next, and waits for a worker to be free."],
    ["one job", {}, { ahead: 1 }, "It waits for its turn: 1 job is ahead of it."],
    [
      "a worker",
      {},
      { workerIsAlive: false },
      "It waits for a worker that runs images.ingest-image: none is alive.",
    ],
    ["its model", {}, { modelIsOffered: false }, "It waits for its model: no worker offers it."],
    ["its time", {}, { isDue: false, ahead: null }, `It waits for its time, ${nowAt}.`],
    [
      "its next try",
      { error },
      { isDue: false, ahead: null },
      `It is tried again at ${nowAt}, after: Storage did not answer.`,
    ],
    [
      "a newer version",
      { kind: "future.do-more" },
      {},
      "It waits for a version that knows the kind future.do-more.",
    ],
    [
      "a tick",
      { kind: "jobs.prune-history" },
      { workerIsAlive: false, ahead: 0 },
      "It is next, and waits for a worker to be free.",
    ],
  ])("says that it waits for %s", (_what, changes, other, reason) => {
    expect(outlook(changes, other).reason).toBe(reason);
  });
});

describe("a job that runs", () => {
  const running = { state: "running", attempts: 1, startedAt: inSeconds(-20) } as const;

  test("ends by its progress, else by what its kind takes, and nobody knows when that is over", () => {
    const progress = { done: 1, total: 5, message: null };
    const beganAt = inSeconds(-2);
    expect(outlook(running, { beganAt })).toMatchObject({
      estimatedStartAt: null,
      estimatedEndAt: inSeconds(1),
    });
    expect(outlook({ ...running, progress }, { beganAt }).estimatedEndAt).toBe(inSeconds(80));
    expect(outlook({ ...running, progress, attempts: 2 }, { beganAt }).estimatedEndAt).toBe(inSeconds(8));
    expect(outlook(running, { beganAt: inSeconds(-4) }).estimatedEndAt).toBeNull();
  });

  test("says so, with the failure before, or that it is being cancelled", () => {
    expect(outlook(running).reason).toBe("It runs.");
    expect(outlook({ ...running, attempts: 2, error }).reason).toBe(
      "It runs, try 2 of 3, after: Storage did not answer.",
    );
    expect(outlook({ ...running, cancelRequestedAt: nowAt }).reason).toBe("It is being cancelled.");
  });
});

test("a job that ended says how, and waits for nothing", () => {
  const end = (changes: Partial<Job>) =>
    describeOutlook(jobKinds, { ...job, finishedAt: nowAt, ...changes }, undefined);
  const nothing = { place: null, placeIsAtLeast: false, estimatedStartAt: null, estimatedEndAt: null };
  expect(end({ state: "done" })).toEqual({ ...nothing, reason: "It is done." });
  expect(end({ state: "cancelled" })).toEqual({ ...nothing, reason: "It was cancelled on request." });
  expect(end({ state: "failed", attempts: 3, error }).reason).toBe(
    "It failed after 3 tries: Storage did not answer.",
  );
  expect(end({ state: "failed", attempts: 1, error }).reason).toBe(
    "It failed after 1 try: Storage did not answer.",
  );
});

describe("over HTTP", () => {
  let house: TestApp;
  beforeAll(async () => {
    house = await openTestApp();
  });
  afterAll(() => house.close());
  beforeEach(async () => {
    await house.sql`delete from parlance.jobs`;
    await house.sql`delete from parlance.workers`;
  });

  const add = (owner: TestUser, delaySeconds = 0) =>
    addJob(house.sql, ingestImage, { payload: { imageId: createId() }, ownerId: owner.id, delaySeconds });
  async function show(who: Who, id: string): Promise<JobDetail> {
    const answer = await house.call(who, "GET", `/jobs/${id}`);
    expect(answer.status, answer.text).toBe(200);
    return JobDetail.parse(answer.body);
  }
  const claim = (jobsMax = 1) =>
    claimJobs(house.sql, {
      workerId: createId(),
      kinds: [ingestImage],
      lane: "bulk",
      jobsMax,
      leaseSeconds: 60,
    });
  const report = () => house.sql`
    select parlance.report_worker(
      ${createId()}, 'sidecar', 'cpu', 'cpu', '{images.ingest-image}'::text[], '{palette}'::text[], '{}'::text[], 1, '{}'::jsonb, 'running'
    )
  `;

  test("one's place is counted among everyone's jobs in the order of claims", async () => {
    await report();
    const mine = [await add(house.alice), await add(house.alice), await add(house.alice)];
    const bobs = await add(house.bob);
    const later = await add(house.bob, 60);
    await addJob(house.sql, pruneHistory, { payload: {}, ownerId: null });
    const places = new Map<string, number | null>();
    for (const id of [...mine, bobs]) places.set(id, (await show("secret", id)).place);
    expect((await show(house.bob, later)).place).toBeNull();
    expect((await show(house.bob, later)).reason).toMatch(/^It waits for its time, 20/);
    const order = (await claim(4)).map(({ id }) => id);
    expect(order.map((id) => places.get(id))).toEqual([0, 1, 2, 3]);
    expect((await show(house.alice, mine[0] ?? "")).reason).toBe("It runs.");
  });

  test("the time is estimated from how fast the lane goes, over everyone's jobs", async () => {
    await report();
    for (let index = 0; index < 3; index++) await add(house.bob);
    const ended = await claim(3);
    await completeJobs(
      house.sql,
      ended.map(({ id, claim }) => ({ id, claim, result: {} })),
    );
    const [mine, next] = [await add(house.alice), await add(house.alice)];
    const first = await show(house.alice, mine);
    const second = await show(house.alice, next);
    expect([first.place, second.place]).toEqual([0, 1]);
    expect(Date.parse(second.estimatedStartAt ?? "")).toBeGreaterThan(Date.parse(first.createdAt));
    expect(Date.parse(first.estimatedEndAt ?? "")).toBeGreaterThanOrEqual(
      Date.parse(first.estimatedStartAt ?? ""),
    );
  });

  test("without a worker it says so, and a try that failed says when the next one is", async () => {
    const id = await add(house.alice);
    expect((await show(house.alice, id)).reason).toMatch(/none is alive/);
    const [held] = await claim();
    if (!held) throw new Error("nothing was due");
    await failJob(house.sql, held, { ...error, retryable: true });
    const waiting = await show(house.alice, id);
    expect(waiting.reason).toBe(`It is tried again at ${waiting.runAfter}, after: Storage did not answer.`);
    expect(Date.parse(waiting.estimatedStartAt ?? "")).toBe(Math.floor(Date.parse(waiting.runAfter)));
  });

  test("of a thousand and more ahead it is only said that there are more", async () => {
    await house.sql`insert into parlance.job_shares (owner_id, weight) values (${house.bob.id}, 100)`;
    const jobs = Array.from({ length: placeMax + 5 }, () => ({
      payload: { imageId: createId() },
      ownerId: house.bob.id,
    }));
    await addJobs(house.sql, { ...ingestImage, queuedPerOwnerMax: 100_000 }, jobs);
    await house.sql`insert into parlance.job_shares (owner_id, weight) values (${house.alice.id}, 0.01)`;
    const { place, placeIsAtLeast, estimatedStartAt } = await show(house.alice, await add(house.alice));
    expect({ place, placeIsAtLeast, estimatedStartAt }).toEqual({
      place: placeMax,
      placeIsAtLeast: true,
      estimatedStartAt: null,
    });
  });

  test("users cannot ask the database for the figures of a job", async () => {
    const id = await add(house.bob);
    const asked = house.sql.begin(async (transaction) => {
      await transaction`set local role authenticated`;
      await transaction`select * from parlance.job_outlook(${id}, '{}')`;
    });
    await expect(asked).rejects.toMatchObject({ code: "42501" });
  });
});
