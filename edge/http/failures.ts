import { HTTPException } from "hono/http-exception";
import { databaseErrorCode, violatedConstraint } from "../../shared/database.ts";
import { AppError, type ErrorCode, toAppError } from "../../shared/errors.ts";

/** Any thrown value as the AppError that the caller is told. */
export function explainFailure(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof HTTPException) return explainHttpException(thrown);
  return explainDatabaseError(thrown) ?? toAppError(thrown);
}

const httpCodes: Readonly<Record<number, ErrorCode>> = {
  400: "invalid_request",
  413: "payload_too_large",
  415: "unsupported_media_type",
};

/** What hono itself refuses: a body that is no JSON, or of a type that the route does not take. */
function explainHttpException(thrown: HTTPException): AppError {
  const code = httpCodes[thrown.status];
  return code ? new AppError(code, thrown.message, { cause: thrown }) : toAppError(thrown);
}

/** Codes of postgres.js, of sockets and SQLSTATEs that say "not now". */
const notNow =
  /^(CONNECT_TIMEOUT|CONNECTION_(CLOSED|ENDED|DESTROYED)|ECONN(REFUSED|RESET)|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|08...|53...|57014|57P0[1-5]|40001|40P01|55P03)$/;

function explainDatabaseError(thrown: unknown): AppError | undefined {
  const code = databaseErrorCode(thrown);
  if (code === undefined) return undefined;
  if (notNow.test(code)) {
    const options = { cause: thrown, retryable: true, retryAfterSeconds: 2 };
    return new AppError("unavailable", "The database does not answer now; try again shortly.", options);
  }
  // A NUL character, or half of a surrogate pair: Postgres keeps neither.
  if (code === "22021" || code === "22P05" || (code === "22P02" && isBrokenJson(thrown))) {
    return new AppError("invalid_request", "Text must not hold NUL or broken characters.", { cause: thrown });
  }
  if (code === "23503" && violatedConstraint(thrown)?.endsWith("_owner_id_fkey")) {
    return new AppError("unauthenticated", "The user of this token no longer exists.", { cause: thrown });
  }
  return undefined;
}

/** We write no JSON that Postgres cannot read but such as holds half of a surrogate pair. */
function isBrokenJson(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message === "invalid input syntax for type json";
}
