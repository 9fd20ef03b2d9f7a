import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import type { Sql } from "postgres";

/**
 * The stand-ins and the sidecar log in with roles of their own. On a server that asks for passwords each role gets
 * one that follows from the password of the superuser's URL: every process that was given that URL knows them all,
 * nothing has to be kept in a file, and who does not know it cannot compute them. Where the URL has no password
 * (trust authentication) none is set, and changing the user of the URL is enough.
 */

/** The roles that stand-ins and migrations make for logging in. */
const loginRoles = [
  "authenticator",
  "supabase_auth_admin",
  "supabase_storage_admin",
  "supabase_realtime_admin",
  "parlance_owner",
  "parlance_sidecar",
];

/** The URL with which `role` logs in. */
export function loginUrl(url: string, role: string): string {
  const target = new URL(url);
  const key = decodeURIComponent(target.password);
  if (decodeURIComponent(target.username) === role) return url;
  target.username = encodeURIComponent(role);
  if (key) target.password = derive(key, "password", role).toString("base64url");
  return target.href;
}

/** Gives their passwords to the login roles that exist; they get a verifier, so no password reaches a log. */
export async function setPasswords(sql: Sql, url: string): Promise<void> {
  const key = decodeURIComponent(new URL(url).password);
  if (!key) return;
  await sql.begin(async (transaction) => {
    // Roles belong to the cluster; two that alter one at the same time would fail.
    await transaction`lock table pg_catalog.pg_auth_members in share row exclusive mode`;
    const roles = await transaction<{ name: string; verifier: string | null }[]>`
      select rolname as name, rolpassword as verifier
      from pg_catalog.pg_authid
      where rolname in ${transaction(loginRoles)}
    `;
    for (const role of roles) {
      const verifier = verifierOf(key, role.name);
      if (verifier === role.verifier) continue;
      await transaction.unsafe(`alter role ${role.name} password '${verifier}'`);
    }
  });
}

function derive(key: string, purpose: string, role: string): Buffer {
  return createHmac("sha256", key).update(`parlance ${purpose} ${role}`).digest();
}

function verifierOf(key: string, role: string): string {
  const password = derive(key, "password", role).toString("base64url");
  return scramVerifier(password, derive(key, "salt", role).subarray(0, 16), 4096);
}

/** What Postgres keeps of a password (RFC 5803 with SCRAM-SHA-256, RFC 7677). */
export function scramVerifier(password: string, salt: Buffer, iterations: number): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const sign = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(sign("Client Key")).digest("base64");
  const serverKey = sign("Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
