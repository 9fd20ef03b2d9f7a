/** Names of pictures that were not given but come with a file. */
import { ImageName, imageLimits } from "../../shared/images/contract.ts";

const fallbackName = "picture";

/**
 * The name that a file brings: its last path segment without what a name may not hold. A machine made it, so it is
 * mended, not refused. A long one keeps its ending.
 */
export function nameFromFile(fileName: string): string {
  const lastSegment = fileName.split(/[/\\]/).at(-1) ?? "";
  const cleaned = lastSegment
    .replace(/\p{Cc}/gu, "")
    .normalize("NFC")
    .trim();
  const name = ImageName.safeParse(shortenName(cleaned, imageLimits.nameLengthMax));
  return name.success ? name.data : fallbackName;
}

const numbersMax = 100;

/**
 * The names to try, in order: `sunset.jpg`, `sunset (2).jpg`, `sunset (3).jpg` …, and when a hundred are taken (some
 * telephones name every picture `image.jpg`) one with the random end of an id.
 */
export function listCandidates(name: string, id: string): string[] {
  const marks = Array.from({ length: numbersMax - 1 }, (_, index) => String(index + 2));
  return [name, ...[...marks, id.slice(-12)].map((mark) => markName(name, mark))];
}

function markName(name: string, mark: string): string {
  const { stem, ending } = splitName(name);
  const suffix = ` (${mark})${ending}`;
  return cut(stem, imageLimits.nameLengthMax - suffix.length).trimEnd() + suffix;
}

function shortenName(name: string, lengthMax: number): string {
  if (name.length <= lengthMax) return name;
  const { stem, ending } = splitName(name);
  return cut(stem, lengthMax - ending.length) + ending;
}

/** An ending is a dot and up to ten letters or digits; what stands before it is never empty. */
function splitName(name: string): { stem: string; ending: string } {
  const match = /^(.+)(\.[\p{L}\p{N}]{1,10})$/su.exec(name);
  return { stem: match?.[1] ?? name, ending: match?.[2] ?? "" };
}

/** At most `lengthMax` UTF-16 units, without half a character at the end. */
function cut(text: string, lengthMax: number): string {
  return text.slice(0, lengthMax).replace(/[\ud800-\udbff]$/, "");
}
