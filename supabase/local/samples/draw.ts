import sharp, { type Exif } from "sharp";
import { drawDunes, drawFog, drawForest, drawLavender, drawMountains, drawSunset } from "./land.ts";
import { drawAutumn, drawBlossom, drawFire, drawNightCity, drawReef, drawZebra } from "./life.ts";

/** A dozen pictures for the first start: drawn, so that they are free, small and the same everywhere. */
export interface Sample {
  readonly name: string;
  readonly title: string;
  readonly keywords: readonly string[];
  readonly mediaType: "image/jpeg" | "image/png" | "image/webp";
  readonly bytes: Uint8Array;
}

interface Plan extends Omit<Sample, "bytes"> {
  readonly draw: () => string;
  readonly exif?: Exif;
}

/** As a camera with a satellite receiver writes it, so that the first start shows what becomes of it. */
const sunsetExif: Exif = {
  IFD0: { Make: "Parlance", Model: "Parlance Brush", Artist: "Parlance", Copyright: "MIT licence" },
  IFD2: {
    DateTimeOriginal: "2026:06:21 21:34:12",
    OffsetTimeOriginal: "+02:00",
    FNumber: "8/1",
    ExposureTime: "1/125",
    ISOSpeedRatings: "100",
    FocalLength: "35/1",
  },
  IFD3: {
    GPSLatitudeRef: "N",
    GPSLatitude: "43/1 16/1 4356/100",
    GPSLongitudeRef: "E",
    GPSLongitude: "6/1 38/1 2340/100",
    GPSAltitudeRef: "0",
    GPSAltitude: "4/1",
  },
};

const plans: readonly Plan[] = [
  plan("sunset-over-the-sea.jpg", "Sunset over the sea", "sunset sea boat evening", drawSunset, sunsetExif),
  plan("forest-in-the-morning.jpg", "Forest in the morning", "forest trees light ferns", drawForest),
  plan("snow-mountains.jpg", "Mountains in the snow", "mountains snow winter firs", drawMountains),
  plan("city-at-night.png", "City at night", "city night lights river", drawNightCity),
  plan("desert-dunes.webp", "Dunes of a desert", "desert dunes sand", drawDunes),
  plan("lavender-field.jpg", "Lavender field with a tree", "lavender field flowers summer", drawLavender),
  plan("zebra.png", "Hide of a zebra", "zebra stripes animal", drawZebra),
  plan("autumn-leaves.jpg", "Fallen leaves", "autumn leaves ground", drawAutumn),
  plan("coral-reef.webp", "Fish over a coral reef", "reef coral fish underwater", drawReef),
  plan("lake-in-the-fog.jpg", "Boat on a lake in the fog", "lake fog boat morning", drawFog),
  plan("apple-blossom.webp", "Apple blossom", "blossom spring leaves flowers", drawBlossom),
  plan("campfire.jpg", "Campfire", "fire flames night sparks", drawFire),
];

export async function drawSamples(): Promise<(Sample & { bytes: Buffer })[]> {
  return Promise.all(plans.map(drawSample));
}

async function drawSample({ draw, exif, ...about }: Plan): Promise<Sample & { bytes: Buffer }> {
  const picture = sharp(Buffer.from(draw())).flatten({ background: "#ffffff" });
  const encoded = {
    "image/jpeg": () => picture.jpeg({ quality: 88 }),
    "image/png": () => picture.png({ palette: true, quality: 90, effort: 3 }),
    "image/webp": () => picture.webp({ quality: 86, effort: 2 }),
  }[about.mediaType]();
  return { ...about, bytes: await (exif ? encoded.withExif(exif) : encoded).toBuffer() };
}

function plan(name: string, title: string, keywords: string, draw: () => string, exif?: Exif): Plan {
  const ending = name.slice(name.lastIndexOf(".") + 1);
  const mediaType = ending === "jpg" ? "image/jpeg" : ending === "png" ? "image/png" : "image/webp";
  return { name, title, keywords: keywords.split(" "), mediaType, draw, ...(exif ? { exif } : {}) };
}

/** How long drawing may take on a slow machine. */
const drawMsMax = 120_000;

/**
 * Draws in a process of its own, while this one does other things: what the drawing takes, about 120 MiB, is given
 * back only when its process ends.
 */
export async function drawSamplesBeside(): Promise<Sample[]> {
  const child = Bun.spawn([process.execPath, import.meta.path], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: drawMsMax,
  });
  const [drawn, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) {
    throw new Error(`The samples could not be drawn: ${errors.trim() || child.signalCode}`);
  }
  const samples = JSON.parse(drawn) as (Omit<Sample, "bytes"> & { bytes: string })[];
  return samples.map(({ bytes, ...about }) => ({ ...about, bytes: Buffer.from(bytes, "base64") }));
}

if (import.meta.main) {
  const samples = await drawSamples();
  const texts = samples.map(({ bytes, ...about }) => ({ ...about, bytes: bytes.toString("base64") }));
  await Bun.write(Bun.stdout, JSON.stringify(texts));
}
