/** What operators do with jobs: retry, add, shares, figures; and what others are refused. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import { ingestImage } from "../../../shared/images/kinds.ts";
import { embedPicture } from "../../../shared/images/picture-queries.ts";
import { Job } from "../../../shared/jobs/contract.ts";
import { DeadLetter, JobStats } from "../../../shared/jobs/operating.ts";
import { addJob, claimJobs, completeJobs, failJob } from "../../../shared/jobs/queue.ts";
import { openTestApp, type TestApp, type TestUser, type Who } from "../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.sql`delete from parlance.jobs`;
  await house.sql`delete from parlance.job_shares`;
});

const sendJson = (who: Who, method: string, path: string, body: unknown, headers = {}) =>
  house.call(who, method, path, {
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });

async function addFailed(
  owner: TestUser | null = house.alice,
  { code = "image_undecodable", uniqueKey }: { code?: string; uniqueKey?: string } = {},
): Promise<{ id: string; imageId: string }> {
  const imageId = createId();
  await house.sql`
    insert into parlance.images (id, owner_id, name, state) values (${imageId}, ${owner?.id ?? null}, ${imageId}, 'processing')
  `;
  const id = await addJob(house.sql, ingestImage, {
    payload: { imageId },
    ownerId: owner?.id ?? null,
    subjectId: imageId,
    ...(uniqueKey === undefined ? {} : { uniqueKey }),
  });
  const held = await claim(id);
  await house.sql.begin(async (transaction) => {
    const error = { code, message: "It is no picture." };
    await failJob(transaction, held, { ...error, retryable: false });
    await ingestImage.landFailure(transaction, held, error);
  });
  return { id, imageId };
}

async function claim(id: string) {
  const options = {
    workerId: createId(),
    kinds: [ingestImage, embedPicture],
    leaseSeconds: 60,
    jobsMax: 1000,
  };
  const held = [
    ...(await claimJobs(house.sql, { ...options, lane: "bulk" })),
    ...(await claimJobs(house.sql, { ...options, lane: "interactive" })),
  ].find((job) => job.id === id);
  if (!held) throw new Error("it was not due");
  return held;
}

async function imageOf(imageId: string) {
  const [image] = await house.sql`select state, error_code from parlance.images where id = ${imageId}`;
  return image;
}

describe("a failed job", () => {
  test("is tried again by its owner, an admin and the secret key, and its picture is under way again", async () => {
    for (const who of [house.alice, house.admin, "secret"] as const) {
      const { id, imageId } = await addFailed();
      expect(await imageOf(imageId)).toEqual({ state: "failed", errorCode: "image_undecodable" });
      const answer = await house.call(who, "POST", `/jobs/${id}/retry`);
      expect(answer.status, answer.text).toBe(202);
      expect(Job.parse(answer.body)).toMatchObject({
        id,
        state: "queued",
        attempts: 0,
        startedAt: null,
        finishedAt: null,
      });
      expect(await imageOf(imageId)).toEqual({ state: "processing", errorCode: null });
      const held = await claim(id);
      await completeJobs(house.sql, [{ ...held, result: {} }]);
      const events = await house.call(house.alice, "GET", `/jobs/${id}/events`);
      expect(events.body.items.map(({ event }: { event: string }) => event)).toEqual([
        ...["job.queued", "job.started", "job.failed", "job.retried", "job.started", "job.done"],
      ]);
    }
  });

  test("whose picture is under way already leaves it so", async () => {
    const { id, imageId } = await addFailed();
    await house.sql`
      update parlance.images
      set state = 'processing', error_code = null, error_message = null where id = ${imageId}
    `;
    expect((await house.call(house.alice, "POST", `/jobs/${id}/retry`)).status).toBe(202);
    expect(await imageOf(imageId)).toEqual({ state: "processing", errorCode: null });
  });

  test("a search by a picture waits again", async () => {
    const queryId = createId();
    const path = `guests/${queryId}/query`;
    await house.sql`
      insert into parlance.picture_queries (id, asker, space_id, sha256)
      values (${queryId}, 'guest', 1, ${"0".repeat(64)})
    `;
    const payload = { queryId, spaceId: 1, path };
    const id = await addJob(house.sql, embedPicture, { payload, ownerId: null, subjectId: queryId });
    const held = await claim(id);
    const error = { code: "upstream_failed", message: "no" };
    await house.sql.begin(async (transaction) => {
      await failJob(transaction, held, { ...error, retryable: false });
      await embedPicture.landFailure(transaction, held, error);
    });
    expect((await house.call("secret", "POST", `/jobs/${id}/retry`)).status).toBe(202);
    const [query] = await house.sql`select error_code from parlance.picture_queries where id = ${queryId}`;
    expect(query).toEqual({ errorCode: null });
  });

  test("is not tried again twice, nor while another of its key is open, nor one that has not failed", async () => {
    const { id } = await addFailed(house.alice, { uniqueKey: "one" });
    const open = await addJob(house.sql, ingestImage, {
      payload: { imageId: createId() },
      ownerId: house.alice.id,
      uniqueKey: "one",
    });
    for (const refusedId of [id, open]) {
      const refused = await house.call(house.alice, "POST", `/jobs/${refusedId}/retry`);
      expect([refused.status, refused.body.code]).toEqual([409, "conflict"]);
    }
    await house.call(house.alice, "POST", `/jobs/${open}/cancellation`);
    const both = await Promise.all([1, 2].map(() => house.call(house.alice, "POST", `/jobs/${id}/retry`)));
    expect(both.map(({ status }) => status).toSorted()).toEqual([202, 409]);
  });
});

describe("dead letters", () => {
  const list = async (who: Who, query = ""): Promise<DeadLetter[]> => {
    const answer = await house.call(who, "GET", `/jobs/dead-letters${query}`);
    expect(answer.status, answer.text).toBe(200);
    return answer.body.items.map((item: unknown) => DeadLetter.parse(item));
  };

  test("are shown with payload, error and last events, the newest failure first", async () => {
    const first = await addFailed();
    const second = await addFailed(house.alice, { code: "upstream_failed" });
    await addJob(house.sql, ingestImage, { payload: { imageId: createId() }, ownerId: house.alice.id });
    const letters = await list(house.alice);
    expect(letters.map(({ id }) => id)).toEqual([second.id, first.id]);
    expect(letters[1]).toMatchObject({
      payload: { imageId: first.imageId },
      error: { code: "image_undecodable", message: "It is no picture." },
      attempts: 1,
      attemptsMax: ingestImage.attemptsMax,
      leaseLosses: 0,
    });
    expect(letters[1]?.events.map(({ event, sequence }) => [event, sequence])).toEqual([
      ["job.queued", 1],
      ["job.started", 2],
      ["job.failed", 3],
    ]);
    expect((await list(house.alice, "?code=upstream_failed")).map(({ id }) => id)).toEqual([second.id]);
    expect(await list(house.alice, "?kind=images.fill-space")).toEqual([]);
  });

  test("are walked in pages, each once, while others are tried again", async () => {
    const all: string[] = [];
    for (let index = 0; index < 5; index++) all.push((await addFailed()).id);
    const seen: string[] = [];
    for (let cursor = ""; ; ) {
      const page = await house.call(house.alice, "GET", `/jobs/dead-letters?limit=2${cursor}`);
      seen.push(...page.body.items.map((item: { id: string }) => item.id));
      if (seen.length === 2) await house.call(house.alice, "POST", `/jobs/${seen[0]}/retry`);
      if (page.body.nextCursor === null) break;
      cursor = `&cursor=${page.body.nextCursor}`;
    }
    expect(seen).toEqual(all.toReversed());
  });

  test("are the caller's own; admins and the secret key see everyone's, or one user's", async () => {
    const [alices, bobs, houses] = [await addFailed(), await addFailed(house.bob), await addFailed(null)];
    const ids = async (who: Who, query = "") => (await list(who, query)).map(({ id }) => id).toSorted();
    const all = [alices.id, bobs.id, houses.id].toSorted();
    expect(await ids(house.alice, "?scope=all")).toEqual([alices.id]);
    expect(await ids("secret")).toEqual([houses.id]);
    expect(await ids("secret", "?scope=all")).toEqual(all);
    expect(await ids(house.admin, "?scope=all")).toEqual(all);
    expect(await ids(house.admin, `?ownerId=${house.bob.id}`)).toEqual([bobs.id]);
    expect(await ids(house.alice, `?ownerId=${house.alice.id}`)).toEqual([alices.id]);
    const refused = await house.call(house.alice, "GET", `/jobs/dead-letters?ownerId=${house.bob.id}`);
    expect([refused.status, refused.body.code]).toEqual([403, "forbidden"]);
  });

  test("are tried again many at a time, the oldest first; what is refused says why and holds up no other", async () => {
    const blocked = await addFailed(house.alice, { uniqueKey: "held" });
    await addJob(house.sql, ingestImage, {
      payload: { imageId: createId() },
      ownerId: house.alice.id,
      uniqueKey: "held",
    });
    const oldest = await addFailed(house.bob);
    const other = await addFailed(null, { code: "upstream_failed" });
    await addFailed();
    const answer = await sendJson(house.admin, "POST", "/jobs/dead-letters/redrives", {
      limit: 2,
      code: "image_undecodable",
    });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toEqual({
      retried: 1,
      refused: [{ id: blocked.id, code: "conflict", message: expect.stringContaining("open") }],
      left: 1,
    });
    expect((await house.call("secret", "GET", `/jobs/${oldest.id}`)).body.state).toBe("queued");
    expect(await imageOf(oldest.imageId)).toEqual({ state: "processing", errorCode: null });
    const byId = await sendJson("secret", "POST", "/jobs/dead-letters/redrives", {
      ids: [other.id, createId()],
    });
    expect(byId.body).toEqual({ retried: 1, refused: [], left: 0 });
  });

  test.each([
    [{ limit: 1001 }, "body.limit"],
    [{ limit: 0 }, "body.limit"],
    [{ ids: [] }, "body.ids"],
    [{ ids: ["x"] }, "body.ids.0"],
    [{ everything: true }, "body"],
  ])("that are asked for wrongly are refused: %j", async (body, field) => {
    const answer = await sendJson("secret", "POST", "/jobs/dead-letters/redrives", body);
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, field]);
  });
});

describe("a job added by hand", () => {
  const added = () => ({ kind: "images.ingest-image", payload: { imageId: createId() } });
  const count = async () => (await house.sql`select from parlance.jobs`).length;

  test("is the house's or a user's, and waits as long as it is told", async () => {
    const ofHouse = await sendJson("secret", "POST", "/jobs", added());
    expect([ofHouse.status, Job.parse(ofHouse.body).ownerId]).toEqual([202, null]);
    const subjectId = createId();
    const ofAlice = await sendJson(house.admin, "POST", "/jobs", {
      ...added(),
      ownerId: house.alice.id,
      subjectId,
      delaySeconds: 3600,
    });
    expect(Job.parse(ofAlice.body)).toMatchObject({
      ownerId: house.alice.id,
      subjectId,
      state: "queued",
      lane: "bulk",
    });
    expect(Date.parse(ofAlice.body.runAfter) - Date.parse(ofAlice.body.createdAt)).toBe(3_600_000);
  });

  test("is one however often it is sent with its key, also when the answer to the first was lost", async () => {
    const body = added();
    const headers = { "idempotency-key": "the-same" };
    const first = await sendJson("secret", "POST", "/jobs", body, headers);
    const again = await sendJson("secret", "POST", "/jobs", body, headers);
    expect([again.body.id, again.headers.get("idempotency-replayed")]).toEqual([first.body.id, "true"]);
    // A crash after the commit: nothing was kept of the first.
    await house.sql`delete from parlance.idempotency_keys`;
    const afterCrash = await sendJson("secret", "POST", "/jobs", body, headers);
    expect([afterCrash.status, afterCrash.body.id]).toEqual([202, first.body.id]);
    expect(await count()).toBe(1);
    const other = await sendJson(house.admin, "POST", "/jobs", body, headers);
    expect(other.body.id).not.toBe(first.body.id);
  });

  test("of a unique key is the open one, or replaces what that one does", async () => {
    const [first, second] = [added(), added()];
    const one = await sendJson("secret", "POST", "/jobs", { ...first, uniqueKey: "k" });
    const same = await sendJson("secret", "POST", "/jobs", { ...second, uniqueKey: "k" });
    expect(same.body.id).toBe(one.body.id);
    const replaced = await sendJson("secret", "POST", "/jobs", {
      ...second,
      uniqueKey: "k",
      onOpen: "replace",
    });
    expect(replaced.body.id).toBe(one.body.id);
    expect((await claim(one.body.id)).payload).toEqual(second.payload);
  });

  test("may wait for a year, and does", async () => {
    const delaySeconds = 365 * 86_400;
    const answer = await sendJson("secret", "POST", "/jobs", { ...added(), delaySeconds });
    const { runAfter, createdAt } = Job.parse(answer.body);
    expect(Date.parse(runAfter) - Date.parse(createdAt)).toBe(delaySeconds * 1000);
  });

  test.each([
    ["an unknown kind", { kind: "no.such-kind" }, "body.kind"],
    ["a payload that does not fit", { payload: { imageId: "x" } }, "body.payload.imageId"],
    ["a user who is none", { ownerId: createId() }, "body.ownerId"],
    ["a key too long", { uniqueKey: "k".repeat(201) }, "body.uniqueKey"],
    ["a rule without a key", { onOpen: "replace" }, "body.onOpen"],
    ["a wait below zero", { delaySeconds: -1 }, "body.delaySeconds"],
    ["a wait of more than a year", { delaySeconds: 365 * 86_400 + 1 }, "body.delaySeconds"],
    ["a wait without end", { delaySeconds: 1e300 }, "body.delaySeconds"],
    ["a field too many", { lane: "interactive" }, "body"],
  ])("with %s is refused, and the field named", async (_what, changes, field) => {
    const answer = await sendJson("secret", "POST", "/jobs", { ...added(), ...changes });
    expect([answer.status, answer.body.code, answer.body.errors[0]?.field]).toEqual([
      400,
      "invalid_request",
      field,
    ]);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await count()).toBe(0);
  });

  test("beyond a limit is refused with the time after which to ask again", async () => {
    const ownerId = house.alice.id;
    expect((await sendJson("secret", "PUT", `/jobs/shares/${ownerId}`, { queuedMax: 1 })).status).toBe(200);
    expect((await sendJson("secret", "POST", "/jobs", { ...added(), ownerId })).status).toBe(202);
    const refused = await sendJson("secret", "POST", "/jobs", { ...added(), ownerId });
    expect([refused.status, refused.body.code]).toEqual([429, "quota_exceeded"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect((await sendJson("secret", "POST", "/jobs", { ...added(), ownerId: house.bob.id })).status).toBe(
      202,
    );
  });
});

describe("shares", () => {
  test("are set whole, shown, listed and taken back", async () => {
    const path = `/jobs/shares/${house.alice.id}`;
    const defaults = {
      ownerId: house.alice.id,
      weight: 1,
      queuedMax: null,
      runningMax: null,
      updatedAt: null,
    };
    expect((await house.call(house.admin, "GET", path)).body).toEqual(defaults);
    const put = await sendJson(house.admin, "PUT", path, { weight: 2.5, runningMax: 3 });
    expect([put.status, put.body]).toMatchObject([200, { weight: 2.5, queuedMax: null, runningMax: 3 }]);
    expect((await house.call("secret", "GET", path)).body).toEqual(put.body);
    expect((await house.call(house.alice, "GET", "/jobs/shares/me")).body).toEqual(put.body);
    expect((await house.call(house.bob, "GET", "/jobs/shares/me")).body).toEqual({
      ...defaults,
      ownerId: house.bob.id,
    });
    const again = await sendJson(house.admin, "PUT", path, { queuedMax: 10 });
    expect(again.body).toMatchObject({ weight: 1, queuedMax: 10, runningMax: null });
    await sendJson(house.admin, "PUT", `/jobs/shares/${house.bob.id}`, {});
    const owners = [house.alice.id, house.bob.id].toSorted();
    const first = await house.call("secret", "GET", "/jobs/shares?limit=1");
    const rest = await house.call("secret", "GET", `/jobs/shares?limit=1&cursor=${first.body.nextCursor}`);
    expect([first, rest].map(({ body }) => body.items[0].ownerId)).toEqual(owners);
    expect(rest.body.nextCursor).toBeNull();
    expect((await house.call(house.admin, "DELETE", path)).status).toBe(204);
    expect((await house.call(house.admin, "DELETE", path)).status).toBe(404);
    expect((await house.call(house.admin, "GET", path)).body).toEqual(defaults);
  });

  test.each([
    [{ weight: 0 }, "body.weight"],
    [{ weight: 101 }, "body.weight"],
    [{ queuedMax: 0 }, "body.queuedMax"],
    [{ queuedMax: 1e15 }, "body.queuedMax"],
    [{ runningMax: 10_001 }, "body.runningMax"],
    [{ runningMax: 1.5 }, "body.runningMax"],
    [{ weigth: 2 }, "body"],
  ])("out of bounds are refused: %j", async (body, field) => {
    const answer = await sendJson("secret", "PUT", `/jobs/shares/${house.alice.id}`, body);
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, field]);
  });

  test("of nobody are not there", async () => {
    expect((await sendJson("secret", "PUT", `/jobs/shares/${createId()}`, {})).status).toBe(404);
  });
});

describe("figures", () => {
  const stats = async (who: Who): Promise<JobStats> => {
    const answer = await house.call(who, "GET", "/jobs/stats");
    expect(answer.status, answer.text).toBe(200);
    return JobStats.parse(answer.body);
  };

  test("tell what waits, runs and ended by kind and lane: of everyone's jobs, or of one's own", async () => {
    const done = await addJob(house.sql, ingestImage, {
      payload: { imageId: createId() },
      ownerId: house.alice.id,
    });
    await completeJobs(house.sql, [{ ...(await claim(done)), result: {} }]);
    await addFailed();
    await addFailed(house.bob);
    const running = await addJob(house.sql, ingestImage, {
      payload: { imageId: createId() },
      ownerId: house.alice.id,
    });
    await claim(running);
    await house.sql`update parlance.jobs set lease_losses = 2 where id = ${running}`;
    const add = (ownerId: string | null, delaySeconds: number) =>
      addJob(house.sql, ingestImage, { payload: { imageId: createId() }, ownerId, delaySeconds });
    await add(house.alice.id, 0);
    await add(house.alice.id, 600);
    await add(null, 0);
    const own = {
      kind: "images.ingest-image",
      lane: "bulk",
      queued: 1,
      delayed: 1,
      running: 1,
      deadLetters: 1,
      ended: { done: 1, failed: 1, cancelled: 0 },
      endedPerMinute: 2 / 60,
      leaseLosses: 2,
    };
    const alices = await stats(house.alice);
    expect(alices.items).toMatchObject([own]);
    expect(alices.windowSeconds).toBe(3600);
    expect(alices.items[0]?.oldestWaitSeconds).toBeGreaterThanOrEqual(0);
    expect(alices.items[0]?.waitSeconds?.p50).toBeGreaterThanOrEqual(0);
    const everyone = {
      ...own,
      queued: 2,
      deadLetters: 2,
      ended: { done: 1, failed: 2, cancelled: 0 },
      endedPerMinute: 3 / 60,
    };
    expect((await stats("secret")).items).toMatchObject([everyone]);
    expect((await stats(house.admin)).items).toMatchObject([everyone]);
  });
});

describe("whoever may not", () => {
  const adminPaths = [
    ["POST", "/jobs"],
    ["POST", "/jobs/dead-letters/redrives"],
    ["GET", "/jobs/shares"],
    ["GET", "/jobs/shares/00000000-0000-4000-8000-000000000000"],
    ["PUT", "/jobs/shares/00000000-0000-4000-8000-000000000000"],
    ["DELETE", "/jobs/shares/00000000-0000-4000-8000-000000000000"],
  ] as const;

  test.each(adminPaths)("a user is refused %s %s, whatever they send", async (method, path) => {
    const init = method === "GET" ? {} : { body: "{", headers: { "content-type": "application/json" } };
    expect((await house.call(house.alice, method, path, init)).status).toBe(403);
    for (const who of ["nobody", "publishable"] as const) {
      expect((await house.call(who, method, path, init)).status).toBe(401);
    }
  });

  test.each(["/jobs/dead-letters", "/jobs/stats", "/jobs/changes", "/jobs/shares/me"])(
    "nobody reads %s",
    async (path) => {
      for (const who of ["nobody", "publishable"] as const) {
        expect((await house.call(who, "GET", path)).status).toBe(401);
      }
    },
  );

  test("another's job is not there, on any of its paths, and stays as it is", async () => {
    const { id } = await addFailed();
    const paths = [
      ["GET", `/jobs/${id}`],
      ["GET", `/jobs/${id}/events`],
      ["POST", `/jobs/${id}/retry`],
      ["POST", `/jobs/${id}/cancellation`],
    ] as const;
    for (const [method, path] of paths) {
      const [theirs, none] = [
        await house.call(house.bob, method, path),
        await house.call(house.bob, method, path.replace(id, createId())),
      ];
      expect([theirs.status, theirs.body.code, theirs.body.detail]).toEqual([
        404,
        "not_found",
        none.body.detail,
      ]);
    }
    expect((await house.call(house.alice, "GET", `/jobs/${id}`)).body.state).toBe("failed");
  });

  test.each([
    "/jobs/changes?limit=501",
    "/jobs/changes?limit=1e9",
    "/jobs/changes?limit=-1",
    "/jobs/dead-letters?limit=99999999999999999999",
    "/jobs/dead-letters?ownerId=1",
    `/jobs/dead-letters?kind=${"k".repeat(65)}`,
    "/jobs/not-an-id",
  ])("numbers and ids out of bounds are refused: %s", async (path) => {
    expect((await house.call(house.alice, "GET", path)).status).toBe(400);
  });

  test.each(["x", btoa('{"finishedAt":"now()","id":"1"}'), btoa('{"finishedAt":"2026-01-01T00:00:00Z"}')])(
    "a cursor that nobody gave is refused: %s",
    async (cursor) => {
      const answer = await house.call(
        house.alice,
        "GET",
        `/jobs/dead-letters?cursor=${encodeURIComponent(cursor)}`,
      );
      expect([answer.status, answer.body.code]).toEqual([400, "invalid_cursor"]);
    },
  );
});
