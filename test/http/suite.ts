/**
 * What Parlance promises over HTTP, written against base URLs only: the same suite runs on every database and
 * runtime. Pictures are drawn here; users sign up through the Auth of the project under test.
 */
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Image, ImageDetail, SearchPage } from "../../shared/images/contract.ts";
import { Job, JobEvent } from "../../shared/jobs/contract.ts";
import { WebhookWithSecret } from "../../shared/webhooks/contract.ts";
import { drawPicture } from "./pictures.ts";

export interface HttpTarget {
  /** Base of the edge app, for example `http://127.0.0.1:54321/functions/v1/api`. */
  readonly apiUrl: string;
  /** Base of the Supabase project that it works with. */
  readonly supabaseUrl: string;
  readonly publishableKey: string;
  readonly secretKey: string;
  stop(): Promise<void>;
}

interface User {
  readonly id: string;
  readonly token: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes; each test states what it expects of one.
  readonly body: any;
}

type Who = User | "secret" | "publishable" | "nobody";

export function runHttpSuite(name: string, start: () => Promise<HttpTarget>): void {
  describe(`HTTP on ${name}`, () => {
    let target: HttpTarget;
    let alice: User;
    let bob: User;
    let admin: User;
    const mark = crypto.randomUUID().slice(0, 8);

    beforeAll(async () => {
      target = await start();
      [alice, bob] = await Promise.all([signUp("alice"), signUp("bob")]);
      admin = await signUpAdmin();
    }, 120_000);

    afterAll(() => target?.stop());

    function connect(key: string): SupabaseClient {
      return createClient(target.supabaseUrl, key, {
        auth: { persistSession: false, autoRefreshToken: false },
      });
    }

    async function signUp(who: string): Promise<User> {
      const credentials = { email: `${who}-${mark}@example.com`, password: `correct horse ${mark}` };
      const { data, error } = await connect(target.publishableKey).auth.signUp(credentials);
      if (error || !data.session) throw error ?? new Error("no session");
      return { id: data.session.user.id, token: data.session.access_token };
    }

    async function signUpAdmin(): Promise<User> {
      const credentials = { email: `admin-${mark}@example.com`, password: `correct horse ${mark}` };
      await connect(target.secretKey).auth.admin.createUser({
        ...credentials,
        email_confirm: true,
        app_metadata: { role: "admin" },
      });
      const { data, error } = await connect(target.publishableKey).auth.signInWithPassword(credentials);
      if (error) throw error;
      return { id: data.user.id, token: data.session.access_token };
    }

    function credentialsOf(who: Who): Record<string, string> {
      if (who === "nobody") return {};
      if (who === "secret") return { apikey: target.secretKey };
      if (who === "publishable") return { apikey: target.publishableKey };
      return { apikey: target.publishableKey, authorization: `Bearer ${who.token}` };
    }

    async function call(who: Who, method: string, path: string, init: RequestInit = {}): Promise<Answer> {
      const response = await fetch(`${target.apiUrl}${path}`, {
        ...init,
        method,
        headers: { ...credentialsOf(who), ...(init.headers as Record<string, string>) },
        signal: AbortSignal.timeout(15_000),
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get("content-type") ?? "");
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    }

    function sendJson(who: Who, path: string, body: unknown, headers = {}): Promise<Answer> {
      return call(who, "POST", path, {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      });
    }

    async function upload(who: Who, file: Uint8Array, fields: Record<string, string> = {}, headers = {}) {
      const form = new FormData();
      const { fileName = `picture-${crypto.randomUUID()}.jpg`, ...others } = fields;
      form.set("file", new File([file as Uint8Array<ArrayBuffer>], fileName, { type: "image/jpeg" }));
      for (const [field, value] of Object.entries(others)) form.set(field, value);
      return call(who, "POST", "/images", { body: form, headers });
    }

    /** Follows a job to its end over the API, at most 30 s. */
    async function followJob(who: Who, id: string): Promise<Job> {
      const deadline = Date.now() + 30_000;
      for (;;) {
        const job = Job.parse((await call(who, "GET", `/jobs/${id}`)).body);
        if (["done", "failed", "cancelled"].includes(job.state)) return job;
        if (Date.now() > deadline) throw new Error(`job ${id} did not end: ${JSON.stringify(job)}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }

    async function uploadReady(who: Who, colour: string, fields: Record<string, string> = {}) {
      const answer = await upload(who, await drawPicture(colour, Math.floor(Math.random() * 1000)), fields);
      expect(answer.status, JSON.stringify(answer.body)).toBe(202);
      const job = await followJob(who, answer.body.job.id);
      expect(job.state, JSON.stringify(job.error)).toBe("done");
      return ImageDetail.parse((await call(who, "GET", `/images/${answer.body.image.id}`)).body);
    }

    function expectProblem(answer: Answer, status: number, code: string): void {
      expect({ status: answer.status, code: answer.body?.code }, JSON.stringify(answer.body)).toEqual({
        status,
        code,
      });
      expect(answer.headers.get("content-type")).toContain("application/problem+json");
      expect(answer.body.requestId).toBe(answer.headers.get("x-request-id"));
    }

    test("it is alive, ready, and says what it can do", async () => {
      expect((await call("nobody", "GET", "/health")).status).toBe(200);
      const ready = await call("nobody", "GET", "/ready");
      expect(ready.status, JSON.stringify(ready.body)).toBe(200);
      const contract = await call("nobody", "GET", "/openapi.json");
      expect(contract.body.openapi).toBe("3.1.0");
      expect(Object.keys(contract.body.paths).length).toBeGreaterThan(10);
    });

    test("an unknown path is a problem, and so is a wrong method", async () => {
      expectProblem(await call("nobody", "GET", "/nowhere"), 404, "not_found");
      const wrong = await call("nobody", "PUT", "/images");
      expectProblem(wrong, 405, "method_not_allowed");
      expect(wrong.headers.get("allow")).toContain("GET");
    });

    test("a picture sent as a form becomes ready and is found by its colour", async () => {
      const image = await uploadReady(alice, "#c01818", { name: `red ${mark}.jpg`, keywords: "poppy,field" });
      expect(image).toMatchObject({
        state: "ready",
        ownerId: alice.id,
        width: 320,
        height: 200,
        isPublic: false,
      });
      expect(image.origin?.sha256).toMatch(/^[0-9a-f]{64}$/);
      const thumbnail = await fetch(image.links?.thumbnail ?? "");
      expect(thumbnail.status).toBe(200);
      expect((await sharp(await thumbnail.arrayBuffer()).metadata()).width).toBe(320);
      await uploadReady(alice, "#1838c0", { name: `blue ${mark}.jpg` });
      const found = SearchPage.parse((await call(alice, "GET", "/images/search?q=red")).body);
      // Its name says so too.
      expect(found.method).toBe("fused");
      expect(found.items.map((hit) => hit.name).slice(0, 2)).toEqual([`red ${mark}.jpg`, `blue ${mark}.jpg`]);
      expect(found.items[0]?.score).toBeGreaterThan(found.items[1]?.score ?? 1);
      expect(found.items.map((hit) => hit.matchedWords).slice(0, 2)).toEqual([true, false]);
    });

    test("what is filtered, unwanted or shown once is so by every way to the database", async () => {
      for (const [index, colour] of ["#c01818", "#c01818", "#1838c0"].entries()) {
        await uploadReady(bob, colour, {
          name: `${["one", "two", "three"][index]} ${mark}.jpg`,
          keywords: `f${mark}`,
        });
      }
      const namesOf = async (query: string) =>
        SearchPage.parse((await call(bob, "GET", `/images/search?keyword=F${mark}&${query}`)).body).items.map(
          (hit) => hit.name.split(" ")[0],
        );
      expect((await namesOf("q=crimson")).toSorted()).toEqual(["one", "three", "two"]);
      expect((await namesOf("q=crimson&colour=red")).toSorted()).toEqual(["one", "two"]);
      expect((await namesOf("q=crimson&minus=blue")).toSorted()).toEqual(["one", "two"]);
      expect(await namesOf("q=crimson&fold=similar")).toHaveLength(2);
      expect(await namesOf("q=crimson&orientation=portrait")).toEqual([]);
    });

    test("a picture sent to a signed URL becomes ready after its completion", async () => {
      const bytes = await drawPicture("#20a040", 7);
      const started = await sendJson(alice, "/images", {
        name: `signed ${mark}.jpg`,
        mediaType: "image/jpeg",
        sizeBytes: bytes.length,
      });
      expect(started.status, JSON.stringify(started.body)).toBe(201);
      const early = await call(alice, "POST", `/images/${started.body.image.id}/completion`);
      expect(early.status).toBeGreaterThanOrEqual(400);
      const { error } = await connect(target.publishableKey)
        .storage.from("images")
        .uploadToSignedUrl(started.body.upload.path, started.body.upload.token, bytes, {
          contentType: "image/jpeg",
        });
      expect(error).toBeNull();
      const completed = await call(alice, "POST", `/images/${started.body.image.id}/completion`);
      expect(completed.status, JSON.stringify(completed.body)).toBe(202);
      expect((await followJob(alice, completed.body.job.id)).state).toBe("done");
    });

    test("events of a job come in order without holes, and resume after any of them", async () => {
      const answer = await upload(alice, await drawPicture("#808080", 3));
      await followJob(alice, answer.body.job.id);
      const all = (await call(alice, "GET", `/jobs/${answer.body.job.id}/events?after=0`)).body.items.map(
        (event: unknown) => JobEvent.parse(event),
      );
      expect(all.map((event: JobEvent) => event.sequence)).toEqual(
        all.map((_: JobEvent, index: number) => index + 1),
      );
      expect(all.at(0)?.event).toBe("job.queued");
      expect(all.at(-1)?.event).toBe("job.done");
      const rest = await call(alice, "GET", `/jobs/${answer.body.job.id}/events?after=${all.length - 1}`);
      expect(rest.body.items).toEqual([all.at(-1)]);
    });

    test("a name is taken once per owner, and a file's own name gives way", async () => {
      const name = `twice ${mark}.jpg`;
      expect((await upload(alice, await drawPicture("#445566", 1), { name })).status).toBe(202);
      expectProblem(await upload(alice, await drawPicture("#445566", 2), { name }), 409, "name_taken");
      expect((await upload(bob, await drawPicture("#445566", 3), { name })).status).toBe(202);
      const again = await upload(alice, await drawPicture("#445566", 4), { fileName: name });
      expect(again.status).toBe(202);
      expect(again.body.image.name).not.toBe(name);
      const byName = await call(alice, "GET", `/images?name=${encodeURIComponent(name)}`);
      expect(byName.body.items.map((image: Image) => image.ownerId)).toEqual([alice.id]);
    });

    test("pages walk the whole list once, newest first", async () => {
      const seen: Image[] = [];
      let cursor = "";
      do {
        const page = await call(alice, "GET", `/images?limit=2${cursor}`);
        expect(page.status, JSON.stringify(page.body)).toBe(200);
        seen.push(...page.body.items.map((image: unknown) => Image.parse(image)));
        cursor = page.body.nextCursor ? `&cursor=${encodeURIComponent(page.body.nextCursor)}` : "";
      } while (cursor);
      expect(new Set(seen.map((image) => image.id)).size).toBe(seen.length);
      expect(seen.map((image) => image.createdAt)).toEqual(
        seen
          .map((image) => image.createdAt)
          .toSorted()
          .reverse(),
      );
    });

    test("a picture that is deleted is gone with its search hit and its objects", async () => {
      const image = await uploadReady(bob, "#ff00ff", { name: `gone ${mark}.jpg` });
      expect((await call(bob, "DELETE", `/images/${image.id}`)).status).toBe(204);
      expectProblem(await call(bob, "DELETE", `/images/${image.id}`), 404, "not_found");
      expectProblem(await call(bob, "GET", `/images/${image.id}`), 404, "not_found");
      const hits = (await call(bob, "GET", "/images/search?q=magenta")).body.items;
      expect(hits.map((hit: Image) => hit.id)).not.toContain(image.id);
      expect((await fetch(image.links?.original ?? "")).status).toBeGreaterThanOrEqual(400);
    });

    test("what belongs to another is not there: by id, name, search, similar, completion, deletion, job and events", async () => {
      const answer = await upload(alice, await drawPicture("#00c0c0", 5), { name: `private ${mark}.jpg` });
      const [imageId, jobId] = [answer.body.image.id, answer.body.job.id];
      await followJob(alice, jobId);
      for (const who of [bob, "publishable", "nobody"] as const) {
        for (const [method, path] of [
          ["GET", `/images/${imageId}`],
          ["GET", `/images/${imageId}/similar`],
        ] as const) {
          const refused = await call(who, method, path);
          expect([401, 404], `${method} ${path}`).toContain(refused.status);
        }
      }
      for (const [method, path] of [
        ["DELETE", `/images/${imageId}`],
        ["POST", `/images/${imageId}/completion`],
        ["GET", `/jobs/${jobId}`],
        ["GET", `/jobs/${jobId}/events`],
        ["POST", `/jobs/${jobId}/cancellation`],
      ] as const) {
        expectProblem(await call(bob, method, path), 404, "not_found");
      }
      const byName = await call(bob, "GET", `/images?name=${encodeURIComponent(`private ${mark}.jpg`)}`);
      expect(byName.body.items).toEqual([]);
      for (const scope of ["", "&scope=public", "&scope=own"]) {
        const hits = (await call(bob, "GET", `/images/search?q=cyan${scope}&limit=100`)).body.items;
        expect(hits.map((hit: Image) => hit.id)).not.toContain(imageId);
      }
      const bobs = (await call(bob, "GET", "/jobs?limit=100")).body.items;
      expect(bobs.map((job: Job) => job.id)).not.toContain(jobId);
    });

    test("an admin makes a picture public; readers get derivatives and nothing of its origin", async () => {
      const image = await uploadReady(alice, "#ffa000", { name: `public ${mark}.jpg` });
      expectProblem(await call(alice, "PUT", `/images/${image.id}/publication`), 403, "forbidden");
      expect((await call(admin, "PUT", `/images/${image.id}/publication`)).status).toBeLessThan(300);
      const seen = ImageDetail.parse((await call("publishable", "GET", `/images/${image.id}`)).body);
      expect(seen).toMatchObject({ isPublic: true, origin: null });
      expect(seen.links?.original).toBeUndefined();
      expect((await fetch(seen.links?.display ?? "")).status).toBe(200);
      const hits = (await call("publishable", "GET", "/images/search?q=orange&limit=100")).body.items;
      expect(hits.map((hit: Image) => hit.id)).toContain(image.id);
      expect((await call(admin, "DELETE", `/images/${image.id}/publication`)).status).toBeLessThan(300);
      expectProblem(await call("publishable", "GET", `/images/${image.id}`), 404, "not_found");
    });

    test("what is no picture is refused at once, or fails with its reason", async () => {
      expectProblem(
        await upload(alice, new TextEncoder().encode("just words")),
        415,
        "unsupported_media_type",
      );
      expectProblem(await upload(alice, new Uint8Array(0)), 400, "invalid_request");
      const whole = await drawPicture("#123456", 9);
      const answer = await upload(alice, whole.subarray(0, Math.floor(whole.length / 2)));
      expect(answer.status).toBe(202);
      const job = await followJob(alice, answer.body.job.id);
      expect(job).toMatchObject({ state: "failed", error: { code: "image_undecodable" } });
      const image = (await call(alice, "GET", `/images/${answer.body.image.id}`)).body;
      expect(image).toMatchObject({ state: "failed", error: { code: "image_undecodable" } });
    });

    test.each([
      ["GET", "/images?limit=0", "query.limit"],
      ["GET", "/images?limit=101", "query.limit"],
      ["GET", "/images/search?q=", "query.q"],
      ["GET", `/images/search?q=${"a".repeat(101)}`, "query.q"],
      ["GET", "/images/not-a-uuid", "param.id"],
      ["GET", "/jobs?limit=-1", "query.limit"],
    ])("%s %s is refused by the name of the field", async (method, path, field) => {
      const answer = await call(alice, method, path);
      expectProblem(answer, 400, "invalid_request");
      expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
    });

    test("a cursor that we did not make is refused", async () => {
      for (const cursor of ["x", "AAAA", btoa('{"createdAt":"now()","id":"1"}')]) {
        expectProblem(await call(alice, "GET", `/images?cursor=${cursor}`), 400, "invalid_cursor");
      }
    });

    test.each([
      "' or 1=1 --",
      "red'); drop table parlance.images; --",
      "\\x00",
      "%",
      "<script>",
      "a & | ! b:*",
    ])("the query %j is only words", async (query) => {
      const answer = await call(alice, "GET", `/images/search?q=${encodeURIComponent(query)}`);
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    });

    test.each(["../../etc/passwd", "a/b.jpg", "..", "a\u0000b", "x\r\nSet-Cookie: a=b", "a".repeat(201)])(
      "the name %j is refused",
      async (name) => {
        expectProblem(await upload(alice, await drawPicture("#222222", 2), { name }), 400, "invalid_request");
      },
    );

    test("tokens that were forged are refused", async () => {
      const [header = "", payload = "", signature = ""] = alice.token.split(".");
      const claims = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
      const encode = (value: object) =>
        btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
      const forged = [
        [header, encode({ ...claims, sub: bob.id }), signature].join("."),
        [header, encode({ ...claims, app_metadata: { role: "admin" } }), signature].join("."),
        [encode({ alg: "none" }), payload, ""].join("."),
        [encode({ alg: "HS256" }), payload, signature].join("."),
        "not.a.token",
      ];
      for (const token of forged) {
        expectProblem(await call({ id: "", token }, "GET", "/images"), 401, "unauthenticated");
      }
      const wrongKey = await call("nobody", "GET", "/images", { headers: { apikey: "sb_secret_wrong" } });
      expectProblem(wrongKey, 401, "unauthenticated");
    });

    test("nobody without a user may write", async () => {
      for (const who of ["nobody", "publishable"] as const) {
        const answer = await upload(who, await drawPicture("#111111", 1));
        expect([401, 403]).toContain(answer.status);
      }
      expectProblem(await call(alice, "POST", "/jobs/ticks"), 403, "forbidden");
    });

    test("the same idempotency key adds one picture and replays its answer", async () => {
      const body = { name: `once ${mark}.jpg`, mediaType: "image/jpeg", sizeBytes: 1000 };
      const headers = { "idempotency-key": `key-${mark}` };
      const [first, second] = [
        await sendJson(alice, "/images", body, headers),
        await sendJson(alice, "/images", body, headers),
      ];
      expect(first.status, JSON.stringify(first.body)).toBe(201);
      expect(second.status).toBe(201);
      expect(second.body.image.id).toBe(first.body.image.id);
      const other = await sendJson(alice, "/images", { ...body, sizeBytes: 1001 }, headers);
      expectProblem(other, 422, "idempotency_mismatch");
      const bobs = await sendJson(bob, "/images", body, headers);
      expect(bobs.status).toBe(201);
      expect(bobs.body.image.id).not.toBe(first.body.image.id);
    });

    test("a request id that is sane is kept, one that is not is replaced", async () => {
      const kept = await call("nobody", "GET", "/health", { headers: { "x-request-id": `test-${mark}` } });
      expect(kept.headers.get("x-request-id")).toBe(`test-${mark}`);
      const replaced = await call("nobody", "GET", "/health", {
        headers: { "x-request-id": "a".repeat(500) },
      });
      expect(replaced.headers.get("x-request-id")?.length).toBeLessThan(100);
    });

    test("limited answers say what is left", async () => {
      const answer = await call(alice, "GET", "/images");
      expect(answer.headers.get("ratelimit-policy")).toMatch(/q=\d+/);
      expect(answer.headers.get("ratelimit")).toMatch(/r=\d+/);
    });

    test("a webhook is named, its secret told once and replaced, and it is nobody else's", async () => {
      const wish = { url: "https://hooks.example.com/parlance", kinds: ["images.compare-spaces"] };
      const added = await sendJson(alice, "/webhooks", wish);
      expect(added.status, JSON.stringify(added.body)).toBe(201);
      const { secret, ...webhook } = WebhookWithSecret.strict().parse(added.body);
      const path = `/webhooks/${webhook.id}`;
      expect((await call(alice, "GET", path)).body).toEqual(webhook);
      const renewed = await call(alice, "POST", `${path}/secret`);
      expect(renewed.status).toBe(201);
      expect(renewed.body.secret).toMatch(/^whsec_/);
      expect(renewed.body.secret).not.toBe(secret);
      expect((await call(alice, "GET", `${path}/deliveries`)).body).toEqual({ items: [], nextCursor: null });
      expectProblem(await call(bob, "GET", path), 404, "not_found");
      const inside = { ...wish, url: "https://169.254.169.254/" };
      expectProblem(await sendJson(alice, "/webhooks", inside), 400, "invalid_request");
      expect((await call(alice, "DELETE", path)).status).toBe(204);
      expectProblem(await call(alice, "GET", path), 404, "not_found");
    });

    test("a queued or running job is cancelled on request, and an ended one is not", async () => {
      const answers = await Promise.all(
        [1, 2, 3, 4, 5, 6].map(async (seed) => upload(bob, await drawPicture("#9060c0", seed))),
      );
      const last = answers.at(-1)?.body.job.id;
      const cancelled = await call(bob, "POST", `/jobs/${last}/cancellation`);
      expect([202, 409]).toContain(cancelled.status);
      const job = await followJob(bob, last);
      expect(cancelled.status === 202 ? ["cancelled", "done"] : ["done"]).toContain(job.state);
      expectProblem(await call(bob, "POST", `/jobs/${last}/cancellation`), 409, "conflict");
      for (const answer of answers) await followJob(bob, answer.body.job.id);
    });
  });
}
