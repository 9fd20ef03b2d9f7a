import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import methods from "../../../fixtures/supabase-js-storage.json" with { type: "json" };
import { openStandIn, type StandIn } from "./stand-in.ts";
import { connect } from "./target.ts";

/** The table of what works, held against the methods that the client has. */
const Table = z.array(z.object({ method: z.string(), state: z.enum(["supported", "501", "client-only"]) }));
const table = Table.parse(methods);

/** Methods of the classes that TypeScript hides from callers. */
const hidden = new Set([
  "bucketLifecycleUrl",
  "listBucketOptionsToQueryString",
  "handleOperation",
  "uploadOrUpdate",
  "prepareUploadFormData",
  "encodeMetadata",
  "_getFinalPath",
  "_removeEmptyFolders",
  "applyTransformOptsToQuery",
  "getPromise",
  "execute",
]);
/** What every promise has. */
const ofPromises = new Set(["then", "catch", "finally"]);

let standIn: StandIn;

beforeAll(async () => {
  standIn = await openStandIn();
});

afterAll(() => standIn?.close());

/** The objects that have methods, by the path to them. */
function openParts(key = standIn.keys.secretKey) {
  const { storage } = connect(standIn.url, key);
  const file = storage.from("pictures");
  const vectors = storage.vectors.from("vectors");
  return {
    storage,
    "storage.from": file,
    "storage.from.download": file.download("a"),
    "storage.vectors": storage.vectors,
    "storage.vectors.from": vectors,
    "storage.vectors.from.index": vectors.index("all"),
    "storage.analytics": storage.analytics,
    "storage.analytics.from": storage.analytics.from("tables"),
  };
}

function listMethods(part: object): string[] {
  const names = new Set<string>();
  let prototype: object | null = Object.getPrototypeOf(part);
  for (; prototype && prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype)) {
    for (const name of Object.getOwnPropertyNames(prototype)) names.add(name);
  }
  names.delete("constructor");
  return [...names].filter((name) => !hidden.has(name) && !ofPromises.has(name));
}

test("the table names every method of supabase.storage, and no other", () => {
  const found = Object.entries(openParts()).flatMap(([path, part]) =>
    listMethods(part).map((name) => `${path}.${name}`),
  );
  expect(table.map(({ method }) => method).sort()).toEqual(found.sort());
});

test("the suite calls every method that is said to work", async () => {
  const suite = await readFile(new URL("suite.test.ts", import.meta.url), "utf8");
  const silent = table
    .filter(({ state }) => state === "supported")
    .map(({ method }) => method.slice(method.lastIndexOf(".") + 1))
    // move and copy are called by a name that a loop gives.
    .filter((name) => !suite.includes(`.${name}(`) && !suite.includes(`"${name}"`));
  expect(silent).toEqual([]);
});

describe("what is not there says so with 501", () => {
  const table501 = table.filter(({ state }) => state === "501").map(({ method }) => method);

  test.each(table501)("%s", async (method) => {
    const dot = method.lastIndexOf(".");
    const part = Object(Reflect.get(openParts(), method.slice(0, dot)));
    const name = method.slice(dot + 1);
    const call = async (): Promise<unknown> =>
      Reflect.apply(Reflect.get(part, name), part, argumentsFor(method));
    const outcome = await call().catch((error: unknown) => ({ error }));
    expect(outcome).toMatchObject({ error: { status: 501 } });
  });

  test.each([
    ["a transformed picture", () => files().download("a", { transform: { width: 10 } })],
    ["a signed URL of one", () => files().createSignedUrl("a", 60, { transform: { width: 10 } })],
    ["an old version", () => files().download("a", { versionId: "1" })],
    ["what is known of one", () => files().info("a", { versionId: "1" })],
    ["a signed URL of one", () => files().createSignedUrl("a", 60, { versionId: "1" })],
    ["removing one", () => files().remove([{ path: "a", versionId: "1" }])],
    ["moving one", () => files().move("a", "b", { sourceVersionId: "1" })],
    ["copying one", () => files().copy("a", "b", { sourceVersionId: "1" })],
    ["a list of them", () => files().list("", { noncurrentVersions: "include" })],
    ["the other list of them", () => files().listV2({ deleteMarkers: "only" })],
    ["one name in a list", () => files().list("a", { exactMatch: true })],
    [
      "a bucket that keeps them",
      () => buckets().createBucket("v", { public: false, versioningStatus: "ENABLED" }),
    ],
    ["a bucket of tables", () => buckets().createBucket("t", { public: false, type: "ANALYTICS" })],
  ])("an option that asks for %s", async (_what, ask) => {
    const { data, error } = await ask();
    expect(data).toBeNull();
    expect(error).toMatchObject({ status: 501, statusCode: "501", code: "NotImplemented" });
  });

  test("a resumable upload, and the S3 protocol", async () => {
    for (const path of ["upload/resumable", "upload/resumable/x", "s3/bucket/key"]) {
      const answer = await fetch(`${standIn.url}/storage/v1/${path}`, { method: "POST" });
      expect(answer.status).toBe(501);
      expect(await answer.json()).toMatchObject({ statusCode: "501", code: "NotImplemented" });
    }
  });

  const buckets = () => connect(standIn.url, standIn.keys.secretKey).storage;
  const files = () => buckets().from("pictures");
});

/** Enough for the client to send its request. */
function argumentsFor(method: string): unknown[] {
  const vector = { key: "a", data: { float32: [1] } };
  if (method.endsWith("putVectors")) return [{ vectors: [vector] }];
  if (method.endsWith("deleteVectors")) return [{ keys: ["a"] }];
  if (method.startsWith("storage.vectors.from.index"))
    return [{ keys: ["a"], queryVector: vector.data, topK: 1 }];
  if (method.endsWith("createIndex")) return [{ indexName: "all", dimension: 1, dataType: "float32" }];
  if (method.startsWith("storage.analytics.from")) {
    return [
      { namespace: ["a"], name: "b" },
      { name: "b", schema: { type: "struct", fields: [] } },
    ];
  }
  return ["a", { rules: [] }];
}
