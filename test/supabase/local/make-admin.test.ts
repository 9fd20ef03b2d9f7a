import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findAdminTarget, parseAdminArguments, setAdmin } from "../../../supabase/local/make-admin.ts";
import {
  connectClient,
  createEmail,
  password,
  type StandIn,
  signUpSomeone,
  startStandIn,
} from "./auth/target.ts";

let target: StandIn;
let folder: string;

beforeAll(async () => {
  target = await startStandIn();
  folder = await mkdtemp(join(tmpdir(), "parlance-admin-"));
});
afterAll(async () => {
  await target.close();
  await rm(folder, { recursive: true });
});

describe("the command", () => {
  test("takes an address, and a word to take it back", () => {
    expect(parseAdminArguments(["Ada@Example.com"])).toEqual({ email: "ada@example.com", revokes: false });
    const revoked = { email: "ada@example.com", revokes: true };
    expect(parseAdminArguments(["ada@example.com", "--revoke"])).toEqual(revoked);
    expect(parseAdminArguments(["--revoke", "ada@example.com"])).toEqual(revoked);
  });

  test.each([
    [[]],
    [["ada"]],
    [["--help"]],
    [["--x@y"]],
    [["a@b.c", "d@e.f"]],
    [["a@b.c", "--force"]],
    [["a b@c.d"]],
  ])("says how it is used when it is given %j", (words) => {
    expect(() => parseAdminArguments(words)).toThrow("Usage: bun run admin EMAIL");
  });
});

describe("the project", () => {
  test("is the one that the environment names", async () => {
    const environment = { SUPABASE_URL: "https://x.supabase.co", SUPABASE_SECRET_KEY: "sb_secret_x" };
    const found = await findAdminTarget(environment, folder);
    expect(found).toEqual({ url: "https://x.supabase.co", secretKey: "sb_secret_x" });
  });

  test("is not guessed from half a name", async () => {
    const half = findAdminTarget({ SUPABASE_URL: "https://x.supabase.co" }, folder);
    await expect(half).rejects.toThrow("belong together");
  });

  test("is the running stack, found by what it left in its folder", async () => {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => Response.json({}) });
    const url = `http://127.0.0.1:${server.port}`;
    const status = {
      API_URL: url,
      FUNCTIONS_URL: `${url}/functions/v1`,
      PUBLISHABLE_KEY: "p",
      SECRET_KEY: "s",
    };
    await writeFile(join(folder, "status.json"), JSON.stringify(status));
    expect(await findAdminTarget({}, folder)).toEqual({ url, secretKey: "s" });
    await server.stop(true);
    await expect(findAdminTarget({}, folder)).rejects.toThrow("Parlance is not running");
  });
});

describe("a user", () => {
  test("becomes an admin with the next token, and is none after it was taken back", async () => {
    const { client, email } = await signUpSomeone(target);
    const readRole = async () => {
      await client.auth.refreshSession();
      return (await client.auth.getClaims()).data?.claims.app_metadata;
    };
    const provider = { provider: "email", providers: ["email"] };
    expect(await setAdmin(target, { email, revokes: false })).toBe(true);
    expect(await readRole()).toEqual({ ...provider, role: "admin" });
    expect(await setAdmin(target, { email, revokes: false })).toBe(false);
    expect(await setAdmin(target, { email, revokes: true })).toBe(true);
    expect(await readRole()).toEqual(provider);
    expect(await setAdmin(target, { email, revokes: true })).toBe(false);
  });

  test("is found behind the first page", async () => {
    const { email } = await signUpSomeone(target);
    // Without a password: hashing two hundred would be the slowest part of this test.
    const { admin } = connectClient(target, target.secretKey).auth;
    for (let n = 0; n < 200; n += 1) await admin.createUser({ email: createEmail() });
    expect(await setAdmin(target, { email, revokes: false })).toBe(true);
  });

  test("who is not there is named", async () => {
    const email = createEmail();
    await expect(setAdmin(target, { email, revokes: false })).rejects.toThrow(
      `Nobody has signed up as ${email}.`,
    );
  });

  test("is not made an admin with a key that may not", async () => {
    const { email } = await signUpSomeone(target);
    const publishable = { url: target.url, secretKey: target.publishableKey };
    await expect(setAdmin(publishable, { email, revokes: false })).rejects.toThrow("User not allowed");
    const { data } = await connectClient(target).auth.signInWithPassword({ email, password });
    expect(data.user?.app_metadata.role).toBeUndefined();
  });
});
