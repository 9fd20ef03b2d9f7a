import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { openStandIn } from "./stand-in.ts";

/**
 * What the suite runs against: the stand-in, or the Supabase project that SUPABASE_TEST_URL,
 * SUPABASE_TEST_PUBLISHABLE_KEY and SUPABASE_TEST_SECRET_KEY name. The project needs our migrations: their policy
 * lets every user hear `user:<their id>`, and nobody write there.
 */
export interface Target {
  readonly url: string;
  readonly publishableKey: string;
  readonly secretKey: string;
  createUser(): Promise<TargetUser>;
  close(): Promise<void>;
}

export interface TargetUser {
  readonly id: string;
  /** A new access token at every call. */
  token(): Promise<string>;
}

export async function openTarget(): Promise<Target> {
  const { SUPABASE_TEST_URL, SUPABASE_TEST_PUBLISHABLE_KEY, SUPABASE_TEST_SECRET_KEY } = process.env;
  if (!SUPABASE_TEST_URL) return openLocalTarget();
  if (!SUPABASE_TEST_PUBLISHABLE_KEY || !SUPABASE_TEST_SECRET_KEY) {
    throw new Error("SUPABASE_TEST_URL needs SUPABASE_TEST_PUBLISHABLE_KEY and SUPABASE_TEST_SECRET_KEY.");
  }
  return openProject(SUPABASE_TEST_URL, SUPABASE_TEST_PUBLISHABLE_KEY, SUPABASE_TEST_SECRET_KEY);
}

async function openLocalTarget(): Promise<Target> {
  const standIn = await openStandIn();
  return {
    url: standIn.url,
    publishableKey: standIn.keys.publishableKey,
    secretKey: standIn.keys.secretKey,
    async createUser() {
      const id = crypto.randomUUID();
      return { id, token: () => standIn.signToken(id) };
    },
    close: standIn.close,
  };
}

function openProject(url: string, publishableKey: string, secretKey: string): Target {
  const admin = createProjectClient(url, secretKey);
  const ids: string[] = [];
  return {
    url,
    publishableKey,
    secretKey,
    async createUser() {
      const credentials = { email: `${crypto.randomUUID()}@example.com`, password: crypto.randomUUID() };
      const { data, error } = await admin.auth.admin.createUser({ ...credentials, email_confirm: true });
      if (error) throw error;
      ids.push(data.user.id);
      const token = async () => {
        const signedIn = await createProjectClient(url, publishableKey).auth.signInWithPassword(credentials);
        if (signedIn.error) throw signedIn.error;
        return signedIn.data.session.access_token;
      };
      return { id: data.user.id, token };
    },
    async close() {
      for (const id of ids) await admin.auth.admin.deleteUser(id);
    },
  };
}

function createProjectClient(url: string, key: string): SupabaseClient {
  return createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } });
}
