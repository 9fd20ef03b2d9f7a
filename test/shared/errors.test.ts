import { describe, expect, test } from "vitest";
import { AppError, ErrorCode, errorStatuses, toAppError } from "../../shared/errors.ts";

describe("an error of the house", () => {
  test("has a code that is a contract, a status, and may not be tried again unless it says so", () => {
    const error = new AppError("not_found", "There is no such picture.");
    expect(error).toMatchObject({ code: "not_found", status: 404, retryable: false, fields: [] });
    expect(error).toBeInstanceOf(Error);
  });

  test("keeps its cause and what it knows of a way out", () => {
    const cause = new Error("socket hang up");
    const fields = [{ field: "query.limit", message: "at most 100" }];
    const error = new AppError("rate_limited", "Slow down.", {
      cause,
      retryable: true,
      retryAfterSeconds: 3,
      fields,
    });
    expect(error).toMatchObject({ cause, retryable: true, retryAfterSeconds: 3, fields, status: 429 });
  });

  test("of each code has a status of failure", () => {
    for (const code of ErrorCode.options) {
      expect(errorStatuses[code]).toBeGreaterThanOrEqual(400);
      expect(errorStatuses[code]).toBeLessThan(600);
    }
  });
});

describe("what was thrown", () => {
  test("stays itself when it is ours", () => {
    const error = new AppError("conflict", "No.");
    expect(toAppError(error)).toBe(error);
  });

  test.each([[new Error("password: hunter2")], ["hunter2"], [undefined], [{ message: "hunter2" }]])(
    "is unexpected when it is not, and its text is only its cause",
    (thrown) => {
      const error = toAppError(thrown);
      expect(error).toMatchObject({ code: "unexpected", status: 500, retryable: false, cause: thrown });
      expect(error.message).not.toContain("hunter2");
    },
  );
});
