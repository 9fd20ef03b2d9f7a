import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { searchPictures, type Wish } from "../../docs/examples/search-pictures.ts";
import { drawPicture } from "../http/pictures.ts";
import { type OpenStack, openStack } from "../http/targets.ts";

let house: OpenStack;
let folder: string;
let wish: Wish;
beforeAll(async () => {
  house = await openStack();
  folder = await mkdtemp(join(tmpdir(), "parlance-examples-"));
  const file = join(folder, "embers.jpg");
  await writeFile(file, await drawPicture("orangered", 7));
  wish = {
    url: house.stack.publicUrl,
    publishableKey: house.stack.keys.publishableKey,
    email: "reader@example.com",
    password: "correct horse battery",
    file,
    words: "glowing orange",
  };
}, 120_000);
afterAll(async () => {
  await house?.close();
  await rm(folder, { recursive: true, force: true });
});

test("the example adds a picture, hears of its job, and finds it by words", { timeout: 90_000 }, async () => {
  const lines: string[] = [];
  const page = await searchPictures(wish, (line) => lines.push(line));
  expect(page.method).not.toBe("keywords");
  expect(page.items.map(({ name }) => name)).toEqual(["embers.jpg"]);
  expect(lines.filter((line) => line.startsWith("job.")).at(-1)).toMatch(/^job\.done/);
  const link = lines.find((line) => line.includes("embers.jpg"))?.split("  ")[2] ?? "";
  const thumbnail = await fetch(link);
  expect(thumbnail.headers.get("content-type")).toMatch(/^image\//);
});

test("the example says why it cannot: the file is no picture", async () => {
  const file = join(folder, "words.txt");
  await writeFile(file, "no picture at all");
  await expect(searchPictures({ ...wish, file }, () => {})).rejects.toMatchObject({
    name: "ApiProblem",
    code: "unsupported_media_type",
  });
});
