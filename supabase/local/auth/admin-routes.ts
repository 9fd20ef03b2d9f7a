import { Hono } from "hono";
import { createId } from "../../../shared/ids.ts";
import { requireService } from "./access.ts";
import type { AuthDeps } from "./deps.ts";
import { AuthError, authErrors } from "./errors.ts";
import { checkPassword, hashPassword } from "./passwords.ts";
import { AdminBody, DeleteBody, isUuid, parseDuration, parseEmail, parsePage, readBody } from "./requests.ts";
import { changeUser, endSessions } from "./sessions.ts";
import {
  deleteUser,
  deleteUserSoftly,
  findUser,
  findUserByEmail,
  insertUser,
  listUsers,
  type NewUser,
  type UserChange,
} from "./store.ts";
import { toUser, type UserRow } from "./users.ts";

/** `/admin/users`: for the secret key only. */
export function createAdminRoutes(deps: AuthDeps): Hono {
  const { sql } = deps;
  const app = new Hono();
  app.use(async (c, next) => {
    await requireService(deps, c.req.raw);
    await next();
  });
  app.post("/", async (c) => {
    const now = deps.now();
    const user = await planUser(await readBody(c.req, AdminBody), now);
    const inserted = await insertUser(sql, user, now.toISOString());
    if (inserted) return c.json(toUser(inserted));
    throw (await findUserByEmail(sql, user.email)) ? authErrors.emailExists() : authErrors.idExists();
  });
  app.get("/", async (c) => {
    const page = parsePage(c.req.query());
    const { users, total } = await listUsers(sql, page);
    return c.json(
      { users: users.map(toUser), aud: "authenticated" },
      200,
      pageHeaders(c.req.path, page, total),
    );
  });
  app.get("/:id", async (c) => c.json(toUser(await getUser(deps, c.req.param("id")))));
  app.put("/:id", async (c) => {
    const { id } = await getUser(deps, c.req.param("id"));
    const change = await planChange(await readBody(c.req, AdminBody), deps.now());
    const updated = await changeUser(deps, id, { change });
    if (!updated) throw authErrors.userNotFound();
    return c.json(toUser(updated));
  });
  app.delete("/:id", async (c) => {
    const { id } = await getUser(deps, c.req.param("id"));
    const text = await c.req.text();
    const body = await readBody({ text: async () => text || "{}" }, DeleteBody);
    if (body.should_soft_delete) await softDelete(deps, id);
    else await deleteUser(sql, id);
    return c.json({});
  });
  return app;
}

async function getUser({ sql }: AuthDeps, id: string): Promise<UserRow> {
  if (!isUuid(id)) throw new AuthError(404, "validation_failed", "user_id must be an UUID");
  const user = await findUser(sql, id);
  if (!user) throw authErrors.userNotFound();
  return user;
}

function softDelete({ sql, now }: AuthDeps, id: string): Promise<void> {
  return sql.begin(async (transaction) => {
    await deleteUserSoftly(transaction, id, now().toISOString());
    await endSessions(transaction, id);
  });
}

/** What an operator may ask of a Supabase project and cannot have here. */
function refuseForeign(body: AdminBody): void {
  if (body.phone || body.phone_confirm) throw authErrors.notImplemented("A phone number");
  if (body.password_hash) throw authErrors.notImplemented("A password hash of another service");
  if ((body.role || "authenticated") !== "authenticated") {
    throw authErrors.notImplemented(`The role ${body.role}`);
  }
  if ((body.aud || "authenticated") !== "authenticated") {
    throw authErrors.notImplemented(`The audience ${body.aud}`);
  }
}

/** Without a password nobody can sign in until one is set. */
async function planUser(body: AdminBody, now: Date): Promise<NewUser> {
  refuseForeign(body);
  if (!body.email) throw authErrors.invalid("Cannot create a user without either an email or phone");
  const id = body.id || createId();
  if (!isUuid(id) || /^[0-]+$/.test(id)) throw authErrors.invalid("ID must be a UUID and not all zeros");
  const email = parseEmail(body.email);
  const password = body.password || undefined;
  if (password !== undefined) checkPassword(password);
  return {
    id,
    email,
    encryptedPassword: password === undefined ? null : await hashPassword(password),
    emailConfirmedAt: body.email_confirm ? now.toISOString() : null,
    bannedUntil: body.ban_duration ? bannedUntil(body.ban_duration, now) : null,
    appMetadata: { provider: "email", providers: ["email"], ...withoutNulls(body.app_metadata ?? {}) },
    userMetadata: body.user_metadata ?? {},
  };
}

async function planChange(body: AdminBody, now: Date): Promise<UserChange> {
  refuseForeign(body);
  const { email, password, ban_duration: ban } = body;
  const address = email ? parseEmail(email) : undefined;
  if (typeof password === "string") checkPassword(password);
  return {
    ...(address === undefined ? {} : { email: address }),
    ...(typeof password === "string" ? { encryptedPassword: await hashPassword(password) } : {}),
    ...(body.email_confirm ? { confirmsEmail: true } : {}),
    ...(ban ? { bannedUntil: bannedUntil(ban, now) } : {}),
    ...(body.app_metadata ? { appMetadata: body.app_metadata } : {}),
    ...(body.user_metadata ? { userMetadata: body.user_metadata } : {}),
  };
}

function bannedUntil(duration: string, now: Date): string | null {
  const lengthMs = parseDuration(duration);
  return lengthMs === 0 ? null : new Date(now.getTime() + lengthMs).toISOString();
}

function withoutNulls(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

/** auth-js reads the number behind the first `=` of each link. */
function pageHeaders(
  path: string,
  { page, perPage }: { page: number; perPage: number },
  total: number,
): Record<string, string> {
  const last = Math.ceil(total / perPage);
  const link = (to: number, relation: string) =>
    `<${path}?page=${to}&per_page=${perPage}>; rel="${relation}"`;
  const links = [...(page < last ? [link(page + 1, "next")] : []), link(last, "last")];
  return { link: links.join(", "), "x-total-count": String(total) };
}
