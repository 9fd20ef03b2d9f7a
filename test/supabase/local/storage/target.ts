import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { openStandIn } from "./stand-in.ts";

/**
 * Where the suite runs: the stand-in, or a real project whose address and keys stand in the environment
 * (SUPABASE_TEST_URL, SUPABASE_TEST_PUBLISHABLE_KEY, SUPABASE_TEST_SECRET_KEY). A real project needs the policy
 * `own folder` of stand-in.ts on storage.objects, and no other; the suite makes its buckets and users and removes them.
 */
export interface Target {
  /** The secret key: no policy holds it. */
  readonly secret: SupabaseClient;
  /** The publishable key with nobody signed in. */
  readonly visitor: SupabaseClient;
  signUp(): Promise<TestUser>;
  close(): Promise<void>;
}

export interface TestUser {
  readonly id: string;
  readonly client: SupabaseClient;
}

const { SUPABASE_TEST_URL, SUPABASE_TEST_PUBLISHABLE_KEY, SUPABASE_TEST_SECRET_KEY } = process.env;

export function openTarget(): Promise<Target> {
  if (!SUPABASE_TEST_URL) return openLocalTarget();
  if (!SUPABASE_TEST_PUBLISHABLE_KEY || !SUPABASE_TEST_SECRET_KEY) {
    throw new Error("SUPABASE_TEST_URL needs SUPABASE_TEST_PUBLISHABLE_KEY and SUPABASE_TEST_SECRET_KEY.");
  }
  return openProjectTarget(SUPABASE_TEST_URL, SUPABASE_TEST_PUBLISHABLE_KEY, SUPABASE_TEST_SECRET_KEY);
}

async function openLocalTarget(): Promise<Target> {
  const standIn = await openStandIn();
  const { url, keys } = standIn;
  return {
    secret: connect(url, keys.secretKey),
    visitor: connect(url, keys.publishableKey),
    async signUp() {
      const id = crypto.randomUUID();
      return { id, client: connect(url, keys.publishableKey, await standIn.signToken(id)) };
    },
    close: () => standIn.close(),
  };
}

async function openProjectTarget(url: string, publishableKey: string, secretKey: string): Promise<Target> {
  const secret = connect(url, secretKey);
  const users: string[] = [];
  return {
    secret,
    visitor: connect(url, publishableKey),
    async signUp() {
      const login = { email: `storage-${crypto.randomUUID()}@example.com`, password: crypto.randomUUID() };
      const created = await secret.auth.admin.createUser({ ...login, email_confirm: true });
      if (created.error) throw created.error;
      const { id } = created.data.user;
      users.push(id);
      const signedIn = await connect(url, publishableKey).auth.signInWithPassword(login);
      if (signedIn.error) throw signedIn.error;
      return { id, client: connect(url, publishableKey, signedIn.data.session.access_token) };
    },
    async close() {
      for (const id of users) await secret.auth.admin.deleteUser(id);
    },
  };
}

export function connect(url: string, key: string, token?: string): SupabaseClient {
  if (token) return createClient(url, key, { accessToken: async () => token });
  return createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } });
}
