import type { ISql } from "postgres";
import type { UserRow } from "./users.ts";

export interface NewUser {
  readonly id: string;
  readonly email: string;
  readonly encryptedPassword: string | null;
  readonly emailConfirmedAt: string | null;
  readonly bannedUntil: string | null;
  readonly appMetadata: Readonly<Record<string, unknown>>;
  readonly userMetadata: Readonly<Record<string, unknown>>;
}

/** What is absent stays as it is. */
export interface UserChange {
  readonly email?: string;
  readonly encryptedPassword?: string;
  /** True confirms an address that is not confirmed yet. */
  readonly confirmsEmail?: boolean;
  /** Null lifts the ban. */
  readonly bannedUntil?: string | null;
  /** Put over what is there, key by key; a null removes its key. */
  readonly appMetadata?: Readonly<Record<string, unknown>>;
  readonly userMetadata?: Readonly<Record<string, unknown>>;
}

const userColumns = (sql: ISql) => sql`
  id,
  email,
  encrypted_password,
  email_confirmed_at,
  last_sign_in_at,
  raw_app_meta_data,
  raw_user_meta_data,
  created_at,
  updated_at,
  banned_until,
  is_anonymous,
  deleted_at
`;

/** Undefined where the address or the id is taken. */
export async function insertUser(sql: ISql, user: NewUser, now: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`
    insert into auth.users (
      id,
      aud,
      role,
      email,
      encrypted_password,
      email_confirmed_at,
      raw_app_meta_data,
      raw_user_meta_data,
      created_at,
      updated_at,
      banned_until
    )
    values (
      ${user.id},
      'authenticated',
      'authenticated',
      ${user.email},
      ${user.encryptedPassword},
      ${user.emailConfirmedAt},
      ${JSON.stringify(user.appMetadata)}::text::jsonb,
      ${JSON.stringify(user.userMetadata)}::text::jsonb,
      ${now},
      ${now},
      ${user.bannedUntil}
    )
    on conflict do nothing
    returning ${userColumns(sql)}
  `;
  return row;
}

export async function findUser(sql: ISql, id: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`
    select ${userColumns(sql)}
    from auth.users
    where id = ${id}
  `;
  return row;
}

export async function findUserByEmail(sql: ISql, email: string): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`
    select ${userColumns(sql)}
    from auth.users
    where lower(email) = ${email.toLowerCase()}
    and not is_sso_user
  `;
  return row;
}

/** Newest first, with the number of all. */
export async function listUsers(
  sql: ISql,
  { page, perPage }: { page: number; perPage: number },
): Promise<{ users: UserRow[]; total: number }> {
  const users = await sql<UserRow[]>`
    select ${userColumns(sql)}
    from auth.users
    order by created_at desc, id desc
    limit ${perPage}
    offset ${(page - 1) * perPage}
  `;
  const [count] = await sql<{ total: number }[]>`select count(*) as total from auth.users`;
  return { users: [...users], total: count?.total ?? 0 };
}

/** Undefined where there is no such user. Throws a violation of `users_email_key` where the new address is taken. */
export async function updateUser(
  sql: ISql,
  id: string,
  { change, now }: { change: UserChange; now: string },
): Promise<UserRow | undefined> {
  const { appMetadata = {}, userMetadata = {}, bannedUntil } = change;
  const [row] = await sql<UserRow[]>`
    update auth.users
    set
      email = coalesce(${change.email ?? null}::text, email),
      encrypted_password = coalesce(${change.encryptedPassword ?? null}::text, encrypted_password),
      email_confirmed_at = coalesce(
        email_confirmed_at,
        ${change.confirmsEmail ? now : null}::timestamptz
      ),
      banned_until = case
        when ${bannedUntil === undefined}::boolean then banned_until
        else ${bannedUntil ?? null}::timestamptz
      end,
      raw_app_meta_data =
        (raw_app_meta_data || ${JSON.stringify(appMetadata)}::text::jsonb) - ${nullKeys(appMetadata)}::text[],
      raw_user_meta_data =
        (raw_user_meta_data || ${JSON.stringify(userMetadata)}::text::jsonb) - ${nullKeys(userMetadata)}::text[],
      updated_at = ${now}
    where id = ${id}
    returning ${userColumns(sql)}
  `;
  return row;
}

function nullKeys(patch: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(patch).filter((key) => patch[key] === null);
}

/** With everything that hangs on it. */
export async function deleteUser(sql: ISql, id: string): Promise<void> {
  await sql`
    delete from auth.users
    where id = ${id}
  `;
}

/** The row stays for what names it; address, password and metadata go, and the address is free again. */
export async function deleteUserSoftly(sql: ISql, id: string, now: string): Promise<void> {
  await sql`
    update auth.users
    set
      email = encode(sha256(convert_to(id || email, 'UTF8')), 'base64'),
      encrypted_password = null,
      raw_app_meta_data = '{}',
      raw_user_meta_data = '{}',
      updated_at = ${now},
      deleted_at = ${now}
    where id = ${id}
    and deleted_at is null
  `;
}
