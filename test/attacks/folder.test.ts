import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drawJpeg, openRig, type Rig } from "./rig.ts";

let rig: Rig;
let parent: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "parlance-attack-"));
  rig = await openRig({ DATA_DIR: join(parent, "data") });
});
afterAll(async () => {
  await rig?.close();
  await rm(parent, { recursive: true, force: true });
});

const others = async (path: string) => (await stat(path)).mode & 0o077;

describe("other users of the machine", () => {
  test("get into no folder of the data", async () => {
    await rig.addReady(rig.alice);
    expect(await others(rig.dataDir)).toBe(0);
    // Its files are everyone's to read and write: PGlite asks for that.
    if (!process.env.TEST_DATABASE_URL) expect(await others(join(rig.dataDir, "database"))).toBe(0);
  });

  test("read no keys, no status and no picture, not even where the folder was opened to them", async () => {
    const paths = ["keys.json", "status.json"].map((name) => join(rig.dataDir, name));
    const objects = join(rig.dataDir, "objects", "objects");
    for (const shard of await readdir(objects)) {
      for (const name of await readdir(join(objects, shard))) paths.push(join(objects, shard, name));
    }
    expect(paths.length).toBeGreaterThan(4);
    for (const path of paths) expect(await others(path), path).toBe(0);
  });
});

test("a log holds no secrets, whatever was sent", async () => {
  const password = `a very secret ${crypto.randomUUID()}`;
  const credentials = { email: "eve@example.com", password };
  const { body: session } = await rig.sendJson("publishable", "POST", "/auth/v1/signup", credentials);
  await rig.sendJson("publishable", "POST", "/auth/v1/token?grant_type=password", credentials);
  const { body } = await rig.upload(rig.alice, await drawJpeg());
  await rig.follow(rig.alice, body.job.id);
  const shown = await rig.call(rig.alice, "GET", `/images/${body.image.id}`);
  const secrets = [
    rig.secretKey,
    rig.alice.token,
    password,
    session.access_token,
    session.refresh_token,
    new URL(shown.body.links.original).searchParams.get("token") ?? "",
    "words of a person",
  ];
  await rig.call(rig.alice, "GET", `/images/search?q=${encodeURIComponent("words of a person")}`);
  // What breaks is logged whole: break what can be broken.
  for (const secret of secrets) {
    const header = secret.replaceAll(" ", "-");
    await rig.call("nobody", "GET", `/images?cursor=${encodeURIComponent(secret)}`, {
      headers: { apikey: header },
    });
    await rig.call("nobody", "GET", "/images", { headers: { authorization: `Bearer ${header}x` } });
    await rig.call("nobody", "GET", `/storage/v1/object/sign/images/a/b?token=${encodeURIComponent(secret)}`);
    await rig.sendJson("publishable", "POST", "/auth/v1/token?grant_type=password", {
      email: "a@b.c",
      password: secret,
    });
    await rig.sendJson(rig.alice, "POST", "/images", { name: secret, mediaType: "\0", sizeBytes: -1 });
  }
  const log = await readFile(rig.logPath, "utf8");
  expect(log).toContain('"event":"request"');
  for (const secret of secrets) expect(log.includes(secret), secret.slice(0, 20)).toBe(false);
});

describe.runIf(process.env.TEST_DATABASE_URL)("over a server", () => {
  test("the sidecar's process is given its own login, and not that of the superuser", async () => {
    const children = [];
    for (const id of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      const environment = await readFile(`/proc/${id}/environ`, "latin1").catch(() => "");
      const isOurs = environment.includes(`DATA_DIR=${rig.dataDir}\0`);
      if (isOurs && environment.includes("SIDECAR_DB_URL=")) children.push(environment.split("\0"));
    }
    // The supervisor, and the slots that it has begun.
    expect(children.length).toBeGreaterThan(0);
    for (const child of children) {
      const urls = child.filter((line) => /=postgres(ql)?:/.test(line));
      expect(urls.filter((line) => !/^TEST_|^SIDECAR_DB_URL=/.test(line))).toEqual([]);
      expect(urls.find((line) => line.startsWith("SIDECAR_DB_URL="))).toContain("//parlance_sidecar");
    }
  });
});
