import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { picturesAtOnceMax } from "../../../edge/images/picture-search-routes.ts";
import { AppError } from "../../../shared/errors.ts";
import { createId } from "../../../shared/ids.ts";
import { embedPicture } from "../../../shared/images/picture-queries.ts";
import { defineTask, type Task } from "../../../shared/jobs/kinds.ts";
import type { TestAnswer, Who } from "../../helpers/app.ts";
import { until } from "../../helpers/until.ts";
import { createModelTasks, jpeg, openRig, type Rig, refusal, vectorAt } from "./rig.ts";

let rig: Rig;
/** Pictures that the sidecar looked at. */
let looks = 0;
let holdBack: Promise<void> | undefined;

beforeAll(async () => {
  rig = await openRig({ PICTURE_SEARCH_WAIT_MS: "4000", RATE_LIMIT_ANONYMOUS: "10000" });
});

beforeEach(async () => {
  rig.storage = "ok";
  looks = 0;
  holdBack = undefined;
  await rig.sql`delete from parlance.images`;
  await rig.sql`delete from parlance.picture_queries`;
  await rig.sql`delete from parlance.jobs`;
});

afterEach(() => rig.stopSidecar());
afterAll(() => rig.close());

/** A model that reads degrees in the bytes of a picture, and cannot read what says "broken". */
const look: () => Task = () =>
  defineTask(embedPicture, async ({ spaceId, path }, { signal }) => {
    const start = await rig.deps.objects.readStart(path, 512);
    if (!start)
      throw new AppError("image_object_missing", "The picture was never sent, or its file is gone.");
    looks += 1;
    await Promise.race([
      holdBack,
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    ]);
    const text = new TextDecoder().decode(start);
    if (text.includes("broken")) throw new AppError("image_undecodable", "The picture cannot be decoded.");
    return { spaceId, embedding: vectorAt(Number(/(\d+) degrees/.exec(text)?.[1] ?? 0)) };
  });

const startSidecar = () => rig.startSidecar([...createModelTasks(rig), look()]);

function search(who: Who, content: string | Uint8Array<ArrayBuffer>, query = ""): Promise<TestAnswer> {
  const form = new FormData();
  form.set("file", new File([typeof content === "string" ? jpeg(content) : content], "asked.jpg"));
  return rig.call(who, "POST", `/images/search${query}`, { body: form });
}

const idsOf = (answer: TestAnswer): string[] => answer.body.items.map((item: { id: string }) => item.id);

async function countQueries(): Promise<number> {
  const rows = await rig.sql`select from parlance.picture_queries`;
  return rows.length;
}

async function openJobs(): Promise<number> {
  const rows = await rig.sql`
    select from parlance.jobs where kind = ${embedPicture.name} and state in ('queued', 'running')
  `;
  return rows.length;
}

describe("a picture that comes with the request", () => {
  test("finds the pictures nearest to it, best first, and is not kept", async () => {
    await startSidecar();
    const near = await rig.addReady({ degrees: 12 });
    const far = await rig.addReady({ degrees: 80 });
    const answer = await search(rig.alice, "10 degrees");
    expect(answer.status).toBe(200);
    expect(idsOf(answer)).toEqual([near, far]);
    expect(answer.body).toMatchObject({ method: "vectors", space: "palette" });
    expect(answer.body.items[0].similarity).toBeCloseTo(Math.cos(Math.PI / 90), 4);
    expect(await rig.listObjects()).toEqual([]);
  });

  test("is remembered for an hour and no longer, and its bytes are nowhere", async () => {
    await startSidecar();
    await search(rig.alice, "10 degrees of secret content");
    const [query] = await rig.sql<{ seconds: number }[]>`
      select extract(epoch from expires_at - now())::float8 as seconds from parlance.picture_queries
    `;
    expect(query?.seconds).toBeGreaterThan(3500);
    expect(query?.seconds).toBeLessThanOrEqual(3600);
    const jobs = await rig.sql<{ text: string }[]>`select to_jsonb(jobs)::text as text from parlance.jobs`;
    expect(jobs).toHaveLength(1);
    expect(jobs.map((job) => job.text).join()).not.toMatch(/secret/);
    expect(JSON.stringify(rig.logLines)).not.toMatch(/secret/);
  });

  test("is not asked of a sidecar twice within the hour by the same one", async () => {
    await startSidecar();
    const [first, again] = [await search(rig.alice, "10 degrees"), await search(rig.alice, "10 degrees")];
    expect(again.body.picture).toBe(first.body.picture);
    expect(looks).toBe(1);
    expect((await search(rig.bob, "10 degrees")).body.picture).not.toBe(first.body.picture);
    expect(looks).toBe(2);
  });

  test("takes the parameters of every search", async () => {
    await startSidecar();
    const own = await rig.addReady({ degrees: 12 });
    const foreign = await rig.addReady({ ownerId: rig.bob.id, isPublic: true, degrees: 14 });
    expect(idsOf(await search(rig.alice, "10 degrees"))).toEqual([own]);
    expect(idsOf(await search(rig.alice, "10 degrees", "?scope=public"))).toEqual([foreign]);
    expect(idsOf(await search(rig.alice, "10 degrees", "?orientation=portrait"))).toEqual([]);
    expect(refusal(await search(rig.alice, "10 degrees", "?limit=1000"))).toEqual([400, "invalid_request"]);
    expect(refusal(await search(rig.alice, "10 degrees", "?scope=all"))).toEqual([403, "forbidden"]);
  });

  test("leads away from what it must not be", async () => {
    await startSidecar();
    const [low, high] = [await rig.addReady({ degrees: 0 }), await rig.addReady({ degrees: 50 })];
    expect(idsOf(await search(rig.alice, "30 degrees", "?minus=60%20degrees"))).toEqual([low]);
    expect(idsOf(await search(rig.alice, "30 degrees"))).toEqual([high, low]);
  });

  test("is searched page by page with the id of its query", async () => {
    await startSidecar();
    const ids = [];
    for (const degrees of [11, 20, 30, 40, 50]) ids.push(await rig.addReady({ degrees }));
    const first = await search(rig.alice, "10 degrees", "?limit=2");
    const found = idsOf(first);
    let cursor = first.body.nextCursor;
    while (cursor) {
      const path = `/images/search?picture=${first.body.picture}&limit=2&cursor=${cursor}`;
      const page = await rig.call(rig.alice, "GET", path);
      expect(page.status).toBe(200);
      found.push(...idsOf(page));
      cursor = page.body.nextCursor;
    }
    expect(found).toEqual(ids);
    expect(looks).toBe(1);
  });
});

describe("whose a query is", () => {
  test("another's query does not exist, nor does one that has ended", async () => {
    await startSidecar();
    const { picture } = (await search(rig.alice, "10 degrees")).body;
    const ask = (who: Who) => rig.call(who, "GET", `/images/search?scope=public&picture=${picture}`);
    expect((await ask(rig.alice)).status).toBe(200);
    for (const who of [rig.bob, rig.admin, "secret", "nobody", "publishable"] as const) {
      expect(refusal(await ask(who))).toEqual([404, "not_found"]);
    }
    await rig.sql`update parlance.picture_queries set expires_at = now() - interval '1 second'`;
    expect(refusal(await ask(rig.alice))).toEqual([404, "not_found"]);
  });

  test("a stranger searches what is public, and goes on by the id alone", async () => {
    await startSidecar();
    const shown = [
      await rig.addReady({ degrees: 12, isPublic: true }),
      await rig.addReady({ degrees: 20, isPublic: true }),
    ];
    await rig.addReady({ degrees: 10 });
    const first = await search("nobody", "10 degrees", "?limit=1");
    expect(idsOf(first)).toEqual([shown[0]]);
    const { picture, nextCursor } = first.body;
    const next = `/images/search?picture=${picture}&limit=1&cursor=${nextCursor}`;
    expect(idsOf(await rig.call("publishable", "GET", next))).toEqual([shown[1]]);
    expect(refusal(await rig.call(rig.alice, "GET", next))).toEqual([404, "not_found"]);
    expect(refusal(await rig.call("nobody", "GET", `/images/search?picture=${createId()}`))).toEqual([
      404,
      "not_found",
    ]);
    expect((await search("nobody", "10 degrees")).body.picture).not.toBe(picture);
    expect(refusal(await search("nobody", "10 degrees", "?scope=own"))).toEqual([401, "unauthenticated"]);
  });

  test("a cursor of one query is refused by another", async () => {
    await startSidecar();
    for (const degrees of [11, 20, 30]) await rig.addReady({ degrees });
    const { nextCursor } = (await search(rig.alice, "10 degrees", "?limit=1")).body;
    const other = (await search(rig.alice, "20 degrees", "?limit=1")).body.picture;
    const answer = await rig.call(
      rig.alice,
      "GET",
      `/images/search?picture=${other}&limit=1&cursor=${nextCursor}`,
    );
    expect(refusal(answer)).toEqual([400, "invalid_cursor"]);
  });

  test("a search is by words or by a picture, not both and not neither", async () => {
    for (const query of ["", `?q=sea&picture=${createId()}`, "?picture=sea"]) {
      expect(refusal(await rig.call(rig.alice, "GET", `/images/search${query}`))).toEqual([
        400,
        "invalid_request",
      ]);
    }
  });
});

describe("what cannot be searched by is refused", () => {
  test.each([
    ["no picture", new TextEncoder().encode("words words words"), 415, "unsupported_media_type"],
    ["nothing", new Uint8Array(0), 400, "invalid_request"],
  ])("%s, before storage hears of it", async (_name, content, status, code) => {
    await startSidecar();
    const calls = rig.storageCalls;
    expect(refusal(await search(rig.alice, content))).toEqual([status, code]);
    expect(rig.storageCalls).toBe(calls);
    expect(await countQueries()).toBe(0);
  });

  test("what is too large, by its length or by its file", async () => {
    const small = rig.withSettings({ UPLOAD_BYTES_MAX: "2000", BODY_BYTES_MAX: "4000" });
    const send = (size: number) => {
      const form = new FormData();
      form.set("file", new File([jpeg("x".repeat(size))], "large.jpg"));
      return small.call(rig.alice, "POST", "/images/search", { body: form });
    };
    expect(refusal(await send(3000))).toEqual([413, "payload_too_large"]);
    expect(refusal(await send(9000))).toEqual([413, "payload_too_large"]);
  });

  test("a form without a file, and what is no form", async () => {
    const form = new FormData();
    form.set("file", "sea.jpg");
    expect(refusal(await rig.call(rig.alice, "POST", "/images/search", { body: form }))).toEqual([
      400,
      "invalid_request",
    ]);
    const answer = await rig.sendJson(rig.alice, "POST", "/images/search", { file: "sea.jpg" });
    expect([400, 415]).toContain(answer.status);
  });

  test("what cannot be decoded, and nothing of it stays", async () => {
    await startSidecar();
    expect(refusal(await search(rig.alice, "broken"))).toEqual([422, "image_undecodable"]);
    expect(await countQueries()).toBe(0);
    expect(await rig.listObjects()).toEqual([]);
  });
});

describe("when nobody can look", () => {
  test("without a sidecar it is told at once and storage hears nothing", async () => {
    const calls = rig.storageCalls;
    const answer = await search(rig.alice, "10 degrees");
    expect(refusal(answer)).toEqual([503, "unavailable"]);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(rig.storageCalls).toBe(calls);
  });

  test("a sidecar of another kind of work is none", async () => {
    await rig.startSidecar(createModelTasks(rig));
    expect(refusal(await search(rig.alice, "10 degrees"))).toEqual([503, "unavailable"]);
  });

  test("a sidecar that does not look in time is not waited for, and its work is cancelled", async () => {
    const hasty = rig.withSettings({ PICTURE_SEARCH_WAIT_MS: "100" });
    let release = () => {};
    holdBack = new Promise((resolve) => {
      release = resolve;
    });
    await startSidecar();
    const form = new FormData();
    form.set("file", new File([jpeg("10 degrees")], "asked.jpg"));
    const answer = await hasty.call(rig.alice, "POST", "/images/search", { body: form });
    expect(refusal(answer)).toEqual([503, "unavailable"]);
    expect(await countQueries()).toBe(0);
    expect(await rig.listObjects()).toEqual([]);
    release();
    await until("the job has ended", async () => (await openJobs()) === 0);
    expect(await countQueries()).toBe(0);
  });

  test("storage that is down leaves nothing behind", async () => {
    await startSidecar();
    rig.storage = "down";
    expect(refusal(await search(rig.alice, "10 degrees"))).toEqual([502, "upstream_failed"]);
    expect(await countQueries()).toBe(0);
    expect(await openJobs()).toBe(0);
  });

  test("more pictures at once than may be held are refused before their bytes are read; one asker holds half of them", async () => {
    let release = () => {};
    holdBack = new Promise((resolve) => {
      release = resolve;
    });
    await startSidecar();
    const askHalf = (who: Who) =>
      Array.from({ length: picturesAtOnceMax / 2 }, (_, index) => search(who, `${index} degrees`));
    const strangers = askHalf("publishable");
    await until("half are being looked at", async () => (await countQueries()) === picturesAtOnceMax / 2);
    expect(refusal(await search("nobody", "80 degrees"))).toEqual([503, "unavailable"]);
    const running = [...strangers, ...askHalf(rig.alice)];
    await until("all are being looked at", async () => (await countQueries()) === picturesAtOnceMax);
    const refused = await search(rig.bob, "80 degrees");
    expect(refusal(refused)).toEqual([503, "unavailable"]);
    expect(refused.headers.get("retry-after")).toBe("2");
    release();
    expect((await Promise.all(running)).map((answer) => answer.status)).toEqual(running.map(() => 200));
    expect((await search(rig.alice, "80 degrees")).status).toBe(200);
  });
});
