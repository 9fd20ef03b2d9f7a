import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { readModelsConfig } from "../../../gpu-sidecar/config.ts";
import { parseModelsArguments, UsageError } from "../../../gpu-sidecar/models/arguments.ts";
import { buildBytePairs } from "../../../gpu-sidecar/models/clip/bpe.ts";
import { parseMakeArguments } from "../../../gpu-sidecar/models/clip/make.ts";
import { planModel } from "../../../gpu-sidecar/models/clip/plan.ts";
import { variants } from "../../../gpu-sidecar/models/files/layout.ts";
import { modelKeyPattern } from "../../../gpu-sidecar/models/files/lock.ts";
import { findWanted, knownModels, splitVariant } from "../../../gpu-sidecar/models/hub/known.ts";
import { describeBytes, PullMeter } from "../../../gpu-sidecar/models/hub/progress.ts";
import type { Listing } from "../../../gpu-sidecar/models/listing.ts";
import { runModels } from "../../../gpu-sidecar/models/main.ts";
import { HubServer } from "./hub-server.ts";
import { makeFolder, makeTiny, removeFolders } from "./made.ts";

const vision = "onnx/vision_model.onnx";
const servers: HubServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  await removeFolders();
});

async function openHub(): Promise<HubServer> {
  const server = await HubServer.open(await makeTiny());
  servers.push(server);
  return server;
}

/** One command, as typed. */
async function run(modelsFolder: string, line: string, hubEndpoint = "http://127.0.0.1:1") {
  const lines: string[] = [];
  let drawn = "";
  const isWell = await runModels(
    line.split(" "),
    { modelsFolder, hubEndpoint, hubToken: undefined },
    { print: (one) => lines.push(one), terminal: { write: (text) => (drawn += text) } },
  );
  return { isWell, lines, drawn };
}

describe("bun run models", () => {
  test("adds a folder, lists it beside what could be pulled, and verifies it", async () => {
    const [folder, modelsFolder] = [await makeTiny({ variants: ["fp32", "int8"] }), await makeFolder()];
    const added = await run(modelsFolder, `add ${folder} --name tiny --variant int8`);
    expect(added.lines).toEqual([
      expect.stringMatching(/^tiny-int8 is installed: 32 dimensions, .* kB, digest [0-9a-f]{12}\.$/),
    ]);
    const { lines } = await run(modelsFolder, "list");
    expect(lines.join("\n")).toMatch(/palette +128 +built-in/);
    expect(lines.join("\n")).toMatch(/tiny-int8 +32 +int8 +[\d.]+ kB +[0-9a-f]{12} /);
    expect(lines.join("\n")).toMatch(/clip-vit-base-patch32 +512 +59\.37 .*what pull takes without a name/);
    expect(lines.at(-1)).toMatch(/as published: Immich, .*01a09bb.*Crossmodal-3600/);
    const verified = await run(modelsFolder, "verify");
    expect(verified.isWell).toBe(true);
    expect(verified.lines).toContain("tiny-int8: all is as it was locked");
    expect(verified.lines).toContain("  image.size = 64  (preprocessor_config.json: crop_size)");
    expect(verified.lines).toContain("  text.padId = 1199  (tokenizer_config.json: pad_token)");
  });

  test("lists as JSON, and says which model is damaged", async () => {
    const modelsFolder = await makeFolder();
    await run(modelsFolder, `add ${await makeTiny()} --name tiny`);
    await writeFile(join(modelsFolder, "tiny/model.lock.json"), "{");
    const listing = JSON.parse((await run(modelsFolder, "list --json")).lines.join("\n")) as Listing;
    expect(listing.installed).toEqual([
      { name: "tiny", problem: expect.stringMatching(/is not understood/) },
    ]);
    expect((await run(modelsFolder, "list")).lines.join("\n")).toMatch(/tiny .*damaged/);
    const verified = await run(modelsFolder, "verify tiny");
    expect(verified).toMatchObject({ isWell: false, lines: ["tiny: something is wrong", expect.anything()] });
  });

  test("verifies to false when a byte was changed", async () => {
    const modelsFolder = await makeFolder();
    await run(modelsFolder, `add ${await makeTiny()} --name tiny`);
    const path = join(modelsFolder, "tiny", vision);
    const content = await readFile(path);
    content[9_999] = (content[9_999] ?? 0) ^ 255;
    await writeFile(path, content);
    expect(await run(modelsFolder, "verify")).toMatchObject({
      isWell: false,
      lines: ["tiny: something is wrong", `  ${vision} is not the file that was locked.`],
    });
  });

  test("pulls a repository under a name of its own, and tells how it goes", async () => {
    const server = await openHub();
    const modelsFolder = await makeFolder();
    const { lines, drawn } = await run(
      modelsFolder,
      "pull some/model --name mine --revision v1",
      server.endpoint,
    );
    expect(lines).toEqual([expect.stringMatching(/^mine is installed: 32 dimensions/)]);
    expect(drawn).toMatch(/100 % .* of .* onnx\/text_model\.onnx\n/);
    expect((await run(modelsFolder, "pull some/model", server.endpoint)).lines[0]).toMatch(
      /^model is installed/,
    );
  });

  test("refuses what it does not know, naming what it knows", async () => {
    const modelsFolder = await makeFolder();
    await expect(run(modelsFolder, "pull dall-e")).rejects.toThrow(
      /"dall-e" is neither a known model \(clip-vit-base-patch32, .* nor OWNER\/REPOSITORY/,
    );
    await expect(run(modelsFolder, "verify nothing")).rejects.toThrow(
      /No model called "nothing" is installed/,
    );
    await expect(run(modelsFolder, "add /nowhere")).rejects.toThrow(/is no folder that can be read/);
    await expect(run(modelsFolder, "pull clip-vit-base-patch32-int8 --variant fp16")).rejects.toThrow(
      UsageError,
    );
  });

  test("a pull that is killed goes on where it was", async () => {
    const server = await openHub();
    const modelsFolder = await makeFolder();
    server.fail(vision, { kind: "stall", share: 0.5 });
    const stalled = new Promise<void>((resolve) => {
      server.onStall = resolve;
    });
    const words = ["gpu-sidecar/models/main.ts", "pull", "some/model", "--name", "tiny"];
    const spawn = () =>
      Bun.spawn([process.execPath, ...words], {
        env: { ...process.env, HF_ENDPOINT: server.endpoint, MODELS_DIR: modelsFolder },
        stdout: "pipe",
        stderr: "pipe",
      });
    const first = spawn();
    await stalled;
    const part = join(modelsFolder, ".pulling-tiny", `${vision}.part`);
    await expect
      .poll(
        () =>
          stat(part).then(
            ({ size }) => size,
            () => 0,
          ),
        { timeout: 10_000 },
      )
      .toBeGreaterThan(0);
    first.kill("SIGKILL");
    await first.exited;
    const { size } = await stat(part);
    const second = spawn();
    expect([await second.exited, await new Response(second.stderr).text()]).toEqual([
      0,
      expect.stringMatching(/100 %/),
    ]);
    expect(await new Response(second.stdout).text()).toMatch(/^tiny is installed/);
    expect(server.contentOf(vision).map(({ headers }) => headers.range)).toEqual([
      undefined,
      `bytes=${size}-`,
    ]);
    expect((await readdir(modelsFolder)).toSorted()).toEqual(["tiny"]);
  });

  test("ends with 1 where it failed and with 2 where it was asked wrongly", async () => {
    const modelsFolder = await makeFolder();
    const exitOf = async (...words: string[]) => {
      const child = Bun.spawn([process.execPath, "gpu-sidecar/models/main.ts", ...words], {
        env: { ...process.env, MODELS_DIR: modelsFolder },
        stdout: "ignore",
        stderr: "pipe",
      });
      return [await child.exited, await new Response(child.stderr).text()];
    };
    expect(await exitOf("list")).toEqual([0, ""]);
    expect(await exitOf("verify", "nothing")).toEqual([
      1,
      expect.stringMatching(/^No model called "nothing"/),
    ]);
    expect(await exitOf("drop", "all")).toEqual([2, expect.stringMatching(/^Usage: bun run models list/)]);
  });
});

describe("arguments", () => {
  test.each([
    ["pull", { command: "pull", target: undefined, variant: undefined }],
    ["pull clip-vit-base-patch32 --variant int8", { target: "clip-vit-base-patch32", variant: "int8" }],
    ["pull a/b --revision refs/pr/1 --name x", { target: "a/b", revision: "refs/pr/1", name: "x" }],
    ["add --variant fp16 folder", { command: "add", target: "folder", variant: "fp16" }],
    ["list --json", { command: "list", asJson: true }],
  ])("%s", (line, expected) => {
    expect(parseModelsArguments(line.split(" "))).toMatchObject(expected);
  });

  test.each([
    "",
    "remove x",
    "list x",
    "add",
    "add a b",
    "pull a b",
    "pull --variant",
    "pull --variant fp8",
    "pull --variant --name",
    "pull --name a --name b",
    "pull --force",
    "pull --revision ../x",
    "verify --json",
    "add x --revision main",
  ])("%j is answered with the usage", (line) => {
    expect(() => parseModelsArguments(line.split(" "))).toThrow(UsageError);
  });

  test("the hub and its token come from the environment, and a wrong one is told by its name alone", () => {
    expect(readModelsConfig({})).toMatchObject({
      hubEndpoint: "https://huggingface.co",
      hubToken: undefined,
    });
    const read = readModelsConfig({
      HF_ENDPOINT: "https://hub.example/",
      HF_TOKEN: "hf_x",
      MODELS_DIR: "/models",
    });
    expect(read).toEqual({ hubEndpoint: "https://hub.example", hubToken: "hf_x", modelsFolder: "/models" });
    expect(() => readModelsConfig({ HF_TOKEN: "hf secret\nx" })).toThrow(/HF_TOKEN is wrong/);
    expect(() => readModelsConfig({ HF_TOKEN: "hf secret\nx" })).not.toThrow(/secret/);
    expect(() => readModelsConfig({ HF_ENDPOINT: "ftp://x" })).toThrow(/HF_ENDPOINT is wrong/);
  });
});

describe("known models", () => {
  test("have names and repositories of their own; the first is what is pulled without a name", () => {
    for (const { name } of knownModels) expect(name).toMatch(modelKeyPattern);
    expect(new Set(knownModels.map(({ repository }) => repository)).size).toBe(knownModels.length);
    expect(knownModels[0]).toMatchObject({ name: "clip-vit-base-patch32", figures: { recall: 59.37 } });
    expect(knownModels.filter(({ figures }) => figures.recall > 59.37).length).toBeGreaterThanOrEqual(3);
  });

  test.each([
    ["clip-vit-base-patch32", { name: "clip-vit-base-patch32", repository: "Xenova/clip-vit-base-patch32" }],
    [
      "Xenova/clip-vit-base-patch32",
      { name: "clip-vit-base-patch32", repository: "Xenova/clip-vit-base-patch32" },
    ],
    ["some/My_Model-ONNX", { name: "my-model", repository: "some/My_Model-ONNX" }],
    ["nothing", undefined],
    ["a/b/c", undefined],
    ["../x", undefined],
    ["a/..", undefined],
    ["https://x/y", undefined],
  ])("%s", (word, expected) => {
    expect(findWanted(word)).toEqual(expected);
  });

  test.each([
    ["clip-vit-base-patch32-int8", { word: "clip-vit-base-patch32", variant: "int8" }],
    ["clip-vit-base-patch32-fp16", { word: "clip-vit-base-patch32", variant: "fp16" }],
    ["clip-vit-base-patch32", { word: "clip-vit-base-patch32", variant: undefined }],
    ["some/model-int8", { word: "some/model-int8", variant: undefined }],
  ])("%s says its variant", (word, expected) => {
    expect(splitVariant(word)).toEqual(expected);
  });
});

describe("progress", () => {
  const megabyte = 1e6;

  test("is one line drawn over on a terminal", () => {
    let [drawn, nowMs] = ["", 0];
    const terminal = { isTTY: true, columns: 60, write: (text: string) => (drawn += text) };
    const meter = new PullMeter(terminal, () => nowMs);
    meter.start(100 * megabyte, new Map([["a", 20 * megabyte]]));
    nowMs = 1_000;
    meter.file("a", 40 * megabyte, 100 * megabyte);
    expect(drawn.trimEnd()).toBe("\r 40 %  40.0 MB of 100.0 MB  20.0 MB/s  3 s left  a");
    nowMs = 1_050;
    meter.file("a", 41 * megabyte, 100 * megabyte);
    expect(drawn.split("\r")).toHaveLength(2);
    nowMs = 1_200;
    meter.file("a", 50 * megabyte, 100 * megabyte);
    expect(drawn.split("\r")).toHaveLength(3);
    for (const line of drawn.split("\r").slice(1)) expect(line).toHaveLength(59);
    meter.retry("It broke off. Much more is said here.", 2_000);
    expect(drawn.endsWith("\nIt broke off. Trying again in 2.0 s.\n")).toBe(true);
  });

  test("is a line now and then elsewhere, and one at the end of each file", () => {
    const lines: string[] = [];
    let nowMs = 0;
    const meter = new PullMeter({ write: (text: string) => lines.push(text) }, () => nowMs);
    meter.start(1_000, new Map());
    for (nowMs = 0; nowMs <= 20_000; nowMs += 100) meter.file("a", nowMs / 40, 900);
    meter.file("a", 900, 900);
    expect(lines).toHaveLength(4);
    expect(lines.every((line) => line.endsWith("a\n") && !line.includes("\r"))).toBe(true);
  });

  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [999_999, "1.0 MB"],
    [351_400_000, "351.4 MB"],
    [2.5e15, "2500.0 TB"],
  ])("%i bytes are %s", (bytes, expected) => {
    expect(describeBytes(bytes)).toBe(expected);
  });
});

describe("made models", () => {
  test("are the same for the same seed and others for another", async () => {
    const read = async (folder: string) => (await readFile(join(folder, vision))).toString("base64");
    const [one, same, other] = [
      await makeTiny({ seed: 3 }),
      await makeTiny({ seed: 3 }),
      await makeTiny({ seed: 4 }),
    ];
    expect(await read(one)).toBe(await read(same));
    expect(await read(one)).not.toBe(await read(other));
    await rm(one, { recursive: true });
  });

  test("have the published shape in full size", () => {
    const { vision: tower, text, dimensions } = planModel("clip", false);
    expect([tower.size, tower.patch, text.tokens, text.vocabulary, dimensions]).toEqual([
      224, 32, 77, 49_408, 512,
    ]);
    const block = (width: number, inner: number) =>
      4 * width * (width + 1) + 2 * width * inner + inner + width + 4 * width;
    const patches = 3 * tower.patch ** 2 + (tower.size / tower.patch) ** 2 + 2 + 4;
    const visionCount = tower.width * (patches + dimensions) + tower.layers * block(tower.width, tower.inner);
    const textCount =
      text.width * (text.vocabulary + text.tokens + 2 + dimensions) +
      text.layers * block(text.width, text.inner);
    // OpenAI's ViT-B/32: 87.8 and 63.4 million.
    expect([visionCount, textCount].map((count) => Math.round(count / 1e5) / 10)).toEqual([87.8, 63.4]);
  });

  test("have merges that are made of what is known before them", () => {
    const { vocab, merges } = buildBytePairs(3_000, 11);
    expect(Object.keys(vocab)).toHaveLength(3_000);
    merges.forEach((merge, rank) => {
      const [left = "", right = ""] = merge.split(" ");
      const id = vocab[left + right] ?? -1;
      expect(id).toBe(512 + rank);
      expect(Math.max(vocab[left] ?? id, vocab[right] ?? id)).toBeLessThan(id);
    });
  });

  test("are asked for by arguments", () => {
    expect(parseMakeArguments(["x", "--tiny", "--siglip", "--variant", "int8", "--seed", "5"])).toEqual({
      folder: "x",
      isTiny: true,
      family: "siglip",
      variants: ["int8"],
      seed: 5,
    });
    for (const line of ["", "--tiny", "x y", "x --variant fp8", "x --seed -1", "x --loud"])
      expect(() => parseMakeArguments(line.split(" ").filter(Boolean))).toThrow(/^Usage/);
    expect(variants).toEqual(["fp32", "fp16", "int8"]);
  });
});
