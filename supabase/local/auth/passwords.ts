import { authErrors } from "./errors.ts";

/** argon2id with the least that OWASP asks for: 19 MiB, two passes. About 20 ms. */
const work = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

const charactersMin = 6;
/** As with Supabase, whose bcrypt reads no further; the same password must serve there. */
const bytesMax = 72;

let strangersHash: Promise<string> | undefined;

export function checkPassword(password: string): void {
  if (Buffer.byteLength(password) > bytesMax) {
    throw authErrors.invalid(`Password cannot be longer than ${bytesMax} characters`);
  }
  if ([...password].length < charactersMin) {
    throw authErrors.weakPassword(`Password should be at least ${charactersMin} characters.`, ["length"]);
  }
}

export function hashPassword(password: string): Promise<string> {
  return Bun.password.hash(password, work);
}

/** As much work for a stranger, or a user without a password, as for a user: the time does not tell who exists. */
export async function verifyPassword(password: string, hash: string | null | undefined): Promise<boolean> {
  strangersHash ??= hashPassword(crypto.randomUUID());
  // Longer ones were never accepted, and reading them whole is work for nothing.
  const candidate = Buffer.byteLength(password) > bytesMax ? "" : password;
  // An empty one cannot be verified, and belongs to nobody.
  const matches = await Bun.password.verify(candidate || " ", hash || (await strangersHash));
  return matches && candidate !== "" && Boolean(hash);
}
