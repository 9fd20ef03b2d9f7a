import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createId } from "../../../shared/ids.ts";
import { identify, requireUser } from "./access.ts";
import { createAdminRoutes } from "./admin-routes.ts";
import { type AuthDeps, type AuthOptions, createDeps } from "./deps.ts";
import { authErrors, errorResponse, toAuthError } from "./errors.ts";
import { checkPassword, hashPassword, verifyPassword } from "./passwords.ts";
import { PasswordBody, parseEmail, RefreshBody, readBody, SignUpBody, UserBody } from "./requests.ts";
import { changeUser, endSession, endSessions, openSession, refreshSession, signUp } from "./sessions.ts";
import { findUserByEmail, type UserChange } from "./store.ts";
import { toSession } from "./tokens.ts";
import { isBanned, toUser, type UserRow } from "./users.ts";

/**
 * The stand-in for Supabase Auth, to be mounted at `/auth/v1`: accounts with e-mail and password, confirmed at once
 * because no mail is sent. Every path of the original that is not here answers 501.
 */
export function createAuth(options: AuthOptions): Hono {
  const deps = createDeps(options);
  const app = new Hono();
  app.use(bodyLimit({ maxSize: 256 * 1024, onError: () => raise(authErrors.tooLarge()) }));
  addOpenRoutes(app, deps);
  addSignInRoutes(app, deps);
  addUserRoutes(app, deps);
  app.route("/admin/users", createAdminRoutes(deps));
  // Not `notFound`, which is lost where this app is mounted in another.
  app.all("*", (c) => {
    throw authErrors.notImplemented(`${c.req.method} ${c.req.path.slice(0, 200)}`);
  });
  app.onError((thrown, c) => {
    const error = toAuthError(thrown);
    if (error.status === 500) deps.reportError(thrown);
    return errorResponse(error, c.req.raw);
  });
  return app;
}

function raise(error: Error): never {
  throw error;
}

function addOpenRoutes(app: Hono, deps: AuthDeps): void {
  // Needs no key, as on a hosted project: whoever checks tokens asks for it.
  app.get("/.well-known/jwks.json", (c) =>
    c.json(deps.keys.jwks, 200, { "cache-control": "public, max-age=600" }),
  );
  app.get("/health", async (c) => {
    await identify(deps, c.req.raw);
    return c.json({ name: "GoTrue", version: "embedded", description: "Accounts of the embedded mode" });
  });
  app.get("/settings", async (c) => {
    await identify(deps, c.req.raw);
    return c.json(settings);
  });
}

const settings = {
  external: { email: true, phone: false, anonymous_users: false },
  disable_signup: false,
  mailer_autoconfirm: true,
  phone_autoconfirm: false,
  sms_provider: "",
  saml_enabled: false,
  passkeys_enabled: false,
};

function addSignInRoutes(app: Hono, deps: AuthDeps): void {
  const { sql } = deps;
  app.post("/signup", async (c) => {
    await identify(deps, c.req.raw);
    const body = await readBody(c.req, SignUpBody);
    if (body.phone) throw authErrors.notImplemented("Signing up by phone");
    if (!body.email && !body.password) throw authErrors.notImplemented("Signing in anonymously");
    if (!body.password) throw authErrors.invalid("Signup requires a valid password");
    const email = parseEmail(body.email ?? "");
    checkPassword(body.password);
    const now = deps.now().toISOString();
    const user = {
      id: createId(),
      email,
      encryptedPassword: await hashPassword(body.password),
      emailConfirmedAt: now,
      bannedUntil: null,
      appMetadata: { provider: "email", providers: ["email"] },
      userMetadata: body.data ?? {},
    };
    const session = await signUp(sql, user, now);
    if (!session) throw authErrors.userExists();
    return c.json(await toSession(deps, session), 200, noStore);
  });
  app.post("/token", async (c) => {
    await identify(deps, c.req.raw);
    const grant = c.req.query("grant_type");
    if (grant === "refresh_token") {
      const { refresh_token: token } = await readBody(c.req, RefreshBody);
      if (!token) throw authErrors.invalid("refresh_token required");
      const times = { now: deps.now(), graceSeconds: deps.refreshGraceSeconds };
      return c.json(await toSession(deps, await refreshSession(sql, token, times)), 200, noStore);
    }
    if (grant !== "password") throw authErrors.notImplemented(`The grant ${String(grant).slice(0, 50)}`);
    const { email, phone, password } = await readBody(c.req, PasswordBody);
    if (phone) throw authErrors.notImplemented("Signing in by phone");
    const address = deps.findAddress(c.req.raw) ?? "";
    const user = await checkCredentials(deps, { email: email ?? "", password: password ?? "", address });
    const session = await openSession(sql, user, deps.now().toISOString());
    if (!session) throw authErrors.invalidCredentials();
    return c.json(await toSession(deps, session), 200, noStore);
  });
}

const noStore = { "cache-control": "no-store" };

/** Who is banned or not confirmed is told only to one who knows the password. */
async function checkCredentials(
  deps: AuthDeps,
  given: { email: string; password: string; address: string },
): Promise<UserRow> {
  const { email, password, address } = given;
  const now = deps.now();
  const key = `${address} ${email.toLowerCase().slice(0, 300)}`;
  if (!deps.attempts.take(key, now.getTime())) throw authErrors.tooManyAttempts();
  const user = await findUserByEmail(deps.sql, email);
  const isRight = await verifyPassword(password, user?.encryptedPassword);
  if (!user || !isRight) throw authErrors.invalidCredentials();
  if (isBanned(user, now)) throw authErrors.banned(400);
  if (user.emailConfirmedAt === null) throw authErrors.emailNotConfirmed();
  return user;
}

function addUserRoutes(app: Hono, deps: AuthDeps): void {
  const { sql } = deps;
  app.get("/user", async (c) => {
    const { user } = await requireUser(deps, c.req.raw);
    return c.json(toUser(user), 200, noStore);
  });
  app.put("/user", async (c) => {
    const { user, sessionId } = await requireUser(deps, c.req.raw);
    const change = await planOwnChange(deps, user, await readBody(c.req, UserBody));
    const updated = await changeUser(deps, user.id, { change, keptSessionId: sessionId });
    if (!updated) throw authErrors.userGone();
    return c.json(toUser(updated), 200, noStore);
  });
  app.post("/logout", async (c) => {
    const { user, sessionId } = await requireUser(deps, c.req.raw);
    const scope = c.req.query("scope") || "global";
    if (scope === "local") await endSession(sql, sessionId);
    else if (scope === "others") await endSessions(sql, user.id, sessionId);
    else if (scope === "global") await endSessions(sql, user.id);
    else throw authErrors.invalid(`Unsupported logout scope ${JSON.stringify(scope.slice(0, 50))}`);
    return c.body(null, 204);
  });
}

/** What users may change of themselves; throws for what they may not, and for what would need a mail. */
async function planOwnChange(
  deps: AuthDeps,
  user: UserRow,
  body: ReturnType<(typeof UserBody)["parse"]>,
): Promise<UserChange> {
  if (body.app_metadata) throw authErrors.notAdmin("Updating app_metadata requires admin privileges");
  if (body.phone) throw authErrors.notImplemented("A phone number");
  if (body.email && parseEmail(body.email) !== user.email?.toLowerCase()) {
    throw authErrors.notImplemented("Changing the e-mail address, which the new one must confirm by mail,");
  }
  const password = body.password ?? undefined;
  return {
    ...(body.data ? { userMetadata: body.data } : {}),
    ...(password === undefined
      ? {}
      : {
          encryptedPassword: await hashNewPassword(deps, user, { password, current: body.current_password }),
        }),
  };
}

async function hashNewPassword(
  deps: AuthDeps,
  user: UserRow,
  { password, current }: { password: string; current: string | null | undefined },
): Promise<string> {
  checkPassword(password);
  if (!deps.attempts.take(`change ${user.id}`, deps.now().getTime())) throw authErrors.tooManyAttempts();
  if (current && !(await verifyPassword(current, user.encryptedPassword)))
    throw authErrors.invalidCredentials();
  if (await verifyPassword(password, user.encryptedPassword)) throw authErrors.samePassword();
  return hashPassword(password);
}
