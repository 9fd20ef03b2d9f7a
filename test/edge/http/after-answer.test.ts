import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { oneAtATime, workAfterAnswers } from "../../../edge/http/after-answer.ts";
import { createRouter } from "../../../edge/http/router.ts";
import { createLog } from "../../../shared/log.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";
import { until } from "../../helpers/until.ts";

describe("work after answers", () => {
  function openRoom(work: () => Promise<void>, withKeepAlive = true) {
    const kept: Promise<unknown>[] = [];
    const lines: Record<string, unknown>[] = [];
    const log = createLog((line) => lines.push(JSON.parse(line)));
    const keepAlive = (promise: Promise<unknown>) => kept.push(promise);
    const app = createRouter();
    app.use(workAfterAnswers({ log, ...(withKeepAlive ? { keepAlive } : {}) }, work));
    app.post("/jobs", (c) => {
      c.set("hasAddedJobs", true);
      return c.text("added");
    });
    app.get("/jobs", (c) => c.text("none"));
    app.post("/refused", () => {
      throw new Error("refused");
    });
    app.onError((_, c) => c.text("no", 500));
    const call = (method: string, path: string) => Promise.resolve(app.request(path, { method }));
    return { kept, lines, call };
  }

  test("begins once the answer is there, and the process is kept up for it", async () => {
    const order: string[] = [];
    const { kept, call } = openRoom(async () => {
      order.push("work");
    });
    await call("POST", "/jobs").then(() => order.push("answer"));
    await Promise.all(kept);
    expect([order, kept.length]).toEqual([["answer", "work"], 1]);
  });

  test("is not begun by requests that add nothing, or fail", async () => {
    const { kept, call } = openRoom(() => Promise.reject(new Error("it was begun")));
    await call("GET", "/jobs");
    await call("POST", "/refused");
    expect(kept).toEqual([]);
  });

  test("is not begun where a runner hears of jobs by itself", async () => {
    let begun = 0;
    const { call } = openRoom(async () => void begun++, false);
    expect((await call("POST", "/jobs")).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(begun).toBe(0);
  });

  test("that fails is told in the log and nowhere else", async () => {
    const { kept, lines, call } = openRoom(() => Promise.reject(new Error("the database is away")));
    expect((await call("POST", "/jobs")).status).toBe(200);
    await Promise.all(kept);
    expect(lines).toMatchObject([
      { level: "error", event: "after-answer", error: { message: "the database is away" } },
    ]);
    await call("POST", "/jobs");
    await Promise.all(kept);
    expect(lines).toHaveLength(2);
  });
});

test("one at a time: what is asked for meanwhile is done once more, for all who asked", async () => {
  const runs: PromiseWithResolvers<void>[] = [];
  const start = oneAtATime(() => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  });
  let ended = 0;
  const ask = () => start().then(() => void ended++);
  ask();
  await until("the first runs", () => runs.length === 1);
  for (let asked = 0; asked < 20; asked++) ask();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect([runs.length, ended]).toEqual([1, 0]);
  runs[0]?.resolve();
  await until("the second runs", () => runs.length === 2);
  expect(ended).toBe(1);
  ask();
  runs[1]?.resolve();
  await until("the third runs", () => runs.length === 3);
  expect(ended).toBe(21);
  runs[2]?.resolve();
  await until("all have ended", () => ended === 22);
});

describe("a request that adds a job of the edge", () => {
  let house: TestApp;
  beforeAll(async () => {
    house = await openTestApp();
    await house.call("secret", "POST", "/jobs/ticks?jobsMax=0");
  });
  afterAll(() => house.close());
  beforeEach(() => house.sql`delete from parlance.jobs`);

  const path = "/jobs/schedules/house.expire-keys/runs";

  test("has it run after its answer, without a tick", async () => {
    const kept: Promise<unknown>[] = [];
    const hosted = house.withSettings({}, { keepAlive: (work) => kept.push(work) });
    const answers = await Promise.all([1, 2, 3].map(() => hosted.call("secret", "POST", path)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    await Promise.all(kept);
    expect(await house.sql`select state from parlance.jobs`).toEqual(
      [1, 2, 3].map(() => ({ state: "done" })),
    );
  });

  test("leaves it to the runner where there is one", async () => {
    expect((await house.call("secret", "POST", path)).status).toBe(202);
    expect(await house.sql`select state from parlance.jobs`).toEqual([{ state: "queued" }]);
  });
});
