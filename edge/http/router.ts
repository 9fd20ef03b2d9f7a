import { OpenAPIHono } from "@hono/zod-openapi";
import type { Caller } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";

/** What every handler finds in its context (`c.var`). */
export interface AppEnv {
  Variables: {
    requestId: string;
    caller: Caller;
  };
}

/** A room's router: input that a schema refuses becomes one `invalid_request` that names every field. */
export function createRouter(): OpenAPIHono<AppEnv> {
  return new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const fields = result.error.issues.map((issue) => ({
        field: [result.target, ...issue.path].join("."),
        message: issue.message,
      }));
      throw new AppError("invalid_request", "The request is not valid; see `fields`.", { fields });
    },
  });
}
