import type { Sql } from "postgres";
import type { Caller } from "../../../shared/callers.ts";
import { GatewayError, identifyCaller, type LocalKeys } from "../keys.ts";
import { createSignatures, type Signatures } from "./signatures.ts";

export interface StorageOptions {
  /** A client logged in as supabase_storage_admin. */
  readonly sql: Sql;
  readonly keys: LocalKeys;
  /** `<public URL>/auth/v1`: who signs the users' tokens. */
  readonly issuer: string;
  /** Where the bytes lie; made when the first object comes. */
  readonly folder: string;
  /** The most that any object may hold, whatever its bucket allows. Default 50 MiB. */
  readonly fileSizeLimitBytes?: number;
  /** How long an upload may send nothing before it is given up. Default one minute. */
  readonly bodyIdleMs?: number;
  readonly now?: () => Date;
  /** Told what went wrong on our side; the client is not. Default: the console. */
  readonly reportError?: (error: unknown) => void;
}

/** What the handlers work with. */
export interface StorageTools extends Required<StorageOptions> {
  readonly signatures: Signatures;
  identify(request: Request): Promise<Caller>;
  /** Undefined where nobody is known by the request's key and token. */
  identifyMaybe(request: Request): Promise<Caller | undefined>;
}

const defaultLimitBytes = 50 * 1024 * 1024;

export function createTools(options: StorageOptions): StorageTools {
  const now = options.now ?? (() => new Date());
  async function identify(request: Request): Promise<Caller> {
    const { headers } = request;
    const { caller } = await identifyCaller(options.keys, options.issuer, {
      apikey: headers.get("apikey") ?? undefined,
      authorization: headers.get("authorization") ?? undefined,
      userAgent: headers.get("user-agent") ?? undefined,
    });
    return caller;
  }
  return {
    fileSizeLimitBytes: defaultLimitBytes,
    bodyIdleMs: 60_000,
    reportError: (error) => console.error(error),
    ...options,
    now,
    signatures: createSignatures(options.keys.secretKey, now),
    identify,
    identifyMaybe: (request) =>
      identify(request).catch((error: unknown) => {
        if (error instanceof GatewayError) return undefined;
        throw error;
      }),
  };
}
