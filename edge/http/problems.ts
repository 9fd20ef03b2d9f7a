/** Every error leaves here, in one form: Problem Details for HTTP APIs (RFC 9457). */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { AppError, ErrorCode, errorStatuses, FieldError } from "../../shared/errors.ts";
import { explainFailure } from "./failures.ts";
import type { AppEnv } from "./router.ts";

export const Problem = z
  .object({
    type: z.string().describe("`urn:parlance:error:` and the code."),
    title: z.string().describe("The code in words."),
    status: z.int(),
    detail: z.string().describe("What went wrong here, for a person; may change."),
    instance: z.string().describe("The path of the request."),
    code: ErrorCode.describe("For programs; does not change."),
    requestId: z.string().describe("Equal to the header X-Request-Id; name it when you ask about this."),
    errors: z.array(FieldError).describe("The fields at fault; empty where no field is."),
  })
  .openapi("Problem");
export type Problem = z.infer<typeof Problem>;

export const problemType = "application/problem+json";

/** `app.onError`. */
export function handleError(thrown: unknown, c: Context<AppEnv>): Response {
  const error = explainFailure(thrown);
  c.set("failure", error);
  return answerProblem(c, error);
}

/** `app.notFound`: no route has this path. */
export function handleNotFound(c: Context<AppEnv>): Response {
  return answerProblem(c, new AppError("not_found", "There is nothing at this path."));
}

export function answerProblem(c: Context<AppEnv>, error: AppError): Response {
  const problem: Problem = {
    type: `urn:parlance:error:${error.code}`,
    title: titleOf(error.code),
    status: error.status,
    detail: error.message,
    instance: c.req.path,
    code: error.code,
    requestId: c.var.requestId,
    errors: [...error.fields],
  };
  const headers: Record<string, string> = { "content-type": problemType };
  if (error.retryAfterSeconds !== undefined) {
    headers["retry-after"] = String(Math.max(1, Math.ceil(error.retryAfterSeconds)));
  }
  if (error.status === 401) headers["www-authenticate"] = challengeOf(error.code, c);
  return c.body(JSON.stringify(problem), error.status, headers);
}

function titleOf(code: ErrorCode): string {
  const words = code.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** RFC 6750, 3: no error is named where no token was sent. */
function challengeOf(code: ErrorCode, c: Context<AppEnv>): string {
  const challenge = 'Bearer realm="parlance"';
  if (c.req.header("authorization") === undefined) return challenge;
  const description = code === "token_expired" ? "The token has expired" : "The token is not valid";
  return `${challenge}, error="invalid_token", error_description="${description}"`;
}

type ProblemResponse = {
  description: string;
  content: { "application/problem+json": { schema: typeof Problem } };
};

/** The errors of a route for its description, by status; what every route may answer is added to all of them. */
export function describeProblems<Code extends ErrorCode>(
  ...codes: Code[]
): { [Each in Code as (typeof errorStatuses)[Each]]: ProblemResponse } {
  const statuses = new Set(codes.map((code) => errorStatuses[code]));
  const entries = [...statuses].map((status) => {
    const named = codes.filter((code) => errorStatuses[code] === status).map((code) => `\`${code}\``);
    return [status, describeProblem(named.join(", "))];
  });
  return Object.fromEntries(entries);
}

export function describeProblem(description: string): ProblemResponse {
  return { description, content: { [problemType]: { schema: Problem } } };
}
