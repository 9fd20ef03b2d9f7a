import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { JobEvent, jobTopic } from "../../../shared/jobs/contract.ts";
import { failJob, reportProgress } from "../../../shared/jobs/queue.ts";
import { ask, complete, type JobsDatabase, openJobsDatabase } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(async () => {
  await jobs.clear();
  await jobs.admin`truncate realtime.messages`;
});

interface Message {
  readonly topic: string;
  readonly event: string;
  readonly private: boolean;
  readonly payload: JobEvent & { id?: string };
}

function listMessages(): Promise<Message[]> {
  return jobs.admin<Message[]>`
    select topic, event, private, payload from realtime.messages order by inserted_at
  ` as unknown as Promise<Message[]>;
}

describe("an event", () => {
  test("is told on its owner's private topic as it is kept, and to nobody else", async () => {
    const [mine, theirs] = [await jobs.addUser(), await jobs.addUser()];
    const job = await jobs.claimNew({ ownerId: mine });
    await jobs.add({ ownerId: theirs });
    await reportProgress(jobs.sidecar, job, { done: 1, total: 2, message: "one wall" });
    await failJob(jobs.sidecar, job, { code: "upstream_failed", message: "no answer", retryable: true });

    const kept = await jobs.events(job.id);
    const told = (await listMessages()).filter((message) => message.payload.jobId === job.id);
    expect(told.map(({ payload: { id: _id, ...event } }) => event)).toEqual(kept);
    for (const message of told) {
      expect(message).toMatchObject({ topic: jobTopic(mine), private: true, event: message.payload.event });
      expect(JobEvent.parse(message.payload)).toEqual(kept[message.payload.sequence - 1]);
    }
    const others = (await listMessages()).filter((message) => message.topic !== jobTopic(mine));
    expect(others.map((message) => message.topic)).toEqual([jobTopic(theirs)]);
  });

  test("of the house is told to admins once it is under way, but not the questions of a search", async () => {
    const work = await jobs.claimNew();
    await complete(jobs.sidecar, work);
    const question = await jobs.claimNew({}, ask);
    await complete(jobs.sidecar, question);
    const told = await listMessages();
    expect(told).toEqual([
      expect.objectContaining({
        topic: "house",
        event: "job.done",
        payload: expect.objectContaining({ jobId: work.id }),
      }),
    ]);
    expect((await jobs.events(question.id)).map((event) => event.event)).toEqual([
      "job.queued",
      "job.started",
      "job.done",
    ]);
  });

  test("is neither kept nor told when its transaction rolls back", async () => {
    const job = await jobs.claimNew();
    const before = await listMessages();
    const ending = jobs.sidecar.begin(async (transaction) => {
      await complete(transaction, job);
      throw new Error("the landing was refused");
    });
    await expect(ending).rejects.toThrow("refused");
    expect(await listMessages()).toEqual(before);
    expect((await jobs.events(job.id)).map((event) => event.sequence)).toEqual([1, 2]);
  });

  test("names the cause where there is one, and says how far the work is", async () => {
    const job = await jobs.claimNew();
    await reportProgress(jobs.sidecar, job, { done: 1, total: 2, message: "half" });
    await failJob(jobs.sidecar, job, { code: "image_undecodable", message: "cut off", retryable: false });
    const events = await jobs.events(job.id);
    expect(events.map(({ event, state, error }) => ({ event, state, error }))).toEqual([
      { event: "job.queued", state: "queued", error: null },
      { event: "job.started", state: "running", error: null },
      { event: "job.progressed", state: "running", error: null },
      { event: "job.failed", state: "failed", error: { code: "image_undecodable", message: "cut off" } },
    ]);
    expect(events[2]?.progress).toEqual({ done: 1, total: 2, message: "half" });
  });

  test("of a job that is done says that all of it is, and no longer what was being done", async () => {
    const job = await jobs.claimNew();
    await reportProgress(jobs.sidecar, job, { done: 1, total: 2, message: "half" });
    await complete(jobs.sidecar, job);
    const last = (await jobs.events(job.id)).at(-1);
    expect(last).toMatchObject({ event: "job.done", progress: { done: 2, total: 2, message: null } });
  });
});
