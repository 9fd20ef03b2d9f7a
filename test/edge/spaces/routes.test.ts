import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createId } from "../../../shared/ids.ts";
import { EmbeddingSpace } from "../../../shared/images/space-contract.ts";
import { compareSpaces, fillSpace } from "../../../shared/images/space-kinds.ts";
import type { TestAnswer, Who } from "../../helpers/app.ts";
import { openRig, type Rig, refusal, vectorAt } from "../images/rig.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

beforeEach(async () => {
  await rig.sql`delete from parlance.workers`;
  await rig.sql`delete from parlance.images`;
  await rig.sql`delete from parlance.jobs`;
  await rig.sql`select parlance.switch_embedding_space(1::smallint)`;
  const others = await rig.sql<{ id: number }[]>`select id from parlance.embedding_spaces where id <> 1`;
  for (const { id } of others) await rig.sql`select parlance.drop_embedding_space(${id}::smallint)`;
});

const send = (who: Who, method: string, path: string, body?: unknown): Promise<TestAnswer> =>
  body === undefined ? rig.call(who, method, path) : rig.sendJson(who, method, path, body);

const palette = { model: "palette", modelDigest: "built-in", dimensions: 128 };

async function addSpace(name = "second", more: object = {}): Promise<EmbeddingSpace> {
  const answer = await send("secret", "POST", "/spaces", { ...palette, name, ...more });
  expect(answer.status, answer.text).toBe(201);
  return EmbeddingSpace.parse(answer.body);
}

async function getSpace(id: number): Promise<EmbeddingSpace> {
  return EmbeddingSpace.parse((await send("secret", "GET", `/spaces/${id}`)).body);
}

/** A sidecar that is seen with this model. */
async function offer(model = "palette"): Promise<void> {
  await rig.sql`
    insert into parlance.workers (id, runner, device, provider, kinds, models)
    values (${createId()}, 'sidecar', 'test', 'test', '{images.embed-query}', ${[model]}::text[])
  `;
}

/** Gives every picture a vector in the space, without a sidecar. */
async function fillBySql(id: number): Promise<void> {
  await rig.sql`
    insert into parlance.image_vectors (space_id, image_id, owner_id, is_public, embedding)
    select ${id}, images.id, owner_id, is_public, ${JSON.stringify(vectorAt(90))}::text::extensions.vector
    from parlance.images
    on conflict do nothing
  `;
}

const listJobs = () =>
  rig.sql<{ id: string; kind: string; state: string; model: string | null; payload: unknown }[]>`
    select id, kind, state, model, payload from parlance.jobs order by created_at, id
  `;

describe("who may", () => {
  const requests: [string, string, unknown?][] = [
    ["GET", "/spaces"],
    ["GET", "/spaces/1"],
    ["GET", "/spaces/99"],
    ["GET", "/spaces/none"],
    ["POST", "/spaces", { ...palette, name: "mine" }],
    ["POST", "/spaces", { nonsense: true }],
    ["POST", "/spaces/1/fills"],
    ["POST", "/spaces/99/fills"],
    ["POST", "/spaces/1/comparisons", { queries: -1 }],
    ["PUT", "/spaces/current", { spaceId: 1 }],
    ["DELETE", "/spaces/1"],
  ];
  test.each(requests)(
    "%s %s is for admins: others learn nothing, whatever they send",
    async (method, path, body) => {
      expect(refusal(await send(rig.alice, method, path, body))).toEqual([403, "forbidden"]);
      expect(refusal(await send("publishable", method, path, body))).toEqual([401, "unauthenticated"]);
      expect(refusal(await send("nobody", method, path, body))).toEqual([401, "unauthenticated"]);
      expect(await listJobs()).toEqual([]);
    },
  );

  test("an admin may what the secret key may", async () => {
    const { status, body } = await send(rig.admin, "POST", "/spaces", { ...palette, name: "second" });
    expect(status).toBe(201);
    expect((await send(rig.admin, "GET", "/spaces")).body.items).toHaveLength(2);
    expect((await send(rig.admin, "POST", `/spaces/${body.id}/fills`)).status).toBe(202);
    expect((await send(rig.admin, "DELETE", `/spaces/${body.id}`)).status).toBe(204);
  });
});

describe("a space", () => {
  test("is empty when it is added, and neither searches nor is kept complete", async () => {
    await rig.addReady();
    expect(await addSpace("second")).toMatchObject({
      ...palette,
      name: "second",
      isCurrent: false,
      isMaintained: false,
      isOffered: false,
      pictures: 1,
      vectors: 0,
      missing: 1,
      calibration: null,
      fill: null,
      switchedAt: null,
    });
    const { items } = (await send("secret", "GET", "/spaces")).body;
    expect(items.map((space: EmbeddingSpace) => [space.name, space.isCurrent, space.missing])).toEqual([
      ["palette", true, 0],
      ["second", false, 1],
    ]);
  });

  test("takes the name of its model where none is given", async () => {
    const answer = await send("secret", "POST", "/spaces", { ...palette, model: "other" });
    expect(answer.body).toMatchObject({ name: "other", model: "other" });
  });

  test("counts only what is ready", async () => {
    await rig.addReady();
    await rig.sql`
      insert into parlance.images (id, owner_id, name, state) values (${createId()}, ${rig.alice.id}, 'x', 'processing')
    `;
    expect(await getSpace(1)).toMatchObject({ pictures: 1, vectors: 1, missing: 0 });
  });

  test("tells whether a sidecar has its model, and from which score on a hit is a match", async () => {
    await offer();
    await rig.sql`
      update parlance.embedding_spaces
      set calibration = '{"threshold": 0.5, "falsePositiveRate": 0.01, "measuredAt": "2026-01-01T00:00:00Z", "pairs": 7}'
      where id = 1
    `;
    const space = await getSpace(1);
    await rig.sql`update parlance.embedding_spaces set calibration = null`;
    expect(space.isOffered).toBe(true);
    expect(space.calibration).toEqual({
      threshold: 0.5,
      falsePositiveRate: 0.01,
      measuredAt: "2026-01-01T00:00:00Z",
    });
  });

  test.each([
    [{ model: "Palette" }, "body.model", /a-z, 0-9/],
    [{ model: "../etc" }, "body.model", /a-z, 0-9/],
    [{ name: "x".repeat(65) }, "body.name", /1 to 64/],
    [{ modelDigest: "" }, "body.modelDigest", /./],
    [{ modelDigest: "x".repeat(101) }, "body.modelDigest", /100/],
    [{ dimensions: 0 }, "body.dimensions", /1/],
    [{ dimensions: 2001 }, "body.dimensions", /2000/],
    [{ dimensions: 1.5 }, "body.dimensions", /int/],
  ])("is refused with %o, naming field and limit", async (wrong, field, message) => {
    const answer = await send("secret", "POST", "/spaces", { ...palette, name: "second", ...wrong });
    expect(refusal(answer)).toEqual([400, "invalid_request"]);
    expect(answer.body.errors).toEqual([{ field, message: expect.stringMatching(message) }]);
    expect((await send("secret", "GET", "/spaces")).body.items).toHaveLength(1);
  });

  test("is refused where its name is taken, and where a field is unknown", async () => {
    const taken = await send("secret", "POST", "/spaces", { ...palette });
    expect(refusal(taken)).toEqual([409, "name_taken"]);
    expect(taken.body.errors[0].field).toBe("body.name");
    expect(refusal(await send("secret", "POST", "/spaces", { ...palette, isCurrent: true }))).toEqual([
      400,
      "invalid_request",
    ]);
  });

  test.each([
    ["GET", "/spaces/99"],
    ["POST", "/spaces/99/fills"],
    ["POST", "/spaces/99/comparisons"],
    ["DELETE", "/spaces/99"],
    ["PUT", "/spaces/current", { spaceId: 99 }],
  ])("%s %s: there is none", async (method, path, body?: unknown) => {
    expect(refusal(await send("secret", method, path, body))).toEqual([404, "not_found"]);
  });

  test.each(["0", "-1", "1.5", "x", "32768"])("has no number %s", async (id) => {
    expect(refusal(await send("secret", "GET", `/spaces/${id}`))).toEqual([400, "invalid_request"]);
  });
});

describe("a fill", () => {
  test("is a job of the house for who has the model, and the space is kept complete from then on", async () => {
    const { id } = await addSpace("second", { model: "rare", dimensions: 3 });
    const answer = await send("secret", "POST", `/spaces/${id}/fills`);
    expect(answer.status).toBe(202);
    expect(await listJobs()).toEqual([
      {
        id: answer.body.job.id,
        kind: fillSpace.name,
        state: "queued",
        model: "rare",
        payload: { spaceId: id },
      },
    ]);
    expect(await getSpace(id)).toMatchObject({
      isMaintained: true,
      fill: { id: answer.body.job.id, state: "queued", progress: { done: 0, total: null } },
    });
  });

  test("is one at a time", async () => {
    const { id } = await addSpace();
    const first = await send("secret", "POST", `/spaces/${id}/fills`);
    expect((await send("secret", "POST", `/spaces/${id}/fills`)).body).toEqual(first.body);
    expect(await listJobs()).toHaveLength(1);
  });

  test("that is cancelled also ends the keeping, but not for the space that searches", async () => {
    const { id } = await addSpace();
    for (const space of [id, 1]) {
      const { body } = await send("secret", "POST", `/spaces/${space}/fills`);
      expect((await send("secret", "POST", `/jobs/${body.job.id}/cancellation`)).body.state).toBe(
        "cancelled",
      );
    }
    expect(await getSpace(id)).toMatchObject({ isMaintained: false, fill: null });
    expect(await getSpace(1)).toMatchObject({ isMaintained: true, fill: null });
  });
});

describe("a comparison", () => {
  test("is a job for who has the other model", async () => {
    const { id } = await addSpace("second", { model: "rare", dimensions: 3 });
    const { status, body } = await send("secret", "POST", `/spaces/${id}/comparisons`, { queries: 7 });
    expect(status).toBe(202);
    expect(await listJobs()).toEqual([
      {
        id: body.job.id,
        kind: compareSpaces.name,
        state: "queued",
        model: "rare",
        payload: { spaceId: id, queriesMax: 7 },
      },
    ]);
  });

  test("asks 200 queries where nothing is said", async () => {
    const { id } = await addSpace();
    expect((await send("secret", "POST", `/spaces/${id}/comparisons`)).status).toBe(202);
    expect((await listJobs())[0]?.payload).toEqual({ spaceId: id, queriesMax: 200 });
  });

  test("is not of the space with itself, nor of too many queries", async () => {
    expect(refusal(await send("secret", "POST", "/spaces/1/comparisons", {}))).toEqual([409, "conflict"]);
    const { id } = await addSpace();
    for (const queries of [0, 1001, 1.5, "7"]) {
      const answer = await send("secret", "POST", `/spaces/${id}/comparisons`, { queries });
      expect(refusal(answer)).toEqual([400, "invalid_request"]);
      expect(answer.body.errors[0].field).toBe("body.queries");
    }
  });
});

describe("a switch", () => {
  const switchTo = (spaceId: number, more: object = {}) =>
    send("secret", "PUT", "/spaces/current", { spaceId, ...more });

  test("makes another space the one that searches, keeps the former complete, and can be taken back", async () => {
    await rig.addReady();
    await offer();
    const { id } = await addSpace();
    await fillBySql(id);
    const there = await switchTo(id);
    expect(there.status, there.text).toBe(200);
    expect(there.body).toMatchObject({ id, isCurrent: true, isMaintained: true });
    expect(await getSpace(1)).toMatchObject({ isCurrent: false, isMaintained: true });
    expect((await switchTo(1)).body).toMatchObject({ id: 1, isCurrent: true });
    expect(await getSpace(id)).toMatchObject({ isCurrent: false, isMaintained: true });
    expect(await listJobs()).toEqual([]);
  });

  test("to the space that searches changes nothing", async () => {
    const before = await getSpace(1);
    expect((await switchTo(1)).body).toEqual(before);
  });

  test("is refused while pictures lack vectors, saying what to do; forced, the rest is filled in", async () => {
    await rig.addReady();
    await offer();
    const { id } = await addSpace();
    const refused = await switchTo(id);
    expect(refusal(refused)).toEqual([409, "conflict"]);
    expect(refused.body.detail).toContain(`1 of 1 pictures`);
    expect(refused.body.detail).toContain(`POST /spaces/${id}/fills`);
    expect((await getSpace(1)).isCurrent).toBe(true);
    expect((await switchTo(id, { force: true })).body).toMatchObject({ isCurrent: true, missing: 1 });
    expect(await listJobs()).toMatchObject([{ kind: fillSpace.name, payload: { spaceId: id } }]);
  });

  test("is refused while no sidecar has the model; forced, it is done", async () => {
    const { id } = await addSpace("second", { model: "rare" });
    await offer("palette");
    const refused = await switchTo(id);
    expect(refusal(refused)).toEqual([409, "conflict"]);
    expect(refused.body.detail).toContain(`"rare"`);
    expect((await switchTo(id, { force: true })).body.isCurrent).toBe(true);
  });

  test.each([{}, { spaceId: "2" }, { spaceId: 0 }, { spaceId: 1, force: "yes" }, { spaceId: 1, to: 2 }])(
    "with %o is refused",
    async (body) => {
      expect(refusal(await send("secret", "PUT", "/spaces/current", body))).toEqual([400, "invalid_request"]);
    },
  );
});

describe("a drop", () => {
  test("takes the space, its vectors and its jobs away, and its number is never given again", async () => {
    await rig.addReady();
    const { id } = await addSpace();
    await fillBySql(id);
    await send("secret", "POST", `/spaces/${id}/fills`);
    await send("secret", "POST", `/spaces/${id}/comparisons`);
    expect((await send("secret", "DELETE", `/spaces/${id}`)).status).toBe(204);
    expect(refusal(await send("secret", "GET", `/spaces/${id}`))).toEqual([404, "not_found"]);
    expect((await listJobs()).map(({ state }) => state)).toEqual(["cancelled", "cancelled"]);
    const spaces = await rig.sql`select distinct space_id from parlance.image_vectors`;
    expect(spaces).toEqual([{ spaceId: 1 }]);
    expect((await addSpace()).id).toBeGreaterThan(id);
  });

  test("of the space that searches is refused, forced or not", async () => {
    for (const path of ["/spaces/1", "/spaces/1?force=true"]) {
      expect(refusal(await send("secret", "DELETE", path))).toEqual([409, "conflict"]);
    }
    expect((await getSpace(1)).isCurrent).toBe(true);
  });

  test("of one that has just searched is refused unless it is forced", async () => {
    const { id } = await addSpace();
    await send("secret", "PUT", "/spaces/current", { spaceId: id, force: true });
    await send("secret", "PUT", "/spaces/current", { spaceId: 1, force: true });
    const refused = await send("secret", "DELETE", `/spaces/${id}`);
    expect(refusal(refused)).toEqual([409, "conflict"]);
    expect(refused.body.detail).toMatch(/within the last hour/);
    expect((await send("secret", "DELETE", `/spaces/${id}?force=true`)).status).toBe(204);
  });

  test("of one that ceased to search an hour ago is not refused", async () => {
    const { id } = await addSpace();
    await rig.sql`update parlance.embedding_spaces set switched_at = now() - interval '61 minutes' where id = ${id}`;
    expect((await send("secret", "DELETE", `/spaces/${id}`)).status).toBe(204);
  });
});

// Locks of two sessions: PGlite has one.
describe.runIf(process.env.TEST_DATABASE_URL)("while someone holds the tables", () => {
  test("for a moment, a space is added and dropped all the same; for long, it is unavailable and nothing is done", async () => {
    const held = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const holding = rig.sql.begin(async (transaction) => {
      await transaction`select from parlance.image_vectors limit 1`;
      held.resolve();
      await release.promise;
    });
    await held.promise;
    const refused = await send("secret", "POST", "/spaces", { ...palette, name: "second" });
    expect(refusal(refused)).toEqual([503, "unavailable"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const adding = addSpace();
    release.resolve();
    await holding;
    const { id } = await adding;
    expect((await send("secret", "DELETE", `/spaces/${id}`)).status).toBe(204);
  });
});
