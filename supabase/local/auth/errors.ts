import { databaseErrorCode, violatedConstraint } from "../../../shared/database.ts";
import { GatewayError } from "../keys.ts";

/** What goes wrong, in the words of Supabase Auth: auth-js gives `code` and `status` to its callers. */
export class AuthError extends Error {
  readonly status: number;
  readonly code: string;
  /** Why a password is too weak; only with `weak_password`. */
  readonly reasons: readonly string[] | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    options: { reasons?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "AuthError";
    this.status = status;
    this.code = code;
    this.reasons = options.reasons;
  }
}

export const authErrors = {
  badJson: (message: string) => new AuthError(400, "bad_json", message),
  invalid: (message: string) => new AuthError(400, "validation_failed", message),
  weakPassword: (message: string, reasons: readonly string[]) =>
    new AuthError(422, "weak_password", message, { reasons }),
  samePassword: () =>
    new AuthError(422, "same_password", "New password should be different from the old password."),
  invalidCredentials: () => new AuthError(400, "invalid_credentials", "Invalid login credentials"),
  emailNotConfirmed: () => new AuthError(400, "email_not_confirmed", "Email not confirmed"),
  userExists: () => new AuthError(422, "user_already_exists", "User already registered"),
  emailExists: () =>
    new AuthError(422, "email_exists", "A user with this email address has already been registered"),
  idExists: () => new AuthError(422, "user_already_exists", "A user with this id already exists"),
  refreshTokenNotFound: () =>
    new AuthError(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found"),
  refreshTokenUsed: () =>
    new AuthError(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used"),
  banned: (status: 400 | 403, message = "User is banned") => new AuthError(status, "user_banned", message),
  noAuthorization: () => new AuthError(401, "no_authorization", "This endpoint requires a Bearer token"),
  missingSubject: () => new AuthError(403, "bad_jwt", "invalid claim: missing sub claim"),
  sessionNotFound: () =>
    new AuthError(403, "session_not_found", "Session from session_id claim in JWT does not exist"),
  userGone: () => new AuthError(403, "user_not_found", "User from sub claim in JWT does not exist"),
  notAdmin: (message = "User not allowed") => new AuthError(403, "not_admin", message),
  userNotFound: () => new AuthError(404, "user_not_found", "User not found"),
  tooLarge: () => new AuthError(413, "validation_failed", "The body is larger than 256 KiB"),
  tooManyAttempts: () => new AuthError(429, "over_request_rate_limit", "Request rate limit reached"),
  /** What a Supabase project can and this stand-in cannot. */
  notImplemented: (what: string) =>
    new AuthError(
      501,
      "not_implemented",
      `${what} is not part of the embedded mode; use a real Supabase project`,
    ),
};

/** Any thrown value as an AuthError; what was not foreseen tells nothing and keeps its cause. */
export function toAuthError(error: unknown): AuthError {
  if (error instanceof AuthError) return error;
  if (error instanceof GatewayError) return fromGateway(error);
  if (violatedConstraint(error) === "users_email_key") return authErrors.emailExists();
  if (databaseErrorCode(error) === "23503") {
    return new AuthError(409, "conflict", "Other rows still belong to this user", { cause: error });
  }
  return new AuthError(500, "unexpected_failure", "Unexpected failure, please check server logs", {
    cause: error,
  });
}

/** The gateway refuses a key with 401; a user's token is refused by Auth itself. */
function fromGateway(error: GatewayError): AuthError {
  const isToken = error.code === "bad_jwt" || error.code === "token_expired";
  return isToken
    ? new AuthError(403, "bad_jwt", error.message, { cause: error })
    : new AuthError(error.status, error.code, error.message);
}

const versionHeader = "x-supabase-api-version";
/** Since this version a body's `code` is the word, and no longer the number. */
const wordsSince = "2024-01-01";

/** The answer in the form that the request's API version asks for. */
export function errorResponse(error: AuthError, request: Request): Response {
  const version = request.headers.get(versionHeader) ?? "";
  const isNew = /^\d{4}-\d\d-\d\d$/.test(version) && version >= wordsSince;
  const body = {
    ...(isNew
      ? { code: error.code, message: error.message }
      : { code: error.status, error_code: error.code, msg: error.message }),
    ...(error.reasons ? { weak_password: { reasons: error.reasons } } : {}),
  };
  return Response.json(body, {
    status: error.status,
    headers: { "x-sb-error-code": error.code, ...(isNew ? { [versionHeader]: wordsSince } : {}) },
  });
}
