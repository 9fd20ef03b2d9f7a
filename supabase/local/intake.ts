/** What a start takes in: the samples once, then the user's folders; and the searches that show what came of it. */
import type { LocalConfig } from "./config.ts";
import { findPictures } from "./folders.ts";
import { ingest, type Library, type Picture } from "./library.ts";
import { readMarker, writeMarker } from "./markers.ts";
import { createProgressBar, toPrintable } from "./progress.ts";
import type { Sample } from "./samples/draw.ts";

const showcaseQueries = ["sunset colours", "dark night", "pale green and white"];
const refusedShown = 20;

/** Begins to draw the samples where this data folder never had them; undefined where it had, or shall have none. */
export async function drawNeededSamples(config: LocalConfig): Promise<Sample[] | undefined> {
  if (!config.withSamples || (await readMarker(config.dataDir, "samples"))) return undefined;
  const { drawSamplesBeside } = await import("./samples/draw.ts");
  return drawSamplesBeside();
}

export interface Intake {
  readonly dataDir: string;
  readonly samples: readonly Sample[] | undefined;
  readonly folders: readonly string[];
  /** Ends it, with an error. */
  readonly signal: AbortSignal;
}

/** What is there already is left alone. */
export async function fillLibrary(
  library: Library,
  { dataDir, samples, folders, signal }: Intake,
): Promise<void> {
  if (samples) {
    await takeInSamples(library, samples, signal);
    await writeMarker(dataDir, "samples");
  }
  for (const folder of folders) await takeInFolder(library, folder, signal);
  if (samples || folders.length > 0) await showSearches(library);
}

/** Published by their names, not by what was added: an earlier start may have ended in between. */
async function takeInSamples(
  library: Library,
  samples: readonly Sample[],
  signal: AbortSignal,
): Promise<void> {
  const pictures = samples.map(({ bytes, ...picture }) => ({ ...picture, bytes: async () => bytes }));
  await takeIn(library, pictures, { what: "sample pictures", signal });
  for (const { name } of samples) {
    const image = await library.find(name);
    if (image) await library.publish(image.id);
  }
}

async function takeInFolder(library: Library, folder: string, signal: AbortSignal): Promise<void> {
  const { pictures, unreadable, isCut } = await findPictures(folder);
  if (pictures.length === 0) console.log(`\nNo picture in ${folder}: no file there ends as pictures do.`);
  else await takeIn(library, pictures, { what: `pictures of ${folder}`, signal });
  for (const path of unreadable.slice(0, refusedShown)) console.log(`  not opened: ${toPrintable(path)}`);
  if (isCut) console.log(`  There are more pictures; one start takes ${pictures.length} of a folder.`);
}

async function takeIn(
  library: Library,
  pictures: readonly Picture[],
  { what, signal }: { what: string; signal: AbortSignal },
): Promise<void> {
  console.log(`\nMaking ${pictures.length} ${what} searchable`);
  const bar = createProgressBar(pictures.length);
  const report = await ingest(library, pictures, (done, message) => bar.update(done, message), signal);
  bar.update(pictures.length, "done");
  bar.end();
  if (report.skipped > 0) console.log(`  ${report.skipped} were there already`);
  for (const { name, reason } of report.refused.slice(0, refusedShown)) {
    console.log(`  not taken: ${toPrintable(name)}: ${toPrintable(reason)}`);
  }
  if (report.refused.length > refusedShown) {
    console.log(`  … and ${report.refused.length - refusedShown} more`);
  }
}

async function showSearches(library: Library): Promise<void> {
  for (const query of showcaseQueries) {
    const page = await library.search(query, 3);
    console.log(`\nSearch “${query}”${page.reason ? ` (${page.reason})` : ""}`);
    for (const hit of page.items)
      console.log(`  ${hit.score.toFixed(2).padStart(6)}  ${toPrintable(hit.title ?? hit.name)}`);
  }
}
