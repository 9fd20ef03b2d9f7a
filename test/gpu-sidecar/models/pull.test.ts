import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import { verifyModel } from "../../../gpu-sidecar/models/files/verify.ts";
import { HubClient, type HubFile, parseRetryAfter } from "../../../gpu-sidecar/models/hub/client.ts";
import type { PullProgress } from "../../../gpu-sidecar/models/hub/progress.ts";
import { type PullOptions, planFiles, pullModel } from "../../../gpu-sidecar/models/hub/pull.ts";
import { type Fault, HubServer } from "./hub-server.ts";
import { changeJson, makeFolder, makeTiny, removeFolders } from "./made.ts";

const vision = "onnx/vision_model.onnx";
const config = "config.json";
let server: HubServer;
let modelsFolder: string;

beforeEach(async () => {
  server = await HubServer.open(await makeTiny({ variants: ["fp32", "int8"] }));
  modelsFolder = await makeFolder();
});

afterEach(async () => {
  await server.close();
  await removeFolders();
});

class Notes implements PullProgress {
  readonly retries: string[] = [];
  readonly starts: { bytes: number; there: number }[] = [];
  readonly files: string[] = [];
  start(bytes: number, there: ReadonlyMap<string, number>): void {
    this.starts.push({ bytes, there: [...there.values()].reduce((sum, one) => sum + one, 0) });
  }
  file(name: string, bytes: number, inAll: number): void {
    server.cut();
    if (bytes === inAll) this.files.push(name);
  }
  retry(reason: string): void {
    this.retries.push(reason);
  }
  note(): void {}
}

async function pull(options: Partial<PullOptions> & { token?: string; timeoutMs?: number } = {}) {
  const { token, timeoutMs = 5_000, ...rest } = options;
  const progress = new Notes();
  const lock = await pullModel({
    hub: new HubClient({ endpoint: server.endpoint, token, timeoutMs }),
    repository: "some/model",
    variant: "fp32",
    name: "tiny",
    modelsFolder,
    progress,
    pauseMs: 1,
    ...rest,
  });
  return { lock, progress };
}

const left = async () => (await readdir(modelsFolder)).toSorted();

describe("pulling a model", () => {
  test("fetches one variant at the commit of the branch, and locks the hub's own hashes", async () => {
    const { lock, progress } = await pull();
    expect(lock.source).toEqual({
      kind: "hub",
      endpoint: server.endpoint,
      repository: "some/model",
      revision: server.commit,
    });
    const content = server.files.get(vision) ?? new Uint8Array();
    const sha256 = createHash("sha256").update(content).digest("hex");
    expect(lock.files).toContainEqual({ name: vision, sizeBytes: content.length, sha256 });
    expect(await verifyModel(modelsFolder, lock)).toEqual([]);
    expect((await openCatalog(modelsFolder)).get("tiny").digest).toBe(lock.digest);
    expect(await left()).toEqual(["tiny"]);
    expect((await readdir(join(modelsFolder, "tiny"))).toSorted()).not.toContain("plan.json");
    expect(server.contentOf("onnx/text_model_quantized.onnx")).toEqual([]);
    expect(progress.files.toSorted()).toEqual(lock.files.map(({ name }) => name));
    expect(progress.retries).toEqual([]);
  });

  test("again fetches nothing", async () => {
    const { lock } = await pull();
    const before = server.requests.length;
    expect((await pull()).lock).toEqual(lock);
    expect(server.requests.slice(before).map(({ path }) => path)).toEqual([
      "/api/models/some/model/revision/main",
    ]);
  });

  test("takes another variant, a tag, a mirror with a path, and a list in pages", async () => {
    server.prefix = "/mirror";
    server.pageSize = 2;
    const { lock } = await pull({ variant: "int8", name: "tiny-int8", revision: "v1" });
    expect(lock).toMatchObject({ name: "tiny-int8", vision: "onnx/vision_model_quantized.onnx" });
    expect(lock.runsAlone).toEqual({ vision: true, text: true });
  });

  test("sends the token to the hub only", async () => {
    server.token = "hf_secret";
    await pull({ token: "hf_secret" });
    const stored = server.requests.filter(({ host }) => host === "store");
    expect(stored.length).toBeGreaterThan(0);
    for (const { headers } of stored) expect(headers).not.toHaveProperty("authorization");
    for (const { host, headers } of server.requests)
      if (host === "hub") expect(headers.authorization).toBe("Bearer hf_secret");
  });
});

describe("a transfer that breaks", () => {
  test.each([0.01, 0.5, 0.99])("goes on where it was cut, at %f", async (share) => {
    server.fail(vision, { kind: "cut", share });
    const { lock, progress } = await pull();
    expect(await verifyModel(modelsFolder, lock)).toEqual([]);
    expect(progress.retries).toHaveLength(1);
    const [first, second] = server.contentOf(vision);
    expect(first?.headers.range).toBeUndefined();
    const size = server.files.get(vision)?.length ?? 0;
    const from = Number(/^bytes=(\d+)-$/.exec(second?.headers.range ?? "")?.[1]);
    expect(from).toBeGreaterThan(0);
    expect(from).toBeLessThanOrEqual(Math.floor(size * share));
    expect(second?.headers["if-range"]).toMatch(/^"[0-9a-f]{64}"$/);
  });

  test.each<[string, Fault[]]>([
    ["again and again", Array.from({ length: 20 }, () => ({ kind: "cut", share: 0.3 }) as const)],
    ["by going silent", [{ kind: "stall", share: 0.4 }]],
    ["by 500, 502, 503, 504", [500, 502, 503, 504].map((status) => ({ kind: "status", status }) as const)],
    ["by too many requests", [{ kind: "status", status: 429, headers: { "retry-after": "0" } }]],
    ["by a link that ran out", [{ kind: "status", status: 403 }]],
    ["by bytes that are wrong once", [{ kind: "wrong" }]],
    ["by a length that is too long", [{ kind: "length", more: 5 }]],
    ["by a length that is too short", [{ kind: "length", more: -5 }]],
    ["by ending early without a length", [{ kind: "unframed", more: -100 }]],
    ["by going on too long without a length", [{ kind: "unframed", more: 100 }]],
    ["and then starts over", [{ kind: "cut", share: 0.5 }, { kind: "noRange" }]],
    ["and then sends another part", [{ kind: "cut", share: 0.5 }, { kind: "otherRange" }]],
    ["and then is another file", [{ kind: "cut", share: 0.5 }, { kind: "otherEtag" }]],
    ["and then is wrong behind the break", [{ kind: "cut", share: 0.5 }, { kind: "wrong" }]],
  ])("%s is mended", async (_, faults) => {
    server.fail(vision, ...faults);
    const { lock } = await pull({ timeoutMs: faults[0]?.kind === "stall" ? 1_000 : 5_000 });
    expect(await verifyModel(modelsFolder, lock)).toEqual([]);
    expect(server.faults.get(vision)).toEqual([]);
    expect(await left()).toEqual(["tiny"]);
  });

  test("of a small file is mended too", async () => {
    server.fail(config, { kind: "cut", share: 0.5 }, { kind: "status", status: 500 });
    expect((await pull()).lock.name).toBe("tiny");
  });

  test.each<[string, string, Fault]>([
    ["bytes that stay wrong", vision, { kind: "wrong" }],
    ["a small file that stays wrong", config, { kind: "wrong" }],
    ["a length that stays wrong", vision, { kind: "length", more: 5 }],
  ])("%s are given up, and nothing is installed", async (_, path, fault) => {
    server.fail(path, ...Array.from({ length: 9 }, () => fault));
    await expect(pull()).rejects.toMatchObject({ code: "upstream_failed", retryable: false });
    expect((await openCatalog(modelsFolder)).find("tiny")).toBeUndefined();
    expect(server.contentOf(path)).toHaveLength(2);
  });

  test("for good leaves what arrived, and the next pull goes on from there", async () => {
    const silent = Array.from({ length: 3 }, () => ({ kind: "status", status: 500 }) as const);
    server.fail(vision, { kind: "cut", share: 0.6 }, ...silent);
    await expect(pull({ triesMax: 3 })).rejects.toMatchObject({ code: "upstream_failed" });
    const part = await stat(join(modelsFolder, ".pulling-tiny", `${vision}.part`));
    expect(part.size).toBeGreaterThan(0);
    const configBefore = server.contentOf(config).length;
    const { progress } = await pull();
    expect(server.contentOf(vision).at(-1)?.headers.range).toBe(`bytes=${part.size}-`);
    expect(server.contentOf(config)).toHaveLength(configBefore);
    expect(progress.starts[0]?.there).toBeGreaterThanOrEqual(part.size);
    expect(await left()).toEqual(["tiny"]);
  });

  test("what was left of another commit is thrown away", async () => {
    server.fail(
      vision,
      { kind: "cut", share: 0.6 },
      ...Array.from({ length: 3 }, () => ({ kind: "status", status: 500 }) as const),
    );
    await expect(pull({ triesMax: 3 })).rejects.toThrow();
    server.commit = "4".repeat(40);
    await server.load(await makeTiny({ seed: 9 }));
    const { lock } = await pull();
    expect(lock.source).toMatchObject({ revision: "4".repeat(40) });
    expect(await verifyModel(modelsFolder, lock)).toEqual([]);
    expect(server.contentOf(vision)[0]?.headers.range).toBeUndefined();
  });

  test("a model that is refused keeps its files, so that another version need not fetch them", async () => {
    const folder = await makeTiny();
    await changeJson(folder, "preprocessor_config.json", { resample: 5 });
    await server.load(folder);
    await expect(pull()).rejects.toThrow(/resample is 5/);
    expect(await left()).toEqual([".pulling-tiny", ".pulling-tiny.json"]);
    const before = server.contentOf(vision).length;
    await expect(pull()).rejects.toThrow(/resample is 5/);
    expect(server.contentOf(vision)).toHaveLength(before);
  });

  test("a file that was changed between two pulls is not installed", async () => {
    const folder = await makeTiny();
    await changeJson(folder, "preprocessor_config.json", { resample: 5 });
    await server.load(folder);
    await expect(pull()).rejects.toThrow(/resample is 5/);
    const path = join(modelsFolder, ".pulling-tiny", vision);
    const content = await readFile(path);
    content[3_000] = (content[3_000] ?? 0) ^ 1;
    await writeFile(path, content);
    await changeJson(join(modelsFolder, ".pulling-tiny"), "preprocessor_config.json", { resample: 3 });
    await writeFile(
      join(modelsFolder, ".pulling-tiny/preprocessor_config.json"),
      server.files.get("preprocessor_config.json")?.toString().replace('"resample":5', '"resample":3') ?? "",
    );
    await expect(pull()).rejects.toThrow(/is not what it was fetched as/);
  });
});

describe("what the hub refuses is said", () => {
  test.each<[number, string | undefined, RegExp]>([
    [401, undefined, /401.*Set HF_TOKEN to a token that may read it/],
    [401, "hf_old", /401.*HF_TOKEN is not a token that may read it/],
    [403, undefined, /403.*Set HF_TOKEN/],
    [403, "hf_old", /403.*HF_TOKEN is not a token of an account that was admitted/],
    [404, undefined, /has no some\/model, or not that revision/],
    [418, undefined, /answered 418/],
  ])("%i with the token %s", async (status, token, message) => {
    server.apiFaults.push({ kind: "status", status });
    await expect(pull(token === undefined ? {} : { token })).rejects.toThrow(message);
    expect(server.requests).toHaveLength(1);
  });

  test("a hub that is busy is asked again, not for ever", async () => {
    server.apiFaults.push({ kind: "status", status: 503 }, { kind: "status", status: 500 });
    await pull();
    server.apiFaults.push(...Array.from({ length: 3 }, () => ({ kind: "status", status: 500 }) as const));
    await expect(pull({ name: "other" })).rejects.toThrow(/answered 500/);
  });

  test("a page that is no hub's", async () => {
    server.apiFaults.push({ kind: "wrong" });
    await expect(pull()).rejects.toThrow("answered with something else than a hub does");
  });

  test("no hub at all", async () => {
    const hub = new HubClient({ endpoint: "http://127.0.0.1:1" });
    await expect(pull({ hub })).rejects.toThrow(/cannot be reached.*offline.*HF_ENDPOINT.*models add/);
  });

  test("another revision, and a variant that there is not", async () => {
    await expect(pull({ revision: "v2" })).rejects.toThrow(/not that revision/);
    await expect(pull({ variant: "fp16" })).rejects.toThrow(
      /no onnx\/vision_model_fp16.onnx for the variant fp16. There is: onnx\/vision_model.onnx/,
    );
  });

  test("redirects in circles and to nowhere", async () => {
    const location = `${server.endpoint}/api/models/some/model/revision/main`;
    server.apiFaults.push(
      ...Array.from({ length: 9 }, () => ({ kind: "status", status: 302, headers: { location } }) as const),
    );
    await expect(pull()).rejects.toThrow("redirects in circles");
    server.apiFaults.length = 0;
    for (const target of ["ftp://example.org/x", "file:///etc/passwd", "http://"]) {
      server.apiFaults.push({ kind: "status", status: 302, headers: { location: target } });
      await expect(pull()).rejects.toThrow("redirects to nowhere");
    }
  });

  test("a token is not sent along a redirect to another host", async () => {
    const other = await HubServer.open(await makeTiny());
    const location = `${other.endpoint}/api/models/some/model/revision/main`;
    server.apiFaults.push({ kind: "status", status: 302, headers: { location } });
    await pull({ token: "hf_secret" });
    expect(other.requests).toHaveLength(1);
    expect(other.requests[0]?.headers).not.toHaveProperty("authorization");
    await other.close();
  });
});

describe("limits", () => {
  test("a disk without room is told before anything is fetched", async () => {
    await expect(pull({ bytesFree: 100e6 })).rejects.toThrow(
      /needs another .* and the disk of .* has 100.0 MB free/,
    );
    expect(server.contentOf(config)).toEqual([]);
  });

  test("a model that is too large is refused", async () => {
    await expect(pull({ bytesMax: 1_000 })).rejects.toThrow(/at most 1.0 kB are fetched/);
  });

  test.each([
    "onnx/vision_model.onnx_data/../../x",
    "onnx/vision_model.onnx_data\\x",
    "onnx/vision_model.onnx_data\0",
  ])("a list with %j is refused", (path) => {
    const files = [...server.files.keys(), path].map(
      (name): HubFile => ({ path: name, sizeBytes: 1, sha256: undefined, gitSha1: "0".repeat(40) }),
    );
    expect(() => planFiles(files, { variant: "fp32" })).toThrow(/which is no name for a file here/);
  });
});

describe("two pulls of one model", () => {
  test("at once: the second is refused while the first goes on", async () => {
    server.fail(vision, { kind: "stall", share: 0.5 });
    const stalled = new Promise<void>((resolve) => {
      server.onStall = resolve;
    });
    const first = pull({ timeoutMs: 1_500 });
    await stalled;
    await expect(pull()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(`Another pull of this model is under way \\(process ${process.pid} on`),
    });
    expect((await first).lock.name).toBe("tiny");
    expect(await left()).toEqual(["tiny"]);
  });

  const lock = () => join(modelsFolder, ".pulling-tiny.lock");

  test("the lock of a process that is gone is taken over", async () => {
    await mkdir(modelsFolder, { recursive: true });
    await writeFile(lock(), `${hostname()} 4194305 x\n`);
    expect((await pull()).lock.name).toBe("tiny");
  });

  test("the lock of another machine is kept while it beats, and taken when it does not", async () => {
    await writeFile(lock(), "elsewhere 1 x\n");
    await expect(pull()).rejects.toMatchObject({ code: "conflict" });
    const past = new Date(Date.now() - 300_000);
    await utimes(lock(), past, past);
    expect((await pull()).lock.name).toBe("tiny");
  });
});

test.each([
  [null, undefined],
  ["0", 0],
  ["7", 7_000],
  ["Thu, 01 Jan 1970 00:00:10 GMT", 4_000],
  ["Thu, 01 Jan 1970 00:00:01 GMT", 0],
  ["soon", undefined],
])("Retry-After %j means %s ms", (text, expected) => {
  expect(parseRetryAfter(text, 6_000)).toBe(expected);
});
