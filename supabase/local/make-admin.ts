/**
 * `bun run admin EMAIL` makes a user an admin, `bun run admin EMAIL --revoke` takes it back: on the running stack, or
 * on the project that SUPABASE_URL and SUPABASE_SECRET_KEY name. Their next token says so.
 */
import { type AdminUserAttributes, createClient, type User } from "@supabase/supabase-js";
import { readLocalConfig } from "./config.ts";
import { findStatus } from "./status.ts";

/** A project and its secret key. */
export interface AdminTarget {
  readonly url: string;
  readonly secretKey: string;
}

/** What was asked wrongly or cannot be done; its message is for whoever typed the command. */
export class AdminError extends Error {}

const usage = "Usage: bun run admin EMAIL [--revoke]";

export function parseAdminArguments(words: readonly string[]): { email: string; revokes: boolean } {
  const [email, ...more] = words.filter((word) => word !== "--revoke");
  if (email === undefined || more.length > 0 || !/^[^\s@-][^\s@]*@[^\s@]+$/.test(email)) {
    throw new AdminError(usage);
  }
  return { email: email.toLowerCase(), revokes: words.includes("--revoke") };
}

/** The project that the environment names, else the running stack over `dataDir`. */
export async function findAdminTarget(
  environment: Readonly<Record<string, string | undefined>>,
  dataDir: string,
): Promise<AdminTarget> {
  const { SUPABASE_URL: url, SUPABASE_SECRET_KEY: secretKey } = environment;
  if (url && secretKey) return { url, secretKey };
  if (url || secretKey) {
    throw new AdminError("SUPABASE_URL and SUPABASE_SECRET_KEY belong together: set both, or neither.");
  }
  const status = await findStatus(dataDir);
  if (status) return { url: status.API_URL, secretKey: status.SECRET_KEY };
  throw new AdminError(
    `Parlance is not running over ${dataDir}. Start it with: bun run start. ` +
      "For another project set SUPABASE_URL and SUPABASE_SECRET_KEY.",
  );
}

/** Sets `app_metadata.role`, or takes it out; true where that changed anything. */
export async function setAdmin(
  target: AdminTarget,
  { email, revokes }: { email: string; revokes: boolean },
): Promise<boolean> {
  const { admin } = createClient(target.url, target.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  }).auth;
  const user = await findUser(admin, email);
  if (!user) throw new AdminError(`Nobody has signed up as ${email}.`);
  if ((user.app_metadata.role === "admin") !== revokes) return false;
  // Null takes the key out; the types do not know it.
  const attributes: AdminUserAttributes = { app_metadata: { role: revokes ? null : "admin" } };
  const { error } = await admin.updateUserById(user.id, attributes);
  if (error) throw new AdminError(`The user could not be changed: ${error.message}`);
  return true;
}

const perPage = 200;
const pagesMax = 5_000;

/** The Auth API knows no search by address, so every page is read until it is found. */
async function findUser(
  admin: ReturnType<typeof createClient>["auth"]["admin"],
  email: string,
): Promise<User | undefined> {
  for (let page = 1; page <= pagesMax; page += 1) {
    const { data, error } = await admin.listUsers({ page, perPage });
    if (error) throw new AdminError(`The users could not be listed: ${error.message}`);
    const found = data.users.find((user) => user.email?.toLowerCase() === email);
    if (found || data.users.length < perPage) return found;
  }
  throw new AdminError(`${email} is not among the first ${perPage * pagesMax} users.`);
}

/** The exit status: 0, 1 where it failed, 2 where it was asked wrongly. */
async function main(): Promise<number> {
  try {
    const wanted = parseAdminArguments(process.argv.slice(2));
    const { environment, dataDir } = readLocalConfig();
    const isChanged = await setAdmin(await findAdminTarget(environment, dataDir), wanted);
    const state = wanted.revokes ? "no longer an admin" : "an admin";
    console.log(
      `${wanted.email} is ${isChanged ? `${state} now` : `${state} already`}. Their next token says so.`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    console.error(error.message);
    return error.message === usage ? 2 : 1;
  }
}

if (import.meta.main) process.exit(await main());
