import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  connectClient,
  createEmail,
  openTarget,
  password,
  signUpSomeone as signUpAt,
  type Target,
} from "./target.ts";

/** Written against supabase-js alone, so that it can be pointed at a real project; see openTarget. */

let target: Target;
const created = new Set<string>();

beforeAll(async () => {
  target = await openTarget();
});
afterAll(async () => {
  const { admin } = service().auth;
  for (const id of created) await admin.deleteUser(id);
  await target.close();
});

const service = () => connectClient(target, target.secretKey);

async function signUpSomeone() {
  const someone = await signUpAt(target);
  created.add(someone.user.id);
  return someone;
}

/** A second device of the same user. */
async function signInAgain(email: string) {
  const client = connectClient(target);
  const { data, error } = await client.auth.signInWithPassword({ email, password });
  if (error) throw error;
  return { client, session: data.session };
}

async function createUser(
  attributes: Parameters<ReturnType<typeof service>["auth"]["admin"]["createUser"]>[0],
) {
  const { data, error } = await service().auth.admin.createUser(attributes);
  if (error) throw error;
  created.add(data.user.id);
  return data.user;
}

/** A refresh token given back as it is, on a client that knows nothing else. */
async function refresh(token: string) {
  const { data, error } = await connectClient(target).auth.refreshSession({ refresh_token: token });
  return {
    token: data.session?.refresh_token,
    session: data.session,
    code: error?.code,
    status: error?.status,
  };
}

describe("signing up", () => {
  test("gives a user and a session at once", async () => {
    const { user, session, email } = await signUpSomeone();
    expect(user).toMatchObject({ email, aud: "authenticated", role: "authenticated", is_anonymous: false });
    expect(user.app_metadata).toMatchObject({ provider: "email", providers: ["email"] });
    expect(user.email_confirmed_at).toBeTruthy();
    expect(session).toMatchObject({ token_type: "bearer", user: { id: user.id } });
    expect(session.expires_in).toBeGreaterThan(0);
  });

  test("keeps what the user says of themselves, and nothing that only the operator may say", async () => {
    const client = connectClient(target);
    const options = { data: { name: "Ada", role: "admin" }, app_metadata: { role: "admin" } };
    const { data } = await client.auth.signUp({ email: createEmail(), password, options });
    if (data.user) created.add(data.user.id);
    expect(data.user?.user_metadata).toMatchObject({ name: "Ada", role: "admin" });
    expect(data.user?.app_metadata.role).toBeUndefined();
    expect(data.user?.role).toBe("authenticated");
  });

  test("twice with the same address is refused, whatever its letters", async () => {
    const { email } = await signUpSomeone();
    const { data, error } = await connectClient(target).auth.signUp({ email: email.toUpperCase(), password });
    expect(error).toMatchObject({ status: 422, code: "user_already_exists" });
    expect(data.session).toBeNull();
  });

  test.each([
    ["an address without a domain", { email: "ada", password }, { status: 400, code: "validation_failed" }],
    ["no address", { email: "", password }, { status: 400, code: "validation_failed" }],
    ["no password", { email: createEmail(), password: "" }, { status: 400, code: "validation_failed" }],
    ["a short password", { email: createEmail(), password: "12345" }, { status: 422, code: "weak_password" }],
    [
      "a password of 73 characters",
      { email: createEmail(), password: "x".repeat(73) },
      { status: 400, code: "validation_failed" },
    ],
    [
      "an address of 300 characters",
      { email: `${"x".repeat(288)}@example.com`, password },
      { status: 400, code: "validation_failed" },
    ],
  ])("with %s is refused", async (_name, credentials, expected) => {
    const { data, error } = await connectClient(target).auth.signUp(credentials);
    expect(error).toMatchObject(expected);
    expect(data.user).toBeNull();
  });
});

describe("signing in", () => {
  test("with the right password gives a session of the same user", async () => {
    const { email, user } = await signUpSomeone();
    const { session } = await signInAgain(email.toUpperCase());
    expect(session.user.id).toBe(user.id);
    expect(session.user.last_sign_in_at).toBeTruthy();
  });

  test("with a wrong password or as a stranger is refused alike", async () => {
    const { email } = await signUpSomeone();
    const { auth } = connectClient(target);
    const wrong = await auth.signInWithPassword({ email, password: `${password}!` });
    const stranger = await auth.signInWithPassword({ email: createEmail(), password });
    expect(wrong.error).toMatchObject({ status: 400, code: "invalid_credentials" });
    expect(stranger.error).toMatchObject({ status: 400, code: "invalid_credentials" });
    expect(wrong.error?.message).toBe(stranger.error?.message);
  });

  test("with another project's key is refused", async () => {
    const { email } = await signUpSomeone();
    const { auth } = connectClient(target, `${target.publishableKey}x`);
    const { data, error } = await auth.signInWithPassword({ email, password });
    expect(error?.status).toBe(401);
    expect(data.session).toBeNull();
  });
});

describe("a signed-in user", () => {
  test("is told who they are", async () => {
    const { client, user, email } = await signUpSomeone();
    const { data } = await client.auth.getUser();
    expect(data.user).toMatchObject({ id: user.id, email });
    const { data: identities } = await client.auth.getUserIdentities();
    expect(identities?.identities).toHaveLength(1);
    expect(identities?.identities[0]).toMatchObject({ provider: "email", user_id: user.id });
  });

  test("is not known by a token that was changed", async () => {
    const { client, session } = await signUpSomeone();
    const [header, claims] = session.access_token.split(".");
    const { session: other } = await signUpSomeone();
    const forged = `${header}.${claims}.${other.access_token.split(".")[2]}`;
    const { data, error } = await client.auth.getUser(forged);
    expect(error).toMatchObject({ status: 403, code: "bad_jwt" });
    expect(data.user).toBeNull();
  });

  test("has claims that verify against the published keys", async () => {
    const { client, user, email } = await signUpSomeone();
    const { data, error } = await client.auth.getClaims();
    expect(error).toBeNull();
    expect(data?.header).toMatchObject({ alg: "ES256", typ: "JWT" });
    expect(data?.claims).toMatchObject({
      iss: `${target.url}/auth/v1`,
      aud: "authenticated",
      role: "authenticated",
      sub: user.id,
      email,
      aal: "aal1",
      is_anonymous: false,
      app_metadata: { provider: "email" },
    });
    expect(data?.claims.session_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(data?.claims.amr?.[0]).toMatchObject({ method: "password" });
    expect(data?.claims.exp).toBeGreaterThan(data?.claims.iat ?? Infinity);
  });

  test("has the first level of assurance and no second factor", async () => {
    const { client } = await signUpSomeone();
    const { data: level } = await client.auth.mfa.getAuthenticatorAssuranceLevel();
    expect(level).toMatchObject({ currentLevel: "aal1", nextLevel: "aal1" });
    const { data: factors } = await client.auth.mfa.listFactors();
    expect(factors?.all).toEqual([]);
  });

  test("changes what they say of themselves key by key", async () => {
    const { client } = await signUpSomeone();
    await client.auth.updateUser({ data: { name: "Ada", city: "London" } });
    const { data } = await client.auth.updateUser({ data: { name: "Grace", city: null } });
    expect(data.user?.user_metadata.name).toBe("Grace");
    expect(data.user?.user_metadata).not.toHaveProperty("city");
  });

  test("cannot make themselves an admin", async () => {
    const { client, session } = await signUpSomeone();
    const attributes = { data: { name: "Eve" }, app_metadata: { role: "admin" }, role: "service_role" };
    const { error } = await client.auth.updateUser(attributes);
    expect(error).toMatchObject({ status: 403, code: "not_admin" });
    const { session: refreshed } = await refresh(session.refresh_token);
    expect(refreshed?.user.app_metadata.role).toBeUndefined();
    const { data } = await connectClient(target).auth.getClaims(refreshed?.access_token);
    expect(data?.claims.app_metadata).not.toHaveProperty("role");
    expect(data?.claims.role).toBe("authenticated");
  });

  test("changes their password, which ends their other sessions and not this one", async () => {
    const { client, email, session } = await signUpSomeone();
    const other = await signInAgain(email);
    const { error } = await client.auth.updateUser({ password: "another good one" });
    expect(error).toBeNull();
    expect((await refresh(other.session.refresh_token)).status).toBe(400);
    expect((await refresh(session.refresh_token)).session).not.toBeNull();
    const { auth } = connectClient(target);
    expect((await auth.signInWithPassword({ email, password })).error?.code).toBe("invalid_credentials");
    expect((await auth.signInWithPassword({ email, password: "another good one" })).error).toBeNull();
  });

  test.each([
    ["the same", password, "same_password"],
    ["a weak one", "12345", "weak_password"],
  ])("cannot change their password to %s", async (_name, next, code) => {
    const { client } = await signUpSomeone();
    const { error } = await client.auth.updateUser({ password: next });
    expect(error).toMatchObject({ status: 422, code });
  });

  test("can be carried to another client by their two tokens", async () => {
    const { session, user } = await signUpSomeone();
    const client = connectClient(target);
    const { data } = await client.auth.setSession(session);
    expect(data.user?.id).toBe(user.id);
    expect((await client.auth.getSession()).data.session?.access_token).toBe(session.access_token);
  });
});

describe("refreshing", () => {
  test("gives new tokens of the same session", async () => {
    const { client, session, user } = await signUpSomeone();
    const { data } = await client.auth.refreshSession();
    expect(data.session?.refresh_token).not.toBe(session.refresh_token);
    expect(data.user?.id).toBe(user.id);
    const claims = async (token = "") => (await client.auth.getClaims(token)).data?.claims;
    const before = await claims(session.access_token);
    const after = await claims(data.session?.access_token);
    expect(after?.session_id).toBe(before?.session_id);
    expect(after?.amr).toEqual(before?.amr);
  });

  test("with a token that nobody was given is refused", async () => {
    expect(await refresh("wq3nsm5ycztj")).toMatchObject({ status: 400, code: "refresh_token_not_found" });
  });

  test("ten times at once with one token succeeds each time, and each answer can be refreshed again", async () => {
    const { session } = await signUpSomeone();
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(session.refresh_token)));
    expect(answers.map((answer) => answer.code)).toEqual(Array(10).fill(undefined));
    const again = await Promise.all(
      [...new Set(answers.map(({ token }) => token))].map((token) => refresh(token ?? "")),
    );
    for (const answer of again) expect(answer.session).not.toBeNull();
  });

  test("with a token from long ago is refused and ends the whole session", { timeout: 60_000 }, async () => {
    const { session } = await signUpSomeone();
    const second = await refresh(session.refresh_token);
    const third = await refresh(second.token ?? "");
    expect(third.session).not.toBeNull();
    await target.passTime(11);
    expect(await refresh(session.refresh_token)).toMatchObject({
      status: 400,
      code: "refresh_token_already_used",
    });
    expect((await refresh(third.token ?? "")).session).toBeNull();
  });
});

describe("signing out", () => {
  test("everywhere ends every session of the user", async () => {
    const { client, email, session } = await signUpSomeone();
    const other = await signInAgain(email);
    expect((await client.auth.signOut()).error).toBeNull();
    expect((await refresh(session.refresh_token)).session).toBeNull();
    expect((await refresh(other.session.refresh_token)).session).toBeNull();
    const { error } = await other.client.auth.getUser();
    expect(error?.name).toBe("AuthSessionMissingError");
  });

  test("here leaves the other sessions", async () => {
    const { client, email, session } = await signUpSomeone();
    const other = await signInAgain(email);
    expect((await client.auth.signOut({ scope: "local" })).error).toBeNull();
    expect((await refresh(session.refresh_token)).session).toBeNull();
    expect((await refresh(other.session.refresh_token)).session).not.toBeNull();
  });

  test("elsewhere leaves this session", async () => {
    const { client, email, session } = await signUpSomeone();
    const other = await signInAgain(email);
    expect((await client.auth.signOut({ scope: "others" })).error).toBeNull();
    expect((await refresh(session.refresh_token)).session).not.toBeNull();
    expect((await refresh(other.session.refresh_token)).session).toBeNull();
  });

  test("can be done for a user by the service, with the user's token", async () => {
    const { session } = await signUpSomeone();
    expect((await service().auth.admin.signOut(session.access_token)).error).toBeNull();
    expect((await refresh(session.refresh_token)).session).toBeNull();
  });

  test("twice with the same token says that the session is gone", async () => {
    const { session } = await signUpSomeone();
    const { admin } = service().auth;
    await admin.signOut(session.access_token);
    const { error } = await admin.signOut(session.access_token);
    expect(error?.name).toBe("AuthSessionMissingError");
  });
});

describe("the service", () => {
  test("makes a user who can sign in, with metadata that the token carries", async () => {
    const email = createEmail();
    const user = await createUser({
      email,
      password,
      email_confirm: true,
      app_metadata: { role: "admin" },
      user_metadata: { name: "Ada" },
    });
    expect(user.app_metadata).toMatchObject({ role: "admin", provider: "email" });
    const { client } = await signInAgain(email);
    const { data } = await client.auth.getClaims();
    expect(data?.claims.app_metadata).toMatchObject({ role: "admin", provider: "email" });
    expect(data?.claims.user_metadata).toMatchObject({ name: "Ada" });
    expect(data?.claims.role).toBe("authenticated");
  });

  test("makes a user under an id of its choice", async () => {
    const id = crypto.randomUUID();
    expect((await createUser({ id, email: createEmail(), password })).id).toBe(id);
  });

  test("makes a user whose address is not confirmed, and who signs in once it is", async () => {
    const email = createEmail();
    const { id } = await createUser({ email, password });
    const { auth } = connectClient(target);
    expect((await auth.signInWithPassword({ email, password })).error?.code).toBe("email_not_confirmed");
    await service().auth.admin.updateUserById(id, { email_confirm: true });
    expect((await auth.signInWithPassword({ email, password })).error).toBeNull();
  });

  test("cannot give one address to two users", async () => {
    const { email, user } = await signUpSomeone();
    const { admin } = service().auth;
    expect((await admin.createUser({ email, password })).error).toMatchObject({
      status: 422,
      code: "email_exists",
    });
    expect((await admin.getUserById(user.id)).data.user?.email).toBe(email);
  });

  test("makes a user an admin, which the next token says", async () => {
    const { client, user } = await signUpSomeone();
    const { data } = await service().auth.admin.updateUserById(user.id, { app_metadata: { role: "admin" } });
    expect(data.user?.app_metadata).toMatchObject({ role: "admin", provider: "email" });
    expect((await client.auth.getClaims()).data?.claims.app_metadata?.role).toBeUndefined();
    await client.auth.refreshSession();
    expect((await client.auth.getClaims()).data?.claims.app_metadata?.role).toBe("admin");
    const { data: taken } = await service().auth.admin.updateUserById(user.id, {
      app_metadata: { role: null },
    });
    expect(taken.user?.app_metadata).not.toHaveProperty("role");
  });

  test("changes a user's address and password, which ends their sessions", async () => {
    const { user, session } = await signUpSomeone();
    const email = createEmail();
    const change = { email, password: "another good one", email_confirm: true };
    const { data } = await service().auth.admin.updateUserById(user.id, change);
    expect(data.user?.email).toBe(email);
    expect((await refresh(session.refresh_token)).session).toBeNull();
    const { auth } = connectClient(target);
    expect((await auth.signInWithPassword({ email, password: "another good one" })).error).toBeNull();
  });

  test("bans a user, who can neither sign in nor refresh until the ban is lifted", async () => {
    const { email, user, session } = await signUpSomeone();
    const { auth } = connectClient(target);
    const { data } = await service().auth.admin.updateUserById(user.id, { ban_duration: "24h" });
    expect(Date.parse(data.user?.banned_until ?? "")).toBeGreaterThan(Date.now() + 23 * 3600 * 1000);
    expect((await auth.signInWithPassword({ email, password })).error?.code).toBe("user_banned");
    expect((await refresh(session.refresh_token)).code).toBe("user_banned");
    await service().auth.admin.updateUserById(user.id, { ban_duration: "none" });
    expect((await auth.signInWithPassword({ email, password })).error).toBeNull();
    expect((await refresh(session.refresh_token)).session).not.toBeNull();
  });

  test("is told of a ban that is no duration", async () => {
    const { user } = await signUpSomeone();
    const { error } = await service().auth.admin.updateUserById(user.id, { ban_duration: "a week" });
    expect(error).toMatchObject({ status: 400, code: "validation_failed" });
  });

  test("lists users in pages, newest first", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) ids.unshift((await createUser({ email: createEmail(), password })).id);
    const { admin } = service().auth;
    const first = await admin.listUsers({ page: 1, perPage: 2 });
    const second = await admin.listUsers({ page: 2, perPage: 2 });
    const found = [...first.data.users, ...second.data.users].map((user) => user.id);
    expect(found.slice(0, 3)).toEqual(ids);
    expect(first.data).toMatchObject({ nextPage: 2, aud: "authenticated" });
    expect("total" in first.data && first.data.total).toBeGreaterThanOrEqual(3);
    const beyond = await admin.listUsers({ page: 10_000, perPage: 50 });
    expect(beyond.data.users).toEqual([]);
  });

  test("deletes a user, whose tokens are worth nothing then", async () => {
    const { client, email, user, session } = await signUpSomeone();
    const { admin } = service().auth;
    expect((await admin.deleteUser(user.id)).error).toBeNull();
    expect((await admin.getUserById(user.id)).error).toMatchObject({ status: 404, code: "user_not_found" });
    expect((await client.auth.getUser()).error).toMatchObject({ status: 403, code: "user_not_found" });
    expect((await refresh(session.refresh_token)).code).toBe("refresh_token_not_found");
    const signedIn = await connectClient(target).auth.signInWithPassword({ email, password });
    expect(signedIn.error?.code).toBe("invalid_credentials");
  });

  test("deletes a user softly: the row stays, and the address is free again", async () => {
    const { email, user } = await signUpSomeone();
    const { admin } = service().auth;
    expect((await admin.deleteUser(user.id, true)).error).toBeNull();
    const { data } = await admin.getUserById(user.id);
    expect(data.user?.deleted_at).toBeTruthy();
    expect(data.user?.email).not.toBe(email);
    const again = await connectClient(target).auth.signUp({ email, password });
    expect(again.error).toBeNull();
    if (again.data.user) created.add(again.data.user.id);
  });

  test("is told that nobody has an id", async () => {
    const id = crypto.randomUUID();
    const { admin } = service().auth;
    const missing = { status: 404, code: "user_not_found" };
    expect((await admin.getUserById(id)).error).toMatchObject(missing);
    expect((await admin.updateUserById(id, { app_metadata: {} })).error).toMatchObject(missing);
    expect((await admin.deleteUser(id)).error).toMatchObject(missing);
  });
});

describe("everyone else", () => {
  test.each(["the publishable key", "a user", "an admin of the app", "a user with the secret key"])(
    "is refused what the service may do: %s",
    async (who) => {
      const { user, email } = await signUpSomeone();
      if (who === "an admin of the app") {
        await service().auth.admin.updateUserById(user.id, { app_metadata: { role: "admin" } });
      }
      const { session } = await signInAgain(email);
      const key = who === "a user with the secret key" ? target.secretKey : target.publishableKey;
      const client = connectClient(target, key);
      const { admin } = client.auth;
      if (who !== "the publishable key") {
        Object.assign(admin, { headers: { apikey: key, Authorization: `Bearer ${session.access_token}` } });
      }
      const refused = { status: 403, code: "not_admin" };
      expect((await admin.listUsers()).error).toMatchObject(refused);
      expect((await admin.getUserById(user.id)).error).toMatchObject(refused);
      expect((await admin.createUser({ email: createEmail(), password })).error).toMatchObject(refused);
      expect((await admin.updateUserById(user.id, { app_metadata: { role: "admin" } })).error).toMatchObject(
        refused,
      );
      expect((await admin.deleteUser(user.id)).error).toMatchObject(refused);
    },
  );
});
