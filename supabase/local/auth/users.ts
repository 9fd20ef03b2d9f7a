/** A row of auth.users, as far as anyone asks. Times are ISO 8601 in UTC. */
export interface UserRow {
  readonly id: string;
  readonly email: string | null;
  readonly encryptedPassword: string | null;
  readonly emailConfirmedAt: string | null;
  readonly lastSignInAt: string | null;
  readonly rawAppMetaData: Readonly<Record<string, unknown>>;
  readonly rawUserMetaData: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly bannedUntil: string | null;
  readonly isAnonymous: boolean;
  readonly deletedAt: string | null;
}

export function isBanned(user: UserRow, now: Date): boolean {
  return user.bannedUntil !== null && Date.parse(user.bannedUntil) > now.getTime();
}

/** The user as Supabase Auth tells it: null is left out. */
export function toUser(user: UserRow): Record<string, unknown> {
  return withoutNulls({
    id: user.id,
    aud: "authenticated",
    role: "authenticated",
    email: user.email,
    email_confirmed_at: user.emailConfirmedAt,
    phone: "",
    confirmed_at: user.emailConfirmedAt,
    last_sign_in_at: user.lastSignInAt,
    app_metadata: user.rawAppMetaData,
    user_metadata: user.rawUserMetaData,
    identities: [toIdentity(user)],
    created_at: user.createdAt,
    updated_at: user.updatedAt,
    banned_until: user.bannedUntil,
    deleted_at: user.deletedAt,
    is_anonymous: user.isAnonymous,
  });
}

/** The only identity that there is here: the address and its password. It cannot be linked or unlinked. */
function toIdentity(user: UserRow): Record<string, unknown> {
  return withoutNulls({
    identity_id: user.id,
    id: user.id,
    user_id: user.id,
    identity_data: {
      email: user.email,
      email_verified: user.emailConfirmedAt !== null,
      phone_verified: false,
      sub: user.id,
    },
    provider: "email",
    last_sign_in_at: user.lastSignInAt,
    created_at: user.createdAt,
    updated_at: user.updatedAt,
    email: user.email,
  });
}

function withoutNulls(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
