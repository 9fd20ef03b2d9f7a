import { expect, test } from "vitest";
import { AppError } from "../../shared/errors.ts";
import { createLog, describeError } from "../../shared/log.ts";

test("a log writes one line of JSON an event, from its level upwards", () => {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), "info");
  log.debug("job.claimed");
  log.info("job.ended", { jobId: "1", text: "two\nlines" });
  log.error("job.lost");
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "info", event: "job.ended", text: "two\nlines" });
  expect(lines.every((line) => !line.includes("\n"))).toBe(true);
});

test("an error is described with its causes, up to three deep", () => {
  const deep = new Error("4", { cause: new Error("5") });
  const cause = new Error("2", { cause: new Error("3", { cause: deep }) });
  const text = JSON.stringify(describeError(new AppError("upstream_failed", "1", { cause })));
  for (const message of ["1", "2", "3", "4"]) expect(text).toContain(`"message":"${message}"`);
  expect(text).not.toContain(`"message":"5"`);
  expect(text).toContain('"code":"upstream_failed"');
});

test("errors that are told together are each described, up to ten", () => {
  const errors = Array.from({ length: 12 }, (_, index) => new Error(`error ${index}`));
  const { errors: described } = describeError(new AggregateError(errors, "twelve"));
  expect(described).toEqual(
    errors.slice(0, 10).map((error) => expect.objectContaining({ message: error.message })),
  );
});

test("what is no error is described by its text", () => {
  expect(describeError("plain")).toEqual({ message: "plain" });
  expect(describeError(undefined)).toEqual({ message: "undefined" });
});
