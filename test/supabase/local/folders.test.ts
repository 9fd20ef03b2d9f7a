import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ImageName } from "../../../shared/images/contract.ts";
import { findPictures } from "../../../supabase/local/folders.ts";

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "parlance-folders-"));
  folder = join(root, "pics");
  await mkdir(folder);
});
afterEach(() => rm(root, { recursive: true }));

async function put(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), path);
  }
}

async function listNames(): Promise<string[]> {
  return (await findPictures(folder)).pictures.map(({ name }) => name);
}

test("pictures are found by their endings, below too, and named by their path", async () => {
  await put("b.JPG", "a.tiff", "notes.txt", "trip/день 1/синий.webp", "trip/z.png", "jpg");
  expect(await listNames()).toEqual([
    "pics › a.tiff",
    "pics › b.JPG",
    "pics › trip › z.png",
    "pics › trip › день 1 › синий.webp",
  ]);
});

test("what is hidden, and what a link leads to, is left alone", async () => {
  await put("a.png", ".hidden.png", ".cache/b.png");
  await symlink(join(folder, "a.png"), join(folder, "link.png"));
  await symlink(folder, join(folder, "loop"));
  await symlink(join(root, "nowhere"), join(folder, "dangling.png"));
  expect(await listNames()).toEqual(["pics › a.png"]);
});

test.each([
  ["a line break and a backslash", "two\nlines\\x.png", "pics › two lines › x.png"],
  ["letters in two parts", "Cafe\u0301.png", "pics › Café.png"],
  ["more letters than a name may have", `${"x".repeat(230)}.png`, `${"x".repeat(196)}.png`],
  [
    "a cut between the halves of an emoji",
    `${"🌅".repeat(60)}${"x".repeat(1)}/${"y".repeat(95)}.png`,
    /^🌅+x › y+\.png$/u,
  ],
])("%s becomes a name that the library takes", async (_what, path, expected) => {
  await put(path);
  const [name = ""] = await listNames();
  expect(ImageName.parse(name)).toBe(name);
  expect(name).toEqual(typeof expected === "string" ? expected : expect.stringMatching(expected));
  expect(name.isWellFormed()).toBe(true);
});

test("their bytes are read when they are asked for", async () => {
  await put("a.png");
  const [picture] = (await findPictures(folder)).pictures;
  expect(new TextDecoder().decode(await picture?.bytes())).toBe("a.png");
});
