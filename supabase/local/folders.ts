import { readdir, readFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { imageLimits } from "../../shared/images/contract.ts";
import type { Picture } from "./library.ts";

const pictureEndings = /\.(jpe?g|png|webp|avif|gif|tiff?|heic|heif)$/i;
/** The most that one start takes from a folder. */
const picturesMax = 10_000;

export interface FoundPictures {
  readonly pictures: readonly Picture[];
  /** Folders below that could not be opened. */
  readonly unreadable: readonly string[];
  /** True where there are more than are taken. */
  readonly isCut: boolean;
}

/** Pictures below the folder by their endings; hidden files and links are left alone. */
export async function findPictures(folder: string): Promise<FoundPictures> {
  const paths: string[] = [];
  const unreadable: string[] = [];
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined && paths.length <= picturesMax; next = waiting.pop()) {
    const entries = await readdir(next, { withFileTypes: true }).catch(() => undefined);
    if (!entries) unreadable.push(next);
    const visible = (entries ?? []).filter(({ name }) => !name.startsWith(".")).sort(byName);
    for (const entry of visible) {
      if (entry.isFile() && pictureEndings.test(entry.name)) paths.push(join(next, entry.name));
    }
    // The last one in is the next one out.
    for (const entry of visible.reverse()) {
      if (entry.isDirectory()) waiting.push(join(next, entry.name));
    }
  }
  const pictures = paths.slice(0, picturesMax).map((path) => ({
    name: namePicture(folder, path),
    mediaType: "application/octet-stream",
    bytes: () => readFile(path),
  }));
  return { pictures, unreadable, isCut: paths.length > picturesMax };
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1;
}

/** The path from the folder on, as a name may be: without slashes and control characters, a long one by its end. */
function namePicture(folder: string, path: string): string {
  const name = join(basename(folder), relative(folder, path))
    .split(/[/\\]/)
    .join(" › ")
    .replaceAll(/\p{Cc}+/gu, " ")
    .normalize("NFC");
  let start = Math.max(0, name.length - imageLimits.nameLengthMax);
  // Not between the halves of a character.
  if (/[\uDC00-\uDFFF]/.test(name.charAt(start))) start += 1;
  return name.slice(start).trim();
}
