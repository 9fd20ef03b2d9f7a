import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest";
import {
  type Answer,
  ApiProblem,
  type Client,
  createClient,
  followJob,
  type Job,
  type JobEvent,
  unwrap,
} from "../../edge/client.ts";
import type { AcceptedImage, SearchPage, StartedUpload } from "../../shared/images/contract.ts";
import type { JobDetail } from "../../shared/jobs/following.ts";
import { openTestApp, type TestApp } from "../helpers/app.ts";
import { drawPicture } from "../http/pictures.ts";

let house: TestApp;
let alice: Client;
let stranger: Client;
beforeAll(async () => {
  house = await openTestApp();
  await house.deps.objects.ensureBucket();
  alice = connect({ accessToken: async () => house.alice.token });
  stranger = connect({});
});
afterAll(() => house.close());

interface Seen {
  url: string;
  init: RequestInit;
}
const seen: Seen[] = [];

/** A client of the app in this process; what it sends is kept. */
function connect(settings: { accessToken?: () => Promise<string> }): Client {
  return createClient({
    url: "http://parlance.test/",
    publishableKey: house.keys.publishableKey,
    ...settings,
    fetch: async (input, init = {}) => {
      seen.push({ url: String(input), init });
      return house.app.request(String(input).replace("http://parlance.test/functions/v1", ""), init);
    },
  });
}

/** A client of something that answers like this, whatever it is asked. */
function connectTo(answer: (init: RequestInit) => Response | Promise<Response>, timeoutMs?: number): Client {
  return createClient({
    url: "http://parlance.test",
    publishableKey: "sb_publishable_x",
    ...(timeoutMs ? { timeoutMs } : {}),
    fetch: async (_input, init = {}) => answer(init),
  });
}

const drawForm = async (name: string) => {
  const bytes = new Uint8Array(await drawPicture("teal", name.length));
  return { file: new Blob([bytes], { type: "image/jpeg" }), name };
};

async function failureOf(asked: Promise<unknown>): Promise<ApiProblem> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiProblem)) throw new Error("no ApiProblem was thrown", { cause: error });
  return error;
}

type ResponseOf<Route extends (...given: never[]) => unknown> = Awaited<ReturnType<Route>>;

describe("the types", () => {
  test("a search takes its own fields and answers a page of hits", () => {
    type Search = Client["images"]["search"]["$get"];
    type Query = NonNullable<NonNullable<Parameters<Search>[0]>["query"]>;
    expectTypeOf<Query["q"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<Query["limit"]>().toEqualTypeOf<string | number | undefined>();
    expectTypeOf<Answer<ResponseOf<Search>>>().toEqualTypeOf<SearchPage>();
  });

  test("an upload takes a form with a file or the announcement of one, and each has its own answer", () => {
    type Response = ResponseOf<Client["images"]["$post"]>;
    expectTypeOf<Answer<Response, 201>>().toEqualTypeOf<StartedUpload>();
    expectTypeOf<Answer<Response, 202>>().toEqualTypeOf<AcceptedImage>();
    expectTypeOf<Answer<ResponseOf<Client["images"][":id"]["$delete"]>>>().toEqualTypeOf<undefined>();
  });

  test("a job is the job of the contract", () => {
    expectTypeOf<Job>().toEqualTypeOf<JobDetail>();
    expectTypeOf<JobEvent["event"]>().toExtend<`job.${string}`>();
  });

  test("what no route takes is no TypeScript", () => {
    // Never called: the compiler reads it.
    const wrong = async () => {
      // @ts-expect-error: a search by a picture without one
      await alice.images.search.$post({ form: {} });
      // @ts-expect-error: no such field
      await alice.images.search.$get({ query: { q: "sea", flavour: "salty" } });
      // @ts-expect-error: no such colour
      await alice.images.search.$get({ query: { q: "sea", colour: ["bleu"] } });
      // @ts-expect-error: no such scope
      await alice.images.search.$get({ query: { q: "sea", scope: "mine" } });
      // @ts-expect-error: an id is text
      await alice.images[":id"].$get({ param: { id: 7 } });
      // @ts-expect-error: a form holds a file
      await alice.images.$post({ form: { name: "sea" } });
      // @ts-expect-error: a picture has no such field
      await alice.images[":id"].$patch({ param: { id: "x" }, json: { flavour: "sour" } });
      // @ts-expect-error: no such method
      await alice.images.search.$put({});
      // @ts-expect-error: no such path
      await alice.pictures.$get();
      // @ts-expect-error: a page of hits has no such field
      (await unwrap(alice.images.search.$get({ query: { q: "sea" } }))).hits;
      // @ts-expect-error: this route does not answer 201
      await unwrap(alice.images.search.$get({ query: { q: "sea" } }), 201);
      // @ts-expect-error: one key, not two
      createClient({ url: "", publishableKey: "a", secretKey: "b" });
      // @ts-expect-error: a key there must be
      createClient({ url: "" });
    };
    expect(wrong).toBeInstanceOf(Function);
  });
});

describe("asking", () => {
  test("a picture is added, shown, changed, listed, found and deleted", async () => {
    const { image, job } = await unwrap(alice.images.$post({ form: await drawForm("cove.jpg") }), 202);
    expect(image).toMatchObject({ name: "cove.jpg", state: "processing" });
    const param = { id: image.id };
    await unwrap(alice.images[":id"].$patch({ param, json: { keywords: ["cove"] } }));
    expect((await unwrap(alice.images[":id"].$get({ param }))).keywords).toEqual(["cove"]);
    const page = await unwrap(alice.images.$get({ query: { name: "cove.jpg", limit: 1 } }));
    expect(page.items.map(({ id }) => id)).toEqual([image.id]);
    expect((await unwrap(alice.jobs[":id"].$get({ param: job }))).subjectId).toBe(image.id);
    const search = await unwrap(alice.images.search.$get({ query: { q: "cove", limit: 5 } }));
    expect(search.items).toEqual([]);
    expect(await unwrap(alice.images[":id"].$delete({ param }))).toBeUndefined();
    expect((await failureOf(unwrap(alice.images[":id"].$get({ param })))).code).toBe("not_found");
  });

  test("an announced upload answers where the bytes go", async () => {
    const json = { name: "later.jpg", mediaType: "image/jpeg", sizeBytes: 1_000 };
    const { upload } = await unwrap(alice.images.$post({ json }), 201);
    expect(upload.url).toMatch(/^http/);
    const other = alice.images.$post({ json: { ...json, name: "other.jpg" } });
    await expect(unwrap(other, 202)).rejects.toThrow(ApiProblem);
  });

  test("the key goes with every request, the token of the moment too, and a header of one call", async () => {
    seen.length = 0;
    const headers = { "Idempotency-Key": "once" };
    const form = await drawForm("once.jpg");
    const first = await unwrap(alice.images.$post({ form }, { headers }), 202);
    const second = await unwrap(alice.images.$post({ form }, { headers }), 202);
    expect(second.image.id).toBe(first.image.id);
    const sent = new Headers(seen[0]?.init.headers);
    expect(sent.get("apikey")).toBe(house.keys.publishableKey);
    expect(sent.get("authorization")).toBe(`Bearer ${house.alice.token}`);
    await stranger.images.$get();
    expect(new Headers(seen.at(-1)?.init.headers).has("authorization")).toBe(false);
    expect(seen.at(-1)?.url).toBe("http://parlance.test/functions/v1/api/images");
  });

  test("a field that may stand there several times is given as a list", async () => {
    seen.length = 0;
    await unwrap(alice.images.search.$get({ query: { q: "sea", colour: ["blue", "grey"], limit: 2 } }));
    expect([...new URL(seen[0]?.url ?? "").searchParams]).toEqual([
      ["q", "sea"],
      ["colour", "blue"],
      ["colour", "grey"],
      ["limit", "2"],
    ]);
  });

  test("the secret key may what no user may", async () => {
    const machine = createClient({
      url: "http://parlance.test",
      secretKey: house.keys.secretKey,
      fetch: async (input, init) => house.app.request(new URL(String(input)).pathname.slice(13), init),
    });
    expect((await unwrap(machine.jobs.ticks.$post({ query: { jobsMax: 0 } }))).failed).toBe(0);
    expect((await failureOf(unwrap(alice.jobs.ticks.$post()))).code).toBe("forbidden");
  });

  test("an id leads nowhere else than to its own path", async () => {
    seen.length = 0;
    const response = await alice.images[":id"].$get({ param: { id: "../jobs?x=1#y" } });
    expect(response.status).toBe(400);
    expect(seen[0]?.url).toMatch(/\/api\/images\/\.\.%2Fjobs%3Fx%3D1%23y$/);
    for (const id of ["", ".", ".."]) {
      expect(() => alice.images[":id"].$delete({ param: { id } })).toThrow(TypeError);
    }
    expect(seen).toHaveLength(1);
  });
});

describe("a problem", () => {
  test("says status, code, fields and the id of the request", async () => {
    const problem = await failureOf(
      unwrap(alice.images.search.$get({ query: { q: "sea", limit: 1_000_000 } })),
    );
    expect(problem).toMatchObject({ name: "ApiProblem", status: 400, code: "invalid_request" });
    expect(problem.fields.map(({ field }) => field)).toEqual(["query.limit"]);
    expect(problem.requestId).toMatch(/\S/);
    expect(problem.message).toBe(problem.problem?.detail);
    expect(problem.retryAfterSeconds).toBeUndefined();
  });

  test("says when to try again", async () => {
    const busy = house.withSettings({ RATE_LIMIT_ANONYMOUS: "1" });
    const client = createClient({
      url: "http://parlance.test",
      publishableKey: house.keys.publishableKey,
      fetch: async (input, init) => busy.app.request(new URL(String(input)).pathname.slice(13), init),
    });
    const asked = await Promise.all([1, 2, 3].map(() => client.images.$get()));
    const limited = asked.find(({ status }) => status === 429);
    if (!limited) throw new Error("no request was refused");
    const problem = await failureOf(unwrap(limited));
    expect(problem.code).toBe("rate_limited");
    expect(problem.retryAfterSeconds).toBeGreaterThan(0);
  });

  test("is told apart where something else than the API answered", async () => {
    const page = () =>
      new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "x-request-id": "r1" } });
    const problem = await failureOf(unwrap(connectTo(page).images.$get()));
    expect(problem).toMatchObject({ status: 502, code: "unexpected", requestId: "r1", problem: undefined });
    const broken = () =>
      new Response("{", { status: 500, headers: { "content-type": "application/problem+json" } });
    expect((await failureOf(unwrap(connectTo(broken).images.$get()))).problem).toBeUndefined();
  });
});

test("an answer that does not come ends with the time for it, and with the caller's own signal", async () => {
  const never = ({ signal }: RequestInit) =>
    new Promise<Response>((_resolve, reject) => {
      if (signal?.aborted) reject(signal.reason);
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  await expect(connectTo(never, 20).images.$get()).rejects.toMatchObject({ name: "TimeoutError" });
  const stop = new AbortController();
  const asked = connectTo(never).images.$get({}, { init: { signal: stop.signal } });
  stop.abort(new Error("enough"));
  await expect(asked).rejects.toThrow("enough");
});

describe("following a job", () => {
  const addPicture = async (name: string) =>
    (await unwrap(alice.images.$post({ form: await drawForm(name) }), 202)).job.id;

  test("tells each event once and in order, and returns the job that ended", async () => {
    const id = await addPicture("followed.jpg");
    const events: JobEvent[] = [];
    const followed = followJob(alice, id, {
      pollMs: 1,
      onEvent: (event) => {
        events.push(event);
        if (events.length === 1) void alice.jobs[":id"].cancellation.$post({ param: { id } });
      },
    });
    expect((await followed).state).toBe("cancelled");
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_event, index) => index + 1));
    expect(events.map(({ event }) => event)).toEqual(["job.queued", "job.cancelled"]);
  });

  test("waits as long as it is told to, and no longer than its signal lets it", async () => {
    const id = await addPicture("endless.jpg");
    await expect(followJob(alice, id, { timeoutMs: 30, pollMs: 5 })).rejects.toMatchObject({
      name: "TimeoutError",
    });
    const stop = new AbortController();
    const followed = followJob(alice, id, {
      signal: stop.signal,
      onEvent: () => stop.abort(new Error("seen")),
    });
    await expect(followed).rejects.toThrow("seen");
  });

  test("of someone else is a problem", async () => {
    const id = await addPicture("hers.jpg");
    const bob = connect({ accessToken: async () => house.bob.token });
    expect((await failureOf(followJob(bob, id))).code).toBe("not_found");
  });
});
