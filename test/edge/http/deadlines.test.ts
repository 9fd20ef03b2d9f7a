import { expect, test } from "vitest";
import { limitTime, withinTime } from "../../../edge/http/deadlines.ts";
import { handleError } from "../../../edge/http/problems.ts";
import { createRouter } from "../../../edge/http/router.ts";

test("work that ends in time gives its result or its own error", async () => {
  expect(await withinTime(Promise.resolve(1), 10_000)).toBe(1);
  await expect(withinTime(Promise.reject(new Error("its own")), 10_000)).rejects.toThrow("its own");
});

test("work that does not is given up, and its late failure troubles nobody", async () => {
  const late = Promise.withResolvers<void>();
  await expect(withinTime(late.promise, 5)).rejects.toMatchObject({ code: "deadline_exceeded" });
  late.reject(new Error("too late"));
  await new Promise((resolve) => setImmediate(resolve));
});

test("a request that waits for ever is answered", async () => {
  const app = createRouter();
  app.onError(handleError);
  app.use(limitTime(5));
  app.get("/", () => new Promise<Response>(() => {}));
  const answer = await app.request("/");
  expect([answer.status, (await answer.json()).code]).toEqual([504, "deadline_exceeded"]);
});
