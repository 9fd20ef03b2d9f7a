import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import { embedQuery, ingestImage } from "../../../shared/images/kinds.ts";
import { Job, JobEvent } from "../../../shared/jobs/contract.ts";
import { addJob, claimJobs, completeJobs, failJob, reportProgress } from "../../../shared/jobs/queue.ts";
import { openTestApp, type TestApp, type TestUser, type Who } from "../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.sql`delete from parlance.jobs`;
});

interface AddedJob {
  id: string;
  imageId: string;
}

async function addIngest(owner: TestUser | null = house.alice): Promise<AddedJob> {
  const imageId = createId();
  await house.sql`
    insert into parlance.images (id, owner_id, name, state)
    values (${imageId}, ${owner?.id ?? null}, ${imageId}, 'processing')
  `;
  const id = await addJob(house.sql, ingestImage, {
    payload: { imageId },
    ownerId: owner?.id ?? null,
    subjectId: imageId,
  });
  return { id, imageId };
}

async function claim() {
  const [job] = await claimJobs(house.sql, {
    workerId: createId(),
    kinds: [ingestImage],
    lane: "bulk",
    jobsMax: 1,
    leaseSeconds: 60,
  });
  if (!job) throw new Error("no job was due");
  return job;
}

/** Ids are made in the order of time; two of one millisecond come in either order. */
const newestFirst = (jobIds: readonly string[]) => jobIds.toSorted().toReversed();

async function ids(who: Who, query = ""): Promise<string[]> {
  const answer = await house.call(who, "GET", `/jobs${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.items.map((item: unknown) => Job.parse(item).id);
}

test("a list is the caller's own, newest first; the secret key's own are the house's", async () => {
  const first = await addIngest();
  const second = await addIngest();
  const bobs = await addIngest(house.bob);
  const houses = await addIngest(null);
  expect(await ids(house.alice)).toEqual(newestFirst([first.id, second.id]));
  expect(await ids(house.bob)).toEqual([bobs.id]);
  expect(await ids("secret")).toEqual([houses.id]);
  expect(await ids(house.admin)).toEqual([]);
});

test("everyone's jobs are for admins and the secret key; a user who asks sees their own", async () => {
  const [alices, bobs, houses] = [await addIngest(), await addIngest(house.bob), await addIngest(null)];
  const all = newestFirst([alices.id, bobs.id, houses.id]);
  expect(await ids(house.admin, "?scope=all")).toEqual(all);
  expect(await ids("secret", "?scope=all")).toEqual(all);
  expect(await ids(house.alice, "?scope=all")).toEqual([alices.id]);
});

test("a list is narrowed by state, kind and subject", async () => {
  const running = await addIngest();
  await claim();
  const queued = await addIngest();
  const query = await addJob(house.sql, embedQuery, {
    payload: { spaceId: 1, query: "red" },
    ownerId: house.alice.id,
  });
  expect(await ids(house.alice, "?state=running")).toEqual([running.id]);
  expect(await ids(house.alice, "?state=queued")).toEqual(newestFirst([query, queued.id]));
  expect(await ids(house.alice, "?kind=images.embed-query")).toEqual([query]);
  expect(await ids(house.alice, `?subjectId=${queued.imageId}`)).toEqual([queued.id]);
  expect(await ids(house.alice, "?state=done")).toEqual([]);
});

test("pages walk the whole list once, also while jobs are added", async () => {
  const added: string[] = [];
  for (let index = 0; index < 7; index++) added.push((await addIngest()).id);
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page = await house.call(house.alice, "GET", `/jobs?limit=3${cursor && `&cursor=${cursor}`}`);
    seen.push(...page.body.items.map((job: Job) => job.id));
    cursor = page.body.nextCursor;
    await addIngest();
  }
  expect(seen).toEqual(newestFirst(added));
});

test.each([
  ["limit=0", "invalid_request"],
  ["limit=101", "invalid_request"],
  ["limit=ten", "invalid_request"],
  ["state=lost", "invalid_request"],
  ["subjectId=1", "invalid_request"],
  ["scope=everything", "invalid_request"],
  ["cursor=x", "invalid_cursor"],
  ["cursor=", "invalid_cursor"],
  [`cursor=${btoa('{"id":"1 or 1=1"}').replace(/=/g, "")}`, "invalid_cursor"],
])("?%s is refused with %s", async (query, code) => {
  const answer = await house.call(house.alice, "GET", `/jobs?${query}`);
  expect([answer.status, answer.body.code]).toEqual([400, code]);
});

test("one job is shown as the contract says, from queued to done", async () => {
  const { id, imageId } = await addIngest();
  const show = async () => Job.parse((await house.call(house.alice, "GET", `/jobs/${id}`)).body);
  expect(await show()).toMatchObject({
    kind: "images.ingest-image",
    lane: "bulk",
    ownerId: house.alice.id,
    subjectId: imageId,
    state: "queued",
    progress: { done: 0, total: null, message: null },
    result: null,
    error: null,
    attempts: 0,
    lastSequence: 1,
    startedAt: null,
    finishedAt: null,
  });
  const job = await claim();
  await reportProgress(house.sql, job, { done: 1, total: 3, message: "decoding" });
  expect(await show()).toMatchObject({
    state: "running",
    attempts: 1,
    progress: { done: 1, total: 3, message: "decoding" },
  });
  await completeJobs(house.sql, [{ ...job, result: { width: 3 } }]);
  expect(await show()).toMatchObject({
    state: "done",
    result: { width: 3 },
    progress: { done: 3, total: 3 },
  });
});

test("why a job failed is told", async () => {
  const { id } = await addIngest();
  const error = { code: "image_undecodable" as const, message: "It ends in the middle.", retryable: false };
  await failJob(house.sql, await claim(), error);
  const { body } = await house.call(house.alice, "GET", `/jobs/${id}`);
  expect(body).toMatchObject({
    state: "failed",
    error: { code: "image_undecodable", message: "It ends in the middle." },
  });
});

test("events come in order without holes, and resume after any of them", async () => {
  const { id } = await addIngest();
  const job = await claim();
  await reportProgress(house.sql, job, { done: 3, total: 3 });
  await completeJobs(house.sql, [{ ...job, result: {} }]);
  const events = async (query: string) =>
    (await house.call(house.alice, "GET", `/jobs/${id}/events${query}`)).body;
  const all = (await events("")).items.map((event: unknown) => JobEvent.parse(event));
  expect(all.map((event: JobEvent) => [event.sequence, event.event])).toEqual([
    [1, "job.queued"],
    [2, "job.started"],
    [3, "job.progressed"],
    [4, "job.done"],
  ]);
  expect(await events("?after=2")).toEqual({ items: all.slice(2), nextAfter: null });
  expect(await events("?after=1&limit=2")).toEqual({ items: all.slice(1, 3), nextAfter: 3 });
  expect(await events("?after=4")).toEqual({ items: [], nextAfter: null });
  expect(await events("?after=99")).toEqual({ items: [], nextAfter: null });
});

test("after pruning, what is gone is said to be gone, and what is left is there", async () => {
  const { id } = await addIngest();
  const job = await claim();
  await house.sql`update parlance.job_events set at = now() - interval '8 days'`;
  await house.sql`update parlance.jobs set started_at = now() - interval '8 days'`;
  await house.sql`select parlance.prune_jobs(now() - interval '30 days', now() - interval '7 days', 100)`;
  await completeJobs(house.sql, [{ ...job, result: {} }]);
  const from = (after: number) => house.call(house.alice, "GET", `/jobs/${id}/events?after=${after}`);
  for (const after of [0, 1]) {
    const answer = await from(after);
    expect([answer.status, answer.body.code]).toEqual([410, "gone"]);
  }
  expect((await from(2)).body.items.map((event: JobEvent) => event.event)).toEqual(["job.done"]);
});

test("a queued job is cancelled at once, and its picture with it", async () => {
  const { id, imageId } = await addIngest();
  const answer = await house.call(house.alice, "POST", `/jobs/${id}/cancellation`);
  expect(answer.status, answer.text).toBe(202);
  expect(Job.parse(answer.body)).toMatchObject({ id, state: "cancelled" });
  const [image] = await house.sql`select state, error_code from parlance.images where id = ${imageId}`;
  expect(image).toEqual({ state: "failed", errorCode: "cancelled" });
});

test("a running job is asked to end; asking twice changes nothing", async () => {
  const { id } = await addIngest();
  const job = await claim();
  const first = await house.call(house.alice, "POST", `/jobs/${id}/cancellation`);
  expect([first.status, first.body.state]).toEqual([202, "running"]);
  expect(first.body.cancelRequestedAt).not.toBeNull();
  const second = await house.call(house.alice, "POST", `/jobs/${id}/cancellation`);
  expect([second.status, second.body]).toEqual([202, first.body]);
  const error = { code: "cancelled" as const, message: "Cancelled.", retryable: false };
  expect(await failJob(house.sql, job, error)).toBe("cancelled");
});

test("a job that has ended is not cancelled", async () => {
  const { id } = await addIngest();
  await completeJobs(house.sql, [{ ...(await claim()), result: {} }]);
  const cancelled = (await addIngest()).id;
  await house.call(house.alice, "POST", `/jobs/${cancelled}/cancellation`);
  for (const ended of [id, cancelled]) {
    const answer = await house.call(house.alice, "POST", `/jobs/${ended}/cancellation`);
    expect([answer.status, answer.body.code]).toEqual([409, "conflict"]);
  }
});

test("two who cancel at once are both told that it is cancelled", async () => {
  const { id } = await addIngest();
  const ask = (who: Who) => house.call(who, "POST", `/jobs/${id}/cancellation`);
  const answers = await Promise.all([ask(house.alice), ask(house.admin), ask("secret")]);
  expect(answers.map(({ status }) => status)).toContain(202);
  for (const { status } of answers) expect([202, 409]).toContain(status);
  const [row] = await house.sql`select event_sequence from parlance.jobs where id = ${id}`;
  expect(row).toEqual({ eventSequence: 2 });
});

test("another's job is not there, by any of its paths", async () => {
  const { id } = await addIngest();
  const houses = await addIngest(null);
  for (const [method, path] of [
    ["GET", `/jobs/${id}`],
    ["GET", `/jobs/${id}/events`],
    ["POST", `/jobs/${id}/cancellation`],
    ["GET", `/jobs/${houses.id}`],
    ["POST", `/jobs/${houses.id}/cancellation`],
    ["GET", `/jobs/${createId()}`],
  ] as const) {
    const answer = await house.call(house.bob, method, path);
    expect([answer.status, answer.body.code], `${method} ${path}`).toEqual([404, "not_found"]);
  }
  const [row] = await house.sql`select state, cancel_requested_at from parlance.jobs where id = ${id}`;
  expect(row).toEqual({ state: "queued", cancelRequestedAt: null });
});

test("an admin may see and end anyone's job, and so may the secret key", async () => {
  const { id } = await addIngest();
  const other = await addIngest();
  expect((await house.call(house.admin, "GET", `/jobs/${id}`)).status).toBe(200);
  expect((await house.call(house.admin, "POST", `/jobs/${id}/cancellation`)).status).toBe(202);
  expect((await house.call("secret", "POST", `/jobs/${other.id}/cancellation`)).status).toBe(202);
});

test("a user who writes admin into their own metadata is none", async () => {
  await addIngest(house.bob);
  const token = await house.signToken({ sub: house.alice.id, user_metadata: { role: "admin" } });
  expect(await ids({ id: house.alice.id, token }, "?scope=all")).toEqual([]);
});

test.each(["nobody", "publishable"] as const)("%s follows no jobs", async (who) => {
  const { id } = await addIngest();
  for (const [method, path] of [
    ["GET", "/jobs"],
    ["GET", `/jobs/${id}`],
    ["GET", `/jobs/${id}/events`],
    ["POST", `/jobs/${id}/cancellation`],
    ["POST", "/jobs/ticks"],
  ] as const) {
    const answer = await house.call(who, method, path);
    expect([answer.status, answer.body.code], `${method} ${path}`).toEqual([401, "unauthenticated"]);
  }
});
