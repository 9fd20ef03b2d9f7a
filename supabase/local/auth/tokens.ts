import { createHash, randomBytes } from "node:crypto";
import { SignJWT } from "jose";
import type { LocalKeys } from "../keys.ts";
import { toUser, type UserRow } from "./users.ts";

/** What a sign-in or a refresh leaves behind in the database. */
export interface OpenSession {
  readonly user: UserRow;
  readonly sessionId: string;
  /** When the password was given. */
  readonly startedAt: string;
  readonly refreshToken: string;
}

export interface TokenSettings {
  readonly keys: LocalKeys;
  readonly issuer: string;
  readonly accessTokenSeconds: number;
  readonly now: () => Date;
}

/** 256 random bits: nobody guesses one, so a fast hash of it is safe to keep. */
export function createRefreshToken(): string {
  return randomBytes(32).toString("base64url");
}

export function hashRefreshToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** The body that answers a sign-up, a sign-in and a refresh. */
export async function toSession(
  settings: TokenSettings,
  session: OpenSession,
): Promise<Record<string, unknown>> {
  const issuedAt = Math.floor(settings.now().getTime() / 1000);
  const expiresAt = issuedAt + settings.accessTokenSeconds;
  return {
    access_token: await signAccessToken(settings, session, { issuedAt, expiresAt }),
    token_type: "bearer",
    expires_in: settings.accessTokenSeconds,
    expires_at: expiresAt,
    refresh_token: session.refreshToken,
    user: toUser(session.user),
  };
}

function signAccessToken(
  { keys, issuer }: TokenSettings,
  { user, sessionId, startedAt }: OpenSession,
  times: { issuedAt: number; expiresAt: number },
): Promise<string> {
  return new SignJWT({
    email: user.email ?? "",
    phone: "",
    app_metadata: user.rawAppMetaData,
    user_metadata: user.rawUserMetaData,
    role: "authenticated",
    aal: "aal1",
    amr: [{ method: "password", timestamp: Math.floor(Date.parse(startedAt) / 1000) }],
    session_id: sessionId,
    is_anonymous: user.isAnonymous,
  })
    .setProtectedHeader({ alg: "ES256", kid: keys.kid, typ: "JWT" })
    .setIssuer(issuer)
    .setSubject(user.id)
    .setAudience("authenticated")
    .setIssuedAt(times.issuedAt)
    .setExpirationTime(times.expiresAt)
    .sign(keys.signingKey);
}
