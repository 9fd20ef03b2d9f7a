import { databaseErrorCode } from "../../../shared/database.ts";
import { GatewayError } from "../keys.ts";

/**
 * What goes wrong, in the form of storage-api: the HTTP status is 400 (or 500) whatever happened, and the status that
 * is meant stands in the body as a text. storage-js tells it as `error.statusCode`, and `error.code` is what
 * `exists()` and callers branch on.
 */
export class StorageError extends Error {
  readonly httpStatus: 400 | 401 | 404 | 416 | 500 | 501;
  readonly statusCode: number;
  /** A name such as `NoSuchKey`. */
  readonly code: string;
  /** The older word for the code, which the body carries as `error`. */
  readonly error: string;

  constructor(
    statusCode: number,
    code: string,
    message: string,
    options: { error?: string; httpStatus?: StorageError["httpStatus"]; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "StorageError";
    this.statusCode = statusCode;
    this.code = code;
    this.error = options.error ?? code;
    this.httpStatus = options.httpStatus ?? (statusCode === 500 ? 500 : 400);
  }

  toBody(): { statusCode: string; error: string; message: string; code: string } {
    return {
      statusCode: String(this.statusCode),
      error: this.error,
      message: this.message,
      code: this.code,
    };
  }
}

export const storageErrors = {
  noSuchBucket: () =>
    new StorageError(404, "NoSuchBucket", "Bucket not found", { error: "Bucket not found" }),
  noSuchKey: () => new StorageError(404, "NoSuchKey", "Object not found", { error: "not_found" }),
  noSuchPath: () => new StorageError(404, "NoSuchPath", "There is nothing at this path", { httpStatus: 404 }),
  bucketExists: () =>
    new StorageError(409, "BucketAlreadyExists", "The resource already exists", { error: "Duplicate" }),
  keyExists: () =>
    new StorageError(409, "KeyAlreadyExists", "The resource already exists", { error: "Duplicate" }),
  bucketNotEmpty: () =>
    new StorageError(409, "ResourceNotEmpty", "The bucket you tried to delete is not empty"),
  accessDenied: (message = "Access denied") =>
    new StorageError(403, "AccessDenied", message, { error: "Unauthorized" }),
  invalidBucketName: () =>
    new StorageError(400, "InvalidBucketName", "Bucket name invalid", { error: "Invalid Input" }),
  invalidKey: (key: string) => new StorageError(400, "InvalidKey", `Invalid key: ${key.slice(0, 200)}`),
  invalidRequest: (message: string) => new StorageError(400, "InvalidRequest", message),
  invalidMimeType: (type: string) =>
    new StorageError(415, "InvalidMimeType", `mime type ${type.slice(0, 200)} is not supported`, {
      error: "invalid_mime_type",
    }),
  invalidToken: (message: string) => new StorageError(400, "InvalidJWT", message),
  invalidSignature: (message = "Invalid signature") => new StorageError(400, "InvalidSignature", message),
  tooLarge: (what = "object") =>
    new StorageError(413, "EntityTooLarge", `The ${what} exceeded the maximum allowed size`, {
      error: "Payload too large",
    }),
  incomplete: (message: string, cause?: unknown) =>
    new StorageError(400, "IncompleteBody", message, { cause }),
  stalled: () => new StorageError(408, "RequestTimeout", "The body stopped arriving"),
  rangeNotSatisfiable: () =>
    new StorageError(416, "InvalidRange", "The requested range is not satisfiable", { httpStatus: 416 }),
  /** What a Supabase project can and this stand-in cannot. */
  notImplemented: (what: string) =>
    new StorageError(501, "NotImplemented", `${what}: not part of the embedded mode`, { httpStatus: 501 }),
};

/** Any thrown value as a StorageError; what was not foreseen tells nothing and keeps its cause. */
export function toStorageError(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (error instanceof GatewayError) return fromGateway(error);
  return (
    fromDatabase(error) ?? new StorageError(500, "InternalError", "Internal server error", { cause: error })
  );
}

/** The gateway refuses a key with 401; a user's token is refused by storage-api itself. */
function fromGateway(error: GatewayError): StorageError {
  if (error.code === "bad_jwt" || error.code === "token_expired") {
    return storageErrors.accessDenied(error.message);
  }
  return new StorageError(401, error.code, error.message, { error: "Unauthorized", httpStatus: 401 });
}

function fromDatabase(error: unknown): StorageError | undefined {
  const code = databaseErrorCode(error);
  if (!(error instanceof Error) || code === undefined) return undefined;
  switch (code) {
    case "42501":
      return storageErrors.accessDenied(
        error.message.includes("row-level security")
          ? "new row violates row-level security policy"
          : error.message,
      );
    case "23505":
      return storageErrors.keyExists();
    case "23503":
      return new StorageError(404, "InvalidRequest", "The related resource does not exist");
    case "40001":
    case "40P01":
    case "55P03":
      return new StorageError(423, "ResourceLocked", "The resource is locked", { cause: error });
    case "57014":
      return new StorageError(544, "DatabaseTimeout", "The connection to the database timed out", {
        cause: error,
        httpStatus: 500,
      });
    case "22021":
    case "22P02":
    case "22P05":
      // Such as a zero byte in a text.
      return storageErrors.invalidRequest("A value of the request cannot be stored");
    default:
      return undefined;
  }
}
