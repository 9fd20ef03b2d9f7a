import type { ISql, Sql, TransactionSql } from "postgres";
import { createId } from "../../../shared/ids.ts";
import { authErrors } from "./errors.ts";
import { findUser, insertUser, type NewUser, type UserChange, updateUser } from "./store.ts";
import { createRefreshToken, hashRefreshToken, type OpenSession } from "./tokens.ts";
import { isBanned, type UserRow } from "./users.ts";

/**
 * A session is a chain of refresh tokens, each exchanged for the next:
 *
 *   sign-in ──▶ t0 ──▶ t1 ──▶ t2        t0 again, within the grace: one more t1; two tabs refreshed at once
 *                                       t0 again, later: someone else has it; the whole session ends
 *
 * RFC 9700, 4.14.2. All under the lock of the session's row.
 */

/** How long the history of exchanged tokens is kept; one that is older is not found. */
const historyDays = 30;

interface FoundToken {
  readonly sessionId: string;
  readonly userId: string;
  readonly startedAt: string;
  readonly revokedAt: string | null;
  readonly rotatedAt: string | null;
}

/** A new user with a session, or undefined where the address is taken. */
export function signUp(sql: Sql, user: NewUser, now: string): Promise<OpenSession | undefined> {
  return sql.begin(async (transaction) => {
    const inserted = await insertUser(transaction, user, now);
    return (
      inserted && startSession(transaction, inserted.id, { verifiedHash: inserted.encryptedPassword, now })
    );
  });
}

/** Undefined where the password is no longer the one that was verified. */
export function openSession(sql: Sql, user: UserRow, now: string): Promise<OpenSession | undefined> {
  return sql.begin((transaction) =>
    startSession(transaction, user.id, { verifiedHash: user.encryptedPassword, now }),
  );
}

async function startSession(
  transaction: TransactionSql,
  userId: string,
  { verifiedHash, now }: { verifiedHash: string | null; now: string },
): Promise<OpenSession | undefined> {
  const [signedIn] = await transaction<{ id: string }[]>`
    update auth.users
    set last_sign_in_at = ${now}, updated_at = ${now}
    where id = ${userId}
    and encrypted_password = ${verifiedHash}
    returning id
  `;
  const user = signedIn && (await findUser(transaction, signedIn.id));
  if (!user) return undefined;
  const sessionId = createId();
  await transaction`
    insert into auth.sessions (id, user_id, created_at)
    values (${sessionId}, ${userId}, ${now})
  `;
  const refreshToken = await insertToken(transaction, { sessionId, parentHash: null, now });
  return { user, sessionId, startedAt: now, refreshToken };
}

/** The next token of the session. Throws for one that is unknown, was exchanged too long ago, or whose user is banned. */
export async function refreshSession(
  sql: Sql,
  token: string,
  { now, graceSeconds }: { now: Date; graceSeconds: number },
): Promise<OpenSession> {
  const refreshed = await sql.begin(async (transaction) => {
    const found = await lockToken(transaction, token);
    if (!found) throw authErrors.refreshTokenNotFound();
    if (found.revokedAt !== null) throw authErrors.refreshTokenUsed();
    const usableUntilMs =
      found.rotatedAt === null ? Infinity : Date.parse(found.rotatedAt) + graceSeconds * 1000;
    if (usableUntilMs < now.getTime()) return revokeSession(transaction, found.sessionId, now.toISOString());
    const user = await findUser(transaction, found.userId);
    if (!user) throw authErrors.refreshTokenNotFound();
    if (isBanned(user, now)) throw authErrors.banned(400, "Invalid Refresh Token: User Banned");
    const refreshToken = await rotateToken(transaction, token, { found, now: now.toISOString() });
    return { user, sessionId: found.sessionId, startedAt: found.startedAt, refreshToken };
  });
  // Only now: an error inside would have undone the revocation.
  if (!refreshed) throw authErrors.refreshTokenUsed();
  return refreshed;
}

/** The session first and the token after: ending a session locks them in that order too. */
async function lockToken(transaction: TransactionSql, token: string): Promise<FoundToken | undefined> {
  const hash = hashRefreshToken(token);
  const [session] = await transaction<Omit<FoundToken, "rotatedAt">[]>`
    select id as session_id, user_id, created_at as started_at, revoked_at
    from auth.sessions
    where id = (select session_id from auth.refresh_tokens where hash = ${hash})
    for update
  `;
  if (!session) return undefined;
  const [found] = await transaction<{ rotatedAt: string | null }[]>`
    select rotated_at
    from auth.refresh_tokens
    where hash = ${hash}
  `;
  return found && { ...session, ...found };
}

async function revokeSession(
  transaction: TransactionSql,
  sessionId: string,
  now: string,
): Promise<undefined> {
  await transaction`
    update auth.sessions
    set revoked_at = ${now}
    where id = ${sessionId}
  `;
}

async function rotateToken(
  transaction: TransactionSql,
  token: string,
  { found, now }: { found: FoundToken; now: string },
): Promise<string> {
  const { sessionId } = found;
  const parentHash = hashRefreshToken(token);
  await transaction`
    update auth.refresh_tokens
    set rotated_at = ${now}
    where hash = ${parentHash}
    and rotated_at is null
  `;
  await transaction`
    delete from auth.refresh_tokens
    where session_id = ${sessionId}
    and rotated_at < ${now}::timestamptz - make_interval(days => ${historyDays})
  `;
  await transaction`
    update auth.sessions
    set refreshed_at = ${now}
    where id = ${sessionId}
  `;
  return insertToken(transaction, { sessionId, parentHash, now });
}

async function insertToken(
  transaction: TransactionSql,
  token: { sessionId: string; parentHash: Buffer | null; now: string },
): Promise<string> {
  const refreshToken = createRefreshToken();
  await transaction`
    insert into auth.refresh_tokens (hash, session_id, parent_hash, created_at)
    values (${hashRefreshToken(refreshToken)}, ${token.sessionId}, ${token.parentHash}, ${token.now})
  `;
  return refreshToken;
}

/** True while nobody has ended the session. */
export async function isSessionOpen(sql: ISql, sessionId: string, userId: string): Promise<boolean> {
  const [row] = await sql<{ found: boolean }[]>`
    select exists (
      select
      from auth.sessions
      where id = ${sessionId}
      and user_id = ${userId}
      and revoked_at is null
    ) as found
  `;
  return row?.found ?? false;
}

export async function endSession(sql: ISql, sessionId: string): Promise<void> {
  await sql`
    delete from auth.sessions
    where id = ${sessionId}
  `;
}

/** Ends all of a user's sessions, or all but one. */
export async function endSessions(sql: ISql, userId: string, exceptId?: string): Promise<void> {
  await sql`
    delete from auth.sessions
    where user_id = ${userId}
    and id is distinct from ${exceptId ?? null}::uuid
  `;
}

/**
 * Changes a user; a new password ends all sessions but the one kept. The user's row comes first: a sign-in with the
 * old password waits for it and fails, or was before it and its session is seen here.
 */
export function changeUser(
  { sql, now }: { sql: Sql; now: () => Date },
  id: string,
  { change, keptSessionId }: { change: UserChange; keptSessionId?: string },
): Promise<UserRow | undefined> {
  return sql.begin(async (transaction) => {
    const updated = await updateUser(transaction, id, { change, now: now().toISOString() });
    if (change.encryptedPassword !== undefined) await endSessions(transaction, id, keptSessionId);
    return updated;
  });
}
