import sharp from "sharp";
import { expect, test } from "vitest";
import { foldMarks, type Mark } from "../../../edge/images/folding.ts";
import { nameColours } from "../../../gpu-sidecar/image/colours.ts";
import { hashPicture } from "../../../gpu-sidecar/image/hash.ts";
import { drawPictures, encodePicture } from "../../helpers/pictures.ts";

const hash = "f0f0f0f0f0f0f0f0";

function mark(id: string, facts: Partial<Mark> = {}): Mark {
  return { id, sha256: null, perceptualHash: hash, size: "4x3x100", colours: ["red"], ...facts };
}

const fold = (marks: Mark[], how: "duplicates" | "similar") =>
  foldMarks(marks, how).map(({ id, duplicates }) => [id, ...duplicates].join(" "));

test("the first stands for the others, and the order stays", () => {
  const marks = [mark("a"), mark("b", { perceptualHash: "0f0f0f0f0f0f0f0f" }), mark("c"), mark("d")];
  expect(fold(marks, "duplicates")).toEqual(["a c d", "b"]);
});

test("files are known by their hash, whatever they look like", () => {
  const sha = (letter: string) => ({ sha256: letter.repeat(64) });
  const other = { perceptualHash: "0f0f0f0f0f0f0f0f", size: "1x1x1" };
  expect(fold([mark("a", sha("a")), mark("b", { ...sha("a"), ...other })], "duplicates")).toEqual(["a b"]);
  expect(fold([mark("a", sha("a")), mark("b", sha("b"))], "duplicates")).toEqual(["a", "b"]);
});

test("without it, the same look is a duplicate only at the same size", () => {
  expect(fold([mark("a"), mark("b", { size: "4x3x101" })], "duplicates")).toEqual(["a", "b"]);
  expect(fold([mark("a"), mark("b", { size: "4x3x101" })], "similar")).toEqual(["a b"]);
});

test("pictures that were not looked at are never folded", () => {
  const unseen = { perceptualHash: null };
  for (const how of ["duplicates", "similar"] as const)
    expect(fold([mark("a", unseen), mark("b", unseen)], how)).toEqual(["a", "b"]);
});

test("the same shapes in other colours are not alike, and even pictures only where their colours are known", () => {
  expect(fold([mark("a"), mark("b", { size: "2", colours: ["blue"] })], "similar")).toEqual(["a", "b"]);
  const even = { perceptualHash: "8000000000000000" };
  const marks = (colours: string[] | null) => [
    mark("a", { ...even, colours }),
    mark("b", { ...even, colours, size: "2" }),
  ];
  expect(fold(marks(["red"]), "similar")).toEqual(["a b"]);
  expect(fold(marks(null), "similar")).toEqual(["a", "b"]);
});

async function lookAt(id: string, bytes: Uint8Array): Promise<Mark> {
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const raster = { data: new Uint8Array(data), width: info.width, height: info.height };
  return mark(id, {
    perceptualHash: await hashPicture(raster),
    size: `${info.width}x${info.height}x${bytes.length}`,
    colours: nameColours(raster),
  });
}

test("of 42 drawn pictures none goes under another, and most copies under their own", async () => {
  const originals: Mark[] = [];
  const copies: Mark[] = [];
  for (const [index, picture] of drawPictures(42, 5).entries()) {
    const png = await encodePicture(picture);
    originals.push(await lookAt(`original ${index}`, png));
    copies.push(await lookAt(`jpeg ${index}`, await sharp(png).jpeg({ quality: 60 }).toBuffer()));
    const half = sharp(png).resize(120, 90).jpeg({ quality: 80 });
    copies.push(await lookAt(`half ${index}`, await half.toBuffer()));
  }
  expect(foldMarks(originals, "similar")).toHaveLength(42);
  const folded = foldMarks([...originals, ...copies], "similar");
  const numberOf = (id: string) => id.split(" ")[1];
  const right = folded.flatMap(({ id, duplicates }) =>
    duplicates.filter((one) => numberOf(one) === numberOf(id)),
  );
  const wrong = folded.flatMap(({ id, duplicates }) =>
    duplicates.filter((one) => numberOf(one) !== numberOf(id)),
  );
  expect(wrong).toEqual([]);
  expect(right.length).toBeGreaterThanOrEqual(0.93 * copies.length);
});
