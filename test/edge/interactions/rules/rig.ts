/** Back-tests as a user runs them, and the same by the shortest code there is. */
import { expect } from "vitest";
import {
  type BackTestLimits,
  createBackTestTask,
} from "../../../../edge/interactions/rules/back-test-task.ts";
import { createId } from "../../../../shared/ids.ts";
import { runBackTest } from "../../../../shared/interactions/back-test-kind.ts";
import { BackTest, type BackTestResult } from "../../../../shared/interactions/back-tests.ts";
import { executeJob } from "../../../../shared/jobs/executor.ts";
import type { Task } from "../../../../shared/jobs/kinds.ts";
import { claimJobs } from "../../../../shared/jobs/queue.ts";
import type { TestApp, Who } from "../../../helpers/app.ts";

export const json = (body: unknown, headers: Record<string, string> = {}) => ({
  body: JSON.stringify(body),
  headers: { "content-type": "application/json", ...headers },
});

export async function start(house: TestApp, body: object, who: Who = house.alice): Promise<BackTest> {
  const answered = await house.call(who, "POST", "/rules/back-tests", json(body));
  expect(answered.status, answered.text).toBe(202);
  return BackTest.strict().parse(answered.body);
}

export async function show(house: TestApp, id: string, who: Who = house.alice): Promise<BackTest> {
  const answered = await house.call(who, "GET", `/rules/back-tests/${id}`);
  expect(answered.status, answered.text).toBe(200);
  return BackTest.strict().parse(answered.body);
}

/** Claims the job that waits and runs it, as a worker does. */
export async function work(house: TestApp, task: Task = createBackTestTask(house.deps)): Promise<string> {
  const [job] = await claimJobs(house.sql, {
    workerId: createId(),
    kinds: [runBackTest],
    lane: "bulk",
    jobsMax: 1,
    leaseSeconds: 60,
  });
  if (!job) throw new Error("no job was due");
  return (await executeJob(house.sql, task, job).ended).ending;
}

export async function run(
  house: TestApp,
  body: object,
  { who, limits }: { who?: Who; limits?: Partial<BackTestLimits> } = {},
): Promise<BackTestResult> {
  const { id } = await start(house, body, who);
  expect(await work(house, createBackTestTask(house.deps, limits))).toBe("done");
  const { state, result } = await show(house, id, who);
  expect(state).toBe("done");
  if (!result) throw new Error("there is no result");
  return result;
}
