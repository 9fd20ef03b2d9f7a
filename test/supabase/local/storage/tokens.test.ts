import { SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadKeys } from "../../../../supabase/local/keys.ts";
import { createSignatures } from "../../../../supabase/local/storage/signatures.ts";
import { openStandIn, type StandIn } from "./stand-in.ts";
import { connect } from "./target.ts";

let standIn: StandIn;
let userId: string;
const name = "ada/a.txt";

beforeAll(async () => {
  standIn = await openStandIn();
  userId = crypto.randomUUID();
  const { storage } = connect(standIn.url, standIn.keys.secretKey);
  for (const bucket of ["one", "two"]) {
    await storage.createBucket(bucket);
    for (const path of [name, "ada/b.txt"]) await storage.from(bucket).upload(path, `${bucket}/${path}`);
  }
});

beforeEach(() => {
  standIn.clockAheadMs = 0;
});

afterAll(() => standIn?.close());

const secretFiles = (bucket = "one") => connect(standIn.url, standIn.keys.secretKey).storage.from(bucket);

async function signDownload(seconds: number): Promise<string> {
  const { data } = await secretFiles().createSignedUrl(name, seconds);
  return new URL(data?.signedUrl ?? "").searchParams.get("token") ?? "";
}

async function signUpload(path: string): Promise<string> {
  const { data } = await secretFiles().createSignedUploadUrl(path);
  return data?.token ?? "";
}

async function download(token: string, path = `one/${name}`) {
  const answer = await fetch(`${standIn.url}/storage/v1/object/sign/${path}?token=${token}`);
  return { status: answer.status, text: await answer.text() };
}

async function upload(token: string, path: string) {
  const url = `${standIn.url}/storage/v1/object/upload/sign/${path}?token=${token}`;
  const answer = await fetch(url, { method: "PUT", body: "x" });
  return { status: answer.status, text: await answer.text() };
}

describe("a signed URL", () => {
  test("ends when it was said to", async () => {
    const token = await signDownload(60);
    standIn.clockAheadMs = 50_000;
    expect(await download(token)).toEqual({ status: 200, text: `one/${name}` });
    standIn.clockAheadMs = 70_000;
    const late = await download(token);
    expect(late.status).toBe(400);
    expect(JSON.parse(late.text)).toMatchObject({
      statusCode: "400",
      code: "InvalidJWT",
      message: "jwt expired",
    });
  });

  test("for an upload lives for two hours", async () => {
    const token = await signUpload("ada/late.txt");
    standIn.clockAheadMs = 121 * 60_000;
    expect((await upload(token, "one/ada/late.txt")).status).toBe(400);
    standIn.clockAheadMs = 119 * 60_000;
    expect((await upload(token, "one/ada/late.txt")).status).toBe(200);
  });

  test("for reading does not write, and one for writing does not read", async () => {
    const reading = await signDownload(60);
    const refused = await upload(reading, `one/${name}`);
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.text)).toMatchObject({ code: "InvalidSignature" });
    const path = "ada/cross.txt";
    const writing = await signUpload(path);
    expect((await upload(writing, `one/${path}`)).status).toBe(200);
    expect((await download(writing, `one/${path}`)).status).toBe(400);
    expect((await download(reading)).text).toBe(`one/${name}`);
  });

  test.each(["one/ada/b.txt", `two/${name}`, `one/${name}/`, `one//${name}`, `one/${name}.bak`, "one/ada"])(
    "for one object does not open %s",
    async (path) => {
      expect((await download(await signDownload(60), path)).status).toBe(400);
    },
  );

  test("stays good for the object that takes the old one's place, and finds nothing where none is left", async () => {
    const { data } = await secretFiles().createSignedUrl("ada/b.txt", 60);
    await secretFiles().upload("ada/b.txt", "replaced", { upsert: true });
    expect(await (await fetch(data?.signedUrl ?? "")).text()).toBe("replaced");
    await secretFiles().remove(["ada/b.txt"]);
    const gone = await fetch(data?.signedUrl ?? "");
    expect(await gone.json()).toMatchObject({ statusCode: "404", code: "NoSuchKey" });
  });

  test("that was forged is refused, whatever it was signed with", async () => {
    const claims = { url: `one/${name}`, scope: "download" };
    const sign = (key: Uint8Array | CryptoKey, alg: string) =>
      new SignJWT(claims).setProtectedHeader({ alg }).setIssuedAt().setExpirationTime("1h").sign(key);
    const object = { bucketId: "one", name };
    const strangers = createSignatures((await loadKeys()).secretKey, () => new Date());
    const [header, body, signature] = (await signDownload(60)).split(".");
    const longer = Buffer.from(JSON.stringify({ ...claims, exp: 9_999_999_999 })).toString("base64url");
    const forged = [
      "",
      "x",
      `${header}.${body}.`,
      `${header}.${longer}.${signature}`,
      await sign(new TextEncoder().encode(standIn.keys.secretKey), "HS256"),
      await sign(new TextEncoder().encode(standIn.keys.publishableKey), "HS256"),
      await sign(standIn.keys.signingKey, "ES256"),
      await strangers.signDownload(object, 60),
      new UnsecuredJWT(claims).setExpirationTime("1h").encode(),
      await standIn.signToken(userId),
    ];
    for (const token of forged) {
      const answer = await download(token);
      expect(answer.status, token).toBe(400);
      expect(answer.text).not.toContain(`one/${name}`);
    }
  });

  test("is signed for a whole number of seconds, and at least for one", async () => {
    for (const seconds of [0, -1, 1.5, Number.NaN, 1e12]) {
      const { error } = await secretFiles().createSignedUrl(name, seconds);
      expect(error).toMatchObject({ statusCode: "400" });
    }
  });
});

describe("who is calling", () => {
  const call = async (headers: Record<string, string>, path = "/bucket") => {
    const answer = await fetch(`${standIn.url}/storage/v1${path}`, { headers });
    return { status: answer.status, body: await answer.json() };
  };

  test("a request without a key, or with a wrong one, is refused with 401", async () => {
    expect(await call({})).toMatchObject({ status: 401, body: { statusCode: "401" } });
    expect(await call({ apikey: `${standIn.keys.secretKey}x` })).toMatchObject({ status: 401 });
    expect(await call({ authorization: `Bearer ${await standIn.signToken(userId)}` })).toMatchObject({
      status: 401,
    });
  });

  test("a secret key in a browser is refused", async () => {
    const headers = { apikey: standIn.keys.secretKey, "user-agent": "Mozilla/5.0" };
    expect(await call(headers)).toMatchObject({ status: 401 });
  });

  test("a token that was forged, or of another project, is refused even beside the secret key", async () => {
    const strangers = await loadKeys();
    const foreign = await new SignJWT({ role: "service_role" })
      .setProtectedHeader({ alg: "ES256", kid: standIn.keys.kid })
      .setSubject(userId)
      .setExpirationTime("1h")
      .sign(strangers.signingKey);
    const signedUrl = await signDownload(60);
    for (const token of [foreign, signedUrl, "x.y.z"]) {
      const answer = await call({ apikey: standIn.keys.secretKey, authorization: `Bearer ${token}` });
      expect(answer).toMatchObject({ status: 400, body: { statusCode: "403", error: "Unauthorized" } });
    }
  });

  test("a token that does not hold still reads what is public, and nothing else", async () => {
    const { storage } = connect(standIn.url, standIn.keys.secretKey);
    await storage.createBucket("open", { public: true });
    await storage.from("open").upload("a.txt", "public");
    const headers = { apikey: standIn.keys.publishableKey, authorization: "Bearer x.y.z" };
    const open = await fetch(`${standIn.url}/storage/v1/object/open/a.txt`, { headers });
    expect([open.status, await open.text()]).toEqual([200, "public"]);
    expect(await call(headers, `/object/one/${name}`)).toMatchObject({
      status: 400,
      body: { statusCode: "404" },
    });
    expect(await call({}, `/object/authenticated/one/${name}`)).toMatchObject({
      body: { statusCode: "404" },
    });
  });

  test("the address of a public object tells nothing about a private one", async () => {
    const hidden = await call({}, `/object/public/one/${name}`);
    const missing = await call({}, "/object/public/one/nothing.txt");
    const nowhere = await call({}, "/object/public/nowhere/nothing.txt");
    expect(hidden).toEqual(missing);
    expect(hidden).toEqual(nowhere);
    expect(await call({}, `/object/info/public/one/${name}`)).toEqual(hidden);
  });
});
