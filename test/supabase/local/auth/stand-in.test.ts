import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { badTokens, signToken } from "../forge.ts";
import { connectClient, createEmail, password, type StandIn, signUpSomeone, startStandIn } from "./target.ts";

/** What only the stand-in must show: what a real project's tests would not reach, or would be slow to. */

let target: StandIn;

beforeAll(async () => {
  target = await startStandIn();
});
afterAll(async () => {
  await target.close();
  expect(target.errors).toEqual([]);
});

interface Answer {
  status: number;
  body: Record<string, unknown>;
  headers: Headers;
}

/** A request as curl would send it: with the publishable key unless told otherwise. */
async function send(
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string>; at?: StandIn } = {},
): Promise<Answer> {
  const { at = target, body } = options;
  const response = await fetch(`${at.url}/auth/v1${path}`, {
    method,
    headers: { apikey: at.publishableKey, ...options.headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : {}, headers: response.headers };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const signIn = (email: string, given: string) =>
  send("POST", "/token?grant_type=password", { body: { email, password: given } });
const refresh = (token: string, at?: StandIn) =>
  send("POST", "/token?grant_type=refresh_token", { body: { refresh_token: token }, ...(at ? { at } : {}) });

describe("an access token", () => {
  test("that we signed for a user who is not there is refused", async () => {
    const answer = await send("GET", "/user", { headers: bearer(await signToken(target)) });
    expect(answer).toMatchObject({ status: 403, body: { error_code: "user_not_found" } });
  });

  test("that we signed for a session which is not there is refused", async () => {
    const { user } = await signUpSomeone(target);
    for (const session_id of [crypto.randomUUID(), "' or true --", undefined]) {
      const token = await signToken(target, { claims: { sub: user.id, session_id } });
      const answer = await send("GET", "/user", { headers: bearer(token) });
      expect(answer).toMatchObject({ status: 403, body: { error_code: "session_not_found" } });
    }
  });

  test("that we signed for another user's session is refused", async () => {
    const { user } = await signUpSomeone(target);
    const { client } = await signUpSomeone(target);
    const { session_id } = (await client.auth.getClaims()).data?.claims ?? {};
    const token = await signToken(target, { claims: { sub: user.id, session_id } });
    const answer = await send("GET", "/user", { headers: bearer(token) });
    expect(answer).toMatchObject({ status: 403, body: { error_code: "session_not_found" } });
  });

  test.each(badTokens)("%s is refused, to read, to change and to sign out", async (_name, make) => {
    const { client, user } = await signUpSomeone(target);
    const { session_id } = (await client.auth.getClaims()).data?.claims ?? {};
    const headers = bearer(await make(target));
    const refused = { status: 403, body: { code: 403, error_code: "bad_jwt" } };
    expect(await send("GET", "/user", { headers })).toMatchObject(refused);
    expect(await send("PUT", "/user", { headers, body: { data: { name: "Eve" } } })).toMatchObject(refused);
    expect(await send("POST", "/logout", { headers })).toMatchObject(refused);
    // The one that the table is made from would have passed.
    const good = await signToken(target, { claims: { sub: user.id, session_id } });
    expect((await send("GET", "/user", { headers: bearer(good) })).status).toBe(200);
  });

  test("that has expired is refused, and its session can be refreshed", async () => {
    const short = await startStandIn({ accessTokenSeconds: -10 });
    const signedUp = await send("POST", "/signup", { at: short, body: { email: createEmail(), password } });
    const { access_token, refresh_token } = signedUp.body;
    const answer = await send("GET", "/user", { at: short, headers: bearer(String(access_token)) });
    expect(answer).toMatchObject({ status: 403, body: { error_code: "bad_jwt" } });
    expect((await refresh(String(refresh_token), short)).status).toBe(200);
    await short.close();
  });

  test("of a banned user is refused", async () => {
    const { session, user } = await signUpSomeone(target);
    await connectClient(target, target.secretKey).auth.admin.updateUserById(user.id, { ban_duration: "1h" });
    const banned = { status: 403, body: { error_code: "user_banned" } };
    expect(await send("GET", "/user", { headers: bearer(session.access_token) })).toMatchObject(banned);
    await target.passTime(3601);
    expect((await send("GET", "/user", { headers: bearer(session.access_token) })).status).toBe(200);
  });

  test("is asked for, where only a key comes", async () => {
    expect(await send("GET", "/user")).toMatchObject({
      status: 401,
      body: { error_code: "no_authorization" },
    });
    const answer = await send("GET", "/user", { headers: bearer(target.publishableKey) });
    expect(answer).toMatchObject({ status: 403, body: { error_code: "bad_jwt" } });
  });
});

describe("a refresh token", () => {
  test("still serves within the grace, which an exchange does not prolong", async () => {
    const { session } = await signUpSomeone(target);
    expect((await refresh(session.refresh_token)).status).toBe(200);
    await target.passTime(6);
    expect((await refresh(session.refresh_token)).status).toBe(200);
    await target.passTime(6);
    const answer = await refresh(session.refresh_token);
    expect(answer).toMatchObject({ status: 400, body: { error_code: "refresh_token_already_used" } });
  });

  test("that comes back too late ends its session at once, and no other", async () => {
    const { email, session } = await signUpSomeone(target);
    const other = await signIn(email, password);
    const next = await refresh(session.refresh_token);
    await target.passTime(11);
    await refresh(session.refresh_token);
    const spent = { status: 400, body: { error_code: "refresh_token_already_used" } };
    expect(await refresh(String(next.body.refresh_token))).toMatchObject(spent);
    expect(await refresh(session.refresh_token)).toMatchObject(spent);
    const read = await send("GET", "/user", { headers: bearer(String(next.body.access_token)) });
    expect(read).toMatchObject({ status: 403, body: { error_code: "session_not_found" } });
    expect((await refresh(String(other.body.refresh_token))).status).toBe(200);
  });

  test("that was never exchanged serves after months", async () => {
    const { session } = await signUpSomeone(target);
    await target.passTime(90 * 24 * 3600);
    expect((await refresh(session.refresh_token)).status).toBe(200);
  });

  test("is forgotten a month after its exchange, so that the history ends somewhere", async () => {
    const { session } = await signUpSomeone(target);
    const second = await refresh(session.refresh_token);
    await target.passTime(31 * 24 * 3600);
    expect((await refresh(String(second.body.refresh_token))).status).toBe(200);
    const answer = await refresh(session.refresh_token);
    expect(answer).toMatchObject({ status: 400, body: { error_code: "refresh_token_not_found" } });
  });

  test("exchanged ten times at once leaves one session with eleven tokens", async () => {
    const { user, session } = await signUpSomeone(target);
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(session.refresh_token)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const [row] = await target.sql`
      select count(distinct sessions.id) as sessions, count(*) as tokens
      from auth.refresh_tokens
      join auth.sessions on sessions.id = refresh_tokens.session_id
      where sessions.user_id = ${user.id}
    `;
    expect(row).toEqual({ sessions: 1, tokens: 11 });
  });

  test("exchanged while its session ends leaves nothing behind, and neither waits for the other", async () => {
    const { user, session } = await signUpSomeone(target);
    const headers = bearer(session.access_token);
    const exchanges = Array.from({ length: 10 }, () => refresh(session.refresh_token));
    const [signedOut, ...answers] = await Promise.all([send("POST", "/logout", { headers }), ...exchanges]);
    expect(signedOut.status).toBe(204);
    for (const { status } of answers) expect([200, 400]).toContain(status);
    expect(await target.sql`select from auth.sessions where user_id = ${user.id}`).toHaveLength(0);
  });

  test("is kept as a hash, and so is a password", async () => {
    const { user, session } = await signUpSomeone(target);
    const rows = await target.sql`
      select users.encrypted_password, refresh_tokens::text as token
      from auth.users
      join auth.sessions on sessions.user_id = users.id
      join auth.refresh_tokens on refresh_tokens.session_id = sessions.id
      where users.id = ${user.id}
    `;
    expect(rows).toHaveLength(1);
    expect(rows[0]?.encryptedPassword).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const bytes = Buffer.from(session.refresh_token, "base64url").toString("hex");
    expect(rows[0]?.token).not.toContain(session.refresh_token);
    expect(rows[0]?.token).not.toContain(bytes);
  });
});

describe("an account", () => {
  test("is made once, however many ask for its address at the same time", async () => {
    const email = createEmail();
    const body = { email, password };
    const answers = await Promise.all(Array.from({ length: 5 }, () => send("POST", "/signup", { body })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422, 422, 422, 422]);
  });

  test("does not take a new address without a mail, which is not sent here", async () => {
    const { client, email } = await signUpSomeone(target);
    const { error } = await client.auth.updateUser({ email: createEmail(), data: { name: "Ada" } });
    expect(error?.status).toBe(501);
    const { data } = await client.auth.getUser();
    expect(data.user).toMatchObject({ email, user_metadata: {} });
    expect((await client.auth.updateUser({ email, data: { name: "Ada" } })).error).toBeNull();
  });

  test("keeps its password where the current one is given and wrong", async () => {
    const { session, email } = await signUpSomeone(target);
    const body = { password: "another good one", current_password: "guessed" };
    const answer = await send("PUT", "/user", { headers: bearer(session.access_token), body });
    expect(answer).toMatchObject({ status: 400, body: { error_code: "invalid_credentials" } });
    expect((await signIn(email, password)).status).toBe(200);
  });

  test("without a password cannot be signed in to", async () => {
    const { admin } = connectClient(target, target.secretKey).auth;
    const email = createEmail();
    await admin.createUser({ email, email_confirm: true });
    for (const given of ["", " ", "null", password]) {
      expect(await signIn(email, given)).toMatchObject({
        status: 400,
        body: { error_code: "invalid_credentials" },
      });
    }
  });

  test("that rows still need is not deleted, and says so", async () => {
    const { user } = await signUpSomeone(target);
    await target.sql`create table auth.needs_a_user (user_id uuid references auth.users (id))`;
    await target.sql`insert into auth.needs_a_user (user_id) values (${user.id})`;
    const { admin } = connectClient(target, target.secretKey).auth;
    expect((await admin.deleteUser(user.id)).error).toMatchObject({ status: 409, code: "conflict" });
    await target.sql`drop table auth.needs_a_user`;
    expect((await admin.deleteUser(user.id)).error).toBeNull();
  });

  test.each([
    ["phone", { phone: "+15550100" }],
    ["phone_confirm", { phone_confirm: true }],
    ["password_hash", { password_hash: "$2b$10$abcdefghijklmnopqrstuu" }],
    ["role", { role: "service_role" }],
  ])("is neither made nor changed with a %s, which is not there", async (_name, attributes) => {
    const { admin } = connectClient(target, target.secretKey).auth;
    const email = createEmail();
    expect((await admin.createUser({ email, ...attributes })).error?.status).toBe(501);
    const { user } = await signUpSomeone(target);
    expect((await admin.updateUserById(user.id, attributes)).error?.status).toBe(501);
    expect((await admin.getUserById(user.id)).data.user).toMatchObject({ phone: "", role: "authenticated" });
  });
});

describe("password attempts", () => {
  test("are refused after thirty, even the right one, until time has passed", async () => {
    const { email } = await signUpSomeone(target);
    const { email: other } = await signUpSomeone(target);
    const limited = { status: 429, body: { error_code: "over_request_rate_limit" } };
    const guesses = await Promise.all(
      Array.from({ length: 30 }, (_, n) => signIn(email, `guess number ${n}`)),
    );
    expect(guesses.map(({ status }) => status)).toEqual(Array(30).fill(400));
    expect(await signIn(email.toUpperCase(), password)).toMatchObject(limited);
    expect((await signIn(other, password)).status).toBe(200);
    await target.passTime(10);
    expect((await signIn(email, password)).status).toBe(200);
    expect(await signIn(email, password)).toMatchObject(limited);
  });
});

describe("a request", () => {
  test("without a key, or with a wrong one, is refused everywhere but for the published keys", async () => {
    for (const path of ["/user", "/settings", "/health", "/admin/users"]) {
      const missing = await send("GET", path, { headers: { apikey: "" } });
      expect(missing).toMatchObject({ status: 401, body: { error_code: "no_api_key" } });
      const wrong = await send("GET", path, { headers: { apikey: "sb_publishable_x" } });
      expect(wrong).toMatchObject({ status: 401, body: { error_code: "invalid_api_key" } });
    }
    const keys = await fetch(`${target.url}/auth/v1/.well-known/jwks.json`);
    expect(keys.status).toBe(200);
    expect(await keys.json()).toEqual(target.keys.jwks);
  });

  test("of a browser with the secret key is refused", async () => {
    const headers = { apikey: target.secretKey, "user-agent": "Mozilla/5.0 (X11; Linux x86_64)" };
    const answer = await send("GET", "/admin/users", { headers });
    expect(answer).toMatchObject({ status: 401, body: { error_code: "secret_key_in_browser" } });
  });

  test("is told that it failed in the form of its API version", async () => {
    const old = await send("POST", "/signup", { body: { email: createEmail(), password: "12345" } });
    expect(old).toMatchObject({
      status: 422,
      body: { code: 422, error_code: "weak_password", weak_password: { reasons: ["length"] } },
    });
    expect(old.headers.get("x-supabase-api-version")).toBeNull();
    const headers = { "x-supabase-api-version": "2024-01-01" };
    const dated = await send("POST", "/signup", {
      headers,
      body: { email: createEmail(), password: "12345" },
    });
    expect(dated).toMatchObject({
      status: 422,
      body: { code: "weak_password", weak_password: { reasons: ["length"] } },
    });
    expect(dated.headers.get("x-supabase-api-version")).toBe("2024-01-01");
  });

  test.each<[string, unknown, number, string]>([
    ["that is no JSON", "{", 400, "bad_json"],
    ["that is empty", "", 400, "bad_json"],
    ["that is a list", [], 400, "validation_failed"],
    ["with a number for an address", { email: 1, password }, 400, "validation_failed"],
    ["with text for metadata", { email: createEmail(), password, data: "x" }, 400, "validation_failed"],
    [
      "with a zero byte in a value",
      { email: createEmail(), password, data: { a: ["\0"] } },
      400,
      "validation_failed",
    ],
    [
      "with a zero byte in a key",
      { email: createEmail(), password, data: { "\0": 1 } },
      400,
      "validation_failed",
    ],
    [
      "with half a character",
      `{"email":"${createEmail()}","password":"${password}","data":{"a":"\\ud800"}}`,
      400,
      "validation_failed",
    ],
    [
      "with a zero byte in the password",
      { email: createEmail(), password: "secret\0!" },
      400,
      "validation_failed",
    ],
    [
      "of 300 kB",
      { email: createEmail(), password, data: { a: "x".repeat(300_000) } },
      413,
      "validation_failed",
    ],
  ])("with a body %s is refused", async (_name, body, status, code) => {
    const answer = await send("POST", "/signup", { body });
    expect(answer).toMatchObject({ status, body: { error_code: code } });
  });

  test("for metadata with odd keys keeps them as they are, but for __proto__", async () => {
    const data = `{"__proto__":{"a":1},"née":"é'\\"\\\\"}`;
    const body = `{"email":"${createEmail()}","password":"${password}","data":${data}}`;
    const answer = await send("POST", "/signup", { body });
    expect(answer.body.user).toMatchObject({ user_metadata: { née: `é'"\\` } });
    expect(JSON.stringify(answer.body)).not.toContain("__proto__");
  });

  test.each([
    ["page=0", 400],
    ["page=-1", 400],
    ["page=x", 400],
    ["per_page=0", 400],
    ["per_page=1001", 400],
    ["per_page=1.5", 400],
    ["page=&per_page=", 200],
    ["filter=ada", 501],
  ])("for the users with ?%s answers %i", async (query, status) => {
    const answer = await send("GET", `/admin/users?${query}`, { headers: { apikey: target.secretKey } });
    expect(answer.status).toBe(status);
  });

  test.each([
    ["GET", "/callback"],
    ["GET", "/verify?token=x&type=signup"],
    ["GET", "/reauthenticate"],
    ["POST", "/magiclink"],
    ["POST", "/token"],
    ["POST", "/token?grant_type=client_credentials"],
    ["POST", "/oauth/token"],
    ["POST", "/saml/acs"],
    ["DELETE", "/user"],
    ["GET", "/admin/audit"],
    ["GET", "/admin/sso/providers"],
    ["PATCH", "/admin/users"],
    ["GET", "/there/is/no/such/path"],
  ])("for %s %s is told that it is not there", async (method, path) => {
    const headers = { apikey: target.secretKey };
    const answer = await send(method, path, { headers, ...(method === "POST" ? { body: {} } : {}) });
    expect(answer).toMatchObject({ status: 501, body: { code: 501, error_code: "not_implemented" } });
  });

  test("to sign out of an unknown scope is refused and ends nothing", async () => {
    const { session } = await signUpSomeone(target);
    const answer = await send("POST", "/logout?scope=all", { headers: bearer(session.access_token) });
    expect(answer).toMatchObject({ status: 400, body: { error_code: "validation_failed" } });
    expect((await refresh(session.refresh_token)).status).toBe(200);
  });

  test("about the settings is told that no mail is sent", async () => {
    expect((await send("GET", "/settings")).body).toMatchObject({
      mailer_autoconfirm: true,
      disable_signup: false,
    });
    expect((await send("GET", "/health")).status).toBe(200);
  });

  test("whose answer has tokens is not to be cached", async () => {
    const answer = await send("POST", "/signup", { body: { email: createEmail(), password } });
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });
});
