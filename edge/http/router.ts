import { OpenAPIHono } from "@hono/zod-openapi";
import type { z } from "zod";
import type { Caller } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";

/** How a request proved who it comes from. */
export interface Identity {
  readonly kind: "nobody" | "publishable" | "user" | "secret";
  readonly caller: Caller;
  /** `user:<id>`, `publishable:<key name>`, `secret:<key name>` or `nobody`. */
  readonly subject: string;
}

/** What every handler finds in its context (`c.var`). */
export interface AppEnv {
  Variables: {
    requestId: string;
    caller: Caller;
    identity: Identity;
    /** The same each time a request is sent with its Idempotency-Key; what it makes bears it as its id. */
    operationId?: string;
    /** Set where the answer shows a secret: it is kept nowhere, and the same request with its key runs again. */
    answerHoldsSecret?: boolean;
    /** Set where the request added jobs that this process may run; they are begun after the answer. */
    hasAddedJobs?: boolean;
    /** What went wrong, for the log line of the request. */
    failure?: unknown;
  };
}

/** Where hono keeps a part of the request, and what a person calls it. */
const targets: Readonly<Record<string, string>> = { json: "body", form: "body" };

const fieldsMax = 50;
const textLengthMax = 500;

/** A room's router: input that a schema refuses becomes one `invalid_request` that names every field. */
export function createRouter(): OpenAPIHono<AppEnv> {
  return new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      // What is asked with thousands of faults is not answered with as many words.
      const fields = result.error.issues
        .flatMap(unfoldUnion)
        .slice(0, fieldsMax)
        .map((issue) => ({
          field: [targets[result.target] ?? result.target, ...issue.path].join(".").slice(0, textLengthMax),
          message: issue.message.slice(0, textLengthMax),
        }));
      throw new AppError("invalid_request", "The request is not valid; see `errors`.", { fields });
    },
  });
}

type Issue = z.core.$ZodIssue;

/** What fits none of several forms is told as the faults of the form that it is most like: where they lie deepest, and are fewest. */
function unfoldUnion(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const forms = issue.errors.map((issues) =>
    issues.flatMap(unfoldUnion).map((one) => ({ ...one, path: [...issue.path, ...one.path] })),
  );
  const depthOf = (issues: readonly Issue[]) => Math.max(0, ...issues.map(({ path }) => path.length));
  const [best] = forms.toSorted((one, other) => depthOf(other) - depthOf(one) || one.length - other.length);
  return best && best.length > 0 ? best : [issue];
}
