import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { SupabaseClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createId } from "../../../../shared/ids.ts";
import { sendObject } from "../../../../supabase/local/storage/downloads.ts";
import { sweepFiles } from "../../../../supabase/local/storage/files.ts";
import { findObject } from "../../../../supabase/local/storage/object-store.ts";
import { sendAndLeave, sendRaw } from "./sockets.ts";
import { openStandIn, type StandIn } from "./stand-in.ts";
import { connect } from "./target.ts";

let standIn: StandIn;
let storage: SupabaseClient["storage"];
let bucket: string;

beforeAll(async () => {
  standIn = await openStandIn();
  storage = connect(standIn.url, standIn.keys.secretKey).storage;
});

beforeEach(async () => {
  bucket = crypto.randomUUID();
  await storage.createBucket(bucket);
});

afterAll(() => standIn?.close());

const files = () => storage.from(bucket);

/** What lies on disk against what the rows name; both sorted. */
async function compare() {
  const rows = await standIn.admin<{ version: string }[]>`select version from storage.objects`;
  const onDisk = (await standIn.listFiles()).map((path) => basename(path)).sort();
  return { onDisk, named: rows.map(({ version }) => version).sort() };
}

async function expectNothingUnnamed(): Promise<void> {
  const { onDisk, named } = await compare();
  expect(onDisk).toEqual(named);
}

describe("a name", () => {
  test.each([
    "../outside.txt",
    "a/../../outside.txt",
    "a/./b",
    "a\\..\\b",
    "a\0b",
    "a\nb",
    "%2e%2e/b",
    "a\u202eb",
    "x".repeat(1025),
    "象".repeat(342),
  ])("such as %j is refused wherever it is given", async (name) => {
    await files().upload("real.txt", "real");
    const encoded = name.split("/").map(encodeURIComponent).join("%2f").replaceAll(".", "%2e");
    for (const path of ["object", "object/info", "object/sign", "object/upload/sign", "object/public"]) {
      for (const method of ["POST", "PUT", "GET", "DELETE"]) {
        const code = await askRaw(method, `${path}/${bucket}/${encoded}`);
        expect(code).toMatch(/^(InvalidKey|NoSuchPath)$/);
      }
    }
    for (const { error } of [await files().move("real.txt", name), await files().copy("real.txt", name)]) {
      expect(error).toMatchObject({ statusCode: "400", code: "InvalidKey" });
    }
    expect((await files().list()).data?.map((entry) => entry.name)).toEqual(["real.txt"]);
  });

  test.each([".", ".."])("of nothing but %j is refused", async (name) => {
    await files().upload("real.txt", "real");
    expect((await files().move("real.txt", name)).error).toMatchObject({
      statusCode: "400",
      code: "InvalidKey",
    });
    expect((await files().list()).data?.map((entry) => entry.name)).toEqual(["real.txt"]);
  });

  async function askRaw(method: string, path: string): Promise<string> {
    const answer = await sendRaw(
      standIn.url,
      `${method} /storage/v1/${path} HTTP/1.1
       apikey: ${standIn.keys.secretKey}
       Content-Length: 0
       Connection: close`,
    );
    return JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))).code;
  }

  test("never reaches the disk: a file is named for its version, in a folder of its own kind", async () => {
    for (const name of ["a/b/c.txt", "象.txt", "/lead.txt", "x".repeat(1000), "CON", "a:b"]) {
      expect((await files().upload(name, "x")).error).toBeNull();
    }
    for (const path of await standIn.listFiles()) {
      expect(basename(path)).toMatch(/^[0-9a-f-]{36}$/);
      expect(dirname(path)).toBe(join(standIn.folder, "objects", path.slice(-2)));
    }
  });

  test("that a row was given by SQL opens and removes no other file", async () => {
    const outside = join(standIn.folder, "outside.txt");
    await writeFile(outside, "not yours");
    const versions = ["../outside.txt", "../../outside.txt", outside, "../objects", "", "outside.txt"];
    for (const [index, version] of versions.entries()) {
      await standIn.admin`
        insert into storage.objects (bucket_id, name, version) values (${bucket}, ${`v${index}`}, ${version})
      `;
      expect((await files().download(`v${index}`)).error).toMatchObject({ statusCode: "404" });
      expect((await files().copy(`v${index}`, `c${index}`)).error).toMatchObject({ statusCode: "404" });
      expect((await files().upload(`v${index}`, "new", { upsert: true })).error).toBeNull();
      expect((await files().remove([`v${index}`])).error).toBeNull();
    }
    expect(await Bun.file(outside).text()).toBe("not yours");
    await rm(outside);
  });
});

describe("the file of a version", () => {
  test("goes with its row, and with the version that takes its place", async () => {
    await files().upload("a.txt", "one");
    const first = (await compare()).onDisk;
    await files().upload("a.txt", "two", { upsert: true });
    await expectNothingUnnamed();
    expect((await compare()).onDisk).not.toEqual(first);
    await files().copy("a.txt", "b.txt");
    await files().move("a.txt", "c.txt");
    await expectNothingUnnamed();
    await files().remove(["b.txt"]);
    expect(await (await files().download("c.txt")).data?.text()).toBe("two");
    await storage.emptyBucket(bucket);
    await expectNothingUnnamed();
  });

  test("is not left behind by an upload that was refused", async () => {
    const visitor = connect(standIn.url, standIn.keys.publishableKey).storage.from(bucket);
    await visitor.upload("a.txt", "x");
    await files().upload("a.txt", "x");
    await files().upload("a.txt", "y");
    await files().upload("b.txt", "x", { contentType: "nonsense" });
    await files().copy("a.txt", "a.txt");
    await expectNothingUnnamed();
  });

  test("is not left behind by a row that only the commit refuses", async () => {
    await standIn.owner.unsafe(`
      create policy "small ones only" on storage.objects as restrictive for insert to authenticated
        with check (coalesce((metadata ->> 'size')::int, 0) < 10)
    `);
    const userId = crypto.randomUUID();
    const user = connect(standIn.url, standIn.keys.publishableKey, await standIn.signToken(userId));
    const own = user.storage.from(bucket);
    expect((await own.upload(`${userId}/small`, "x")).error).toBeNull();
    expect((await own.upload(`${userId}/large`, "x".repeat(10))).error).toMatchObject({ statusCode: "403" });
    await expectNothingUnnamed();
    await standIn.owner.unsafe(`drop policy "small ones only" on storage.objects`);
  });

  test("that is missing makes its object not found, and a new upload mends it", async () => {
    await files().upload("a.txt", "one");
    const version = (await files().info("a.txt")).data?.version ?? "";
    await rm(join(standIn.folder, "objects", version.slice(-2), version));
    expect((await files().download("a.txt")).error).toMatchObject({ statusCode: "404" });
    expect((await files().copy("a.txt", "b.txt")).error).toMatchObject({ statusCode: "404" });
    await files().upload("a.txt", "two", { upsert: true });
    expect(await (await files().download("a.txt")).data?.text()).toBe("two");
    await storage.emptyBucket(bucket);
  });

  test("stays while another row names it", async () => {
    await files().upload("a.txt", "shared");
    await standIn.admin`
      insert into storage.objects (bucket_id, name, version, metadata)
      select bucket_id, 'twin.txt', version, metadata
      from storage.objects
      where bucket_id = ${bucket}
    `;
    await files().remove(["a.txt"]);
    expect(await (await files().download("twin.txt")).data?.text()).toBe("shared");
    await files().remove(["twin.txt"]);
    await expectNothingUnnamed();
  });

  test("that was replaced between the look at the row and the look at the disk is not missed", async () => {
    await files().upload("a.txt", "new");
    const find = () => findObject(standIn.admin, bucket, "a.txt");
    const current = await find();
    if (!current) throw new Error("There is no row.");
    const answers = [{ ...current, version: createId() }, current];
    const request = new Request(standIn.url);
    const answer = await sendObject(request, standIn.folder, { download: undefined }, async () =>
      answers.shift(),
    );
    expect(await answer.text()).toBe("new");
    const gone = sendObject(request, standIn.folder, { download: undefined }, async () => undefined);
    await expect(gone).rejects.toMatchObject({ code: "NoSuchKey" });
    await files().remove(["a.txt"]);
  });

  test("is closed after every download, also by those who left before its end", async () => {
    await files().upload("large.bin", new Blob([new Uint8Array(20_000_000)]));
    const openFiles = async () => {
      const links = await readdir("/proc/self/fd", { withFileTypes: true });
      return links.length;
    };
    const { data } = await files().createSignedUrl("large.bin", 60);
    const url = new URL(data?.signedUrl ?? "");
    const before = await openFiles();
    for (let turn = 0; turn < 5; turn++) {
      const leaving = new AbortController();
      const answer = await fetch(url, { signal: leaving.signal });
      await answer.body?.getReader().read();
      leaving.abort();
      await sendAndLeave(standIn.url, `GET ${url.pathname}${url.search} HTTP/1.1`, "");
      await fetch(url, { method: "HEAD" });
    }
    await vi.waitUntil(async () => (await openFiles()) <= before, { timeout: 30_000 });
    await files().remove(["large.bin"]);
  });
});

describe("many at once", () => {
  const many = Array.from({ length: 12 }, (_, index) => `content ${index}`);

  test("upserts of one name leave one version, whole", async () => {
    const answers = await Promise.all(many.map((text) => files().upload("a.txt", text, { upsert: true })));
    expect(answers.map(({ error }) => error)).toEqual(many.map(() => null));
    const left = await (await files().download("a.txt")).data?.text();
    expect(many).toContain(left);
    await expectNothingUnnamed();
  });

  test("uploads of one name: one wins, and the others are told", async () => {
    const answers = await Promise.all(many.map((text) => files().upload("a.txt", text)));
    const won = answers.filter(({ error }) => error === null);
    const lost = answers.filter(({ error }) => error && "statusCode" in error && error.statusCode === "409");
    expect([won.length, lost.length]).toEqual([1, many.length - 1]);
    await expectNothingUnnamed();
  });

  test("readers beside writers always find one whole version", async () => {
    await files().upload("a.txt", "content");
    const write = async () => {
      for (const text of many) await files().upload("a.txt", text, { upsert: true });
    };
    const readAll = async () => {
      for (const _turn of many) {
        const { data, error } = await files().download("a.txt");
        expect(error).toBeNull();
        expect(await data?.text()).toMatch(/^content/);
      }
    };
    await Promise.all([write(), readAll(), readAll()]);
    await expectNothingUnnamed();
  });

  test("moves, upserts and removals of the same names end with every object readable", async () => {
    const act = async (index: number) => {
      const [from, to] = [`n${index % 3}`, `n${(index + 1) % 3}`];
      await files().upload(from, `content ${index}`, { upsert: true });
      await files().move(from, to);
      if (index % 4 === 0) await files().remove([to]);
      await files().copy(to, from);
    };
    for (let round = 0; round < 20; round++) {
      await Promise.all(many.map((_text, index) => act(index)));
      await expectNothingUnnamed();
    }
    for (const { name } of (await files().list()).data ?? []) {
      expect(await (await files().download(name)).data?.text()).toMatch(/^content \d+$/);
    }
  });
});

describe("after a crash", () => {
  const hour = 60 * 60 * 1000;
  const sweep = (aheadMs: number, olderThanMs = hour) =>
    sweepFiles(standIn.admin, standIn.folder, { olderThanMs, now: () => new Date(Date.now() + aheadMs) });

  /** What an upload leaves that ended between its file and its row, and one that ended in the middle of its bytes. */
  async function leaveBehind(): Promise<string[]> {
    const version = createId();
    const paths = [
      join(standIn.folder, "objects", version.slice(-2), version),
      join(standIn.folder, "drafts", createId()),
    ];
    for (const path of paths) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, "left behind");
    }
    return paths;
  }

  test("the sweep removes what no row names, and nothing else", async () => {
    await files().upload("a.txt", "kept");
    await files().copy("a.txt", "b.txt");
    const left = await leaveBehind();
    expect(await standIn.listFiles()).toEqual(expect.arrayContaining(left));
    expect(await sweep(2 * hour)).toBe(left.length);
    await expectNothingUnnamed();
    expect(await (await files().download("b.txt")).data?.text()).toBe("kept");
    expect(await sweep(2 * hour)).toBe(0);
  });

  test("the sweep leaves alone what may still be on its way", async () => {
    const left = await leaveBehind();
    expect(await sweep(0)).toBe(0);
    expect(await standIn.listFiles()).toEqual(expect.arrayContaining(left));
    expect(await sweep(2 * hour)).toBe(left.length);
  });

  test("a folder that is not there yet is swept too", async () => {
    expect(await sweepFiles(standIn.admin, join(standIn.folder, "nowhere"))).toBe(0);
  });
});
