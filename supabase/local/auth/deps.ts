import type { Sql } from "postgres";
import type { LocalKeys } from "../keys.ts";
import { Attempts } from "./attempts.ts";

export interface AuthOptions {
  /** A client logged in as supabase_auth_admin, made with the `databaseOptions` of the house. */
  readonly sql: Sql;
  readonly keys: LocalKeys;
  /** `<public URL>/auth/v1` */
  readonly issuer: string;
  /** Default one hour. */
  readonly accessTokenSeconds?: number;
  /** How long an exchanged refresh token still serves. Default 10. */
  readonly refreshGraceSeconds?: number;
  /** Where a request comes from, for counting password attempts; undefined where it is not known. */
  readonly findAddress?: (request: Request) => string | undefined;
  readonly now?: () => Date;
  /** Told what went wrong on our side; the client is not. Default: the console. */
  readonly reportError?: (error: unknown) => void;
}

/** What the handlers work with. */
export interface AuthDeps extends Required<AuthOptions> {
  readonly attempts: Attempts;
}

export function createDeps(options: AuthOptions): AuthDeps {
  return {
    accessTokenSeconds: 3600,
    refreshGraceSeconds: 10,
    findAddress: () => undefined,
    now: () => new Date(),
    reportError: (error) => console.error(error),
    ...options,
    attempts: new Attempts(),
  };
}
