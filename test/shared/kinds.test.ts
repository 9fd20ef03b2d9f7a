import { expect, test } from "vitest";
import { createId } from "../../shared/ids.ts";
import { Job, JobEvent, jobEventNames, jobTopic } from "../../shared/jobs/contract.ts";
import { jobKinds } from "../../shared/kinds.ts";

/** They go on where they stopped, for as long as a library or a file is large; each try is worth what it did. */
const resumable = new Set(["images.fill-space", "interactions.import-file"]);

test("every kind stands under its own name, and none is tried without end", () => {
  expect(jobKinds.size).toBeGreaterThan(0);
  for (const [name, kind] of jobKinds) {
    expect(kind.name).toBe(name);
    expect(name).toMatch(/^[a-z]+\.[a-z]+(-[a-z]+)*$/);
    expect(kind.attemptsMax).toBeGreaterThanOrEqual(1);
    expect(kind.attemptsMax).toBeLessThanOrEqual(resumable.has(name) ? 100 : 10);
    expect(kind.timeoutMs).toBeGreaterThan(0);
    expect(kind.timeoutMs).toBeLessThanOrEqual(resumable.has(name) ? 24 * 3600_000 : 10 * 60_000);
  }
});

test("the limits of a kind leave room for a job, and one owner's are within everyone's", () => {
  for (const [name, kind] of jobKinds) {
    const {
      queuedMax = Infinity,
      queuedPerOwnerMax = 1,
      runningMax = Infinity,
      runningPerOwnerMax = 1,
    } = kind;
    for (const most of [queuedMax, queuedPerOwnerMax, runningMax, runningPerOwnerMax]) {
      expect([name, most >= 1]).toEqual([name, true]);
    }
    expect([name, queuedPerOwnerMax <= queuedMax]).toEqual([name, true]);
    expect([name, runningPerOwnerMax <= runningMax]).toEqual([name, true]);
    expect([name, (kind.deadlineMs ?? Infinity) >= kind.timeoutMs]).toEqual([name, true]);
  }
});

test("a kind refuses a payload that is not its own", () => {
  for (const kind of jobKinds.values()) {
    expect(kind.payload.safeParse([]).success).toBe(false);
    expect(kind.payload.safeParse(null).success).toBe(false);
  }
});

test("an owner's jobs are told on the owner's topic, those of the house on its own", () => {
  const owner = createId();
  expect(jobTopic(owner)).toBe(`user:${owner}`);
  expect(jobTopic(null)).toBe("house");
});

test("events are named noun.past, and the contract takes no others", () => {
  for (const event of jobEventNames) expect(event).toMatch(/^job\.[a-z]+$/);
  expect(JobEvent.shape.event.safeParse("job.exploded").success).toBe(false);
  expect(Job.shape.state.safeParse("lost").success).toBe(false);
});
