import { Buffer } from "node:buffer";
import parseExif from "exif-reader";
import type { ExifValue, Place } from "../../shared/images/contract.ts";
import { isExifBounded } from "./exif-bounds.ts";

/**
 * What the camera wrote into a picture, as plain typed values. The place is kept apart, because it is more private
 * than the rest. A block that is broken is as good as none: it never fails the picture.
 */
export interface PictureExif {
  /** ISO 8601 in UTC; null where the block does not say which zone its clock was in. `DateTimeOriginal` has the clock. */
  readonly takenAt: string | null;
  /** Make and model in one line. */
  readonly camera: string | null;
  /** By the names of Exif 3.0. Never GPS, maker notes or raw bytes. */
  readonly tags: Readonly<Record<string, ExifValue>>;
  readonly place: Place | null;
}

const tagsMax = 100;
/** As JSON; the row takes 64 kB. */
const tagsBytesMax = 32 * 1024;
const textLengthMax = 500;
const numbersMax = 16;

/** Pointers into the file, embedded thumbnails and other things that say nothing to a person. */
const skipped =
  /^(\d+|.*Tag|PrintImageMatching|MakerNote|UserComment|Padding|OffsetSchema|JPEG.*|Strip.*|Tile.*|XP.*|XMLPacket)$/;

const nothing: PictureExif = { takenAt: null, camera: null, tags: {}, place: null };

type Fields = Readonly<Record<string, unknown>>;

export function readExif(block: Uint8Array | undefined): PictureExif {
  if (!block || !isExifBounded(block)) return nothing;
  try {
    const parsed = parseExif(Buffer.from(block.buffer, block.byteOffset, block.byteLength));
    const tags = collectTags([parsed.Image ?? {}, parsed.Photo ?? {}]);
    const place = parsed.GPSInfo ?? {};
    return {
      takenAt: readTime(parsed.Photo ?? {}, place),
      camera: readCamera(tags),
      tags,
      place: readPlace(place),
    };
  } catch {
    return nothing;
  }
}

function collectTags(groups: readonly Fields[]): Record<string, ExifValue> {
  const tags: Record<string, ExifValue> = {};
  let bytes = 0;
  for (const [name, raw] of groups.flatMap((group) => Object.entries(group))) {
    if (Object.keys(tags).length >= tagsMax) break;
    const value = skipped.test(name) ? undefined : toValue(raw);
    if (value === undefined) continue;
    bytes += Buffer.byteLength(JSON.stringify([name, value]));
    if (bytes > tagsBytesMax) break;
    tags[name] = value;
  }
  return tags;
}

function toValue(raw: unknown): ExifValue | undefined {
  if (typeof raw === "string") return toText(raw);
  if (typeof raw === "number") return Number.isFinite(raw) ? raw : undefined;
  if (raw instanceof Date) return isPlausible(raw) ? raw.toISOString().slice(0, 19) : undefined;
  // Names with accents come as bytes: the standard says ASCII, cameras write UTF-8.
  if (raw instanceof Uint8Array) return toText(new TextDecoder().decode(raw.subarray(0, 4 * textLengthMax)));
  if (!Array.isArray(raw) || raw.length === 0 || raw.length > numbersMax) return undefined;
  return raw.every((value) => typeof value === "number" && Number.isFinite(value))
    ? (raw as number[])
    : undefined;
}

/** Up to the first NUL; text with other control characters is bytes in disguise. */
function toText(raw: string): string | undefined {
  const text = (raw.split("\0")[0] ?? "").trim().slice(0, textLengthMax);
  return text === "" || /[\p{Cc}\uFFFD]/u.test(text) ? undefined : text.toWellFormed();
}

function readCamera(tags: Readonly<Record<string, ExifValue>>): string | null {
  const [make, model] = [tags.Make, tags.Model].map((value) => (typeof value === "string" ? value : ""));
  const name = model?.toLowerCase().startsWith(make?.toLowerCase() ?? "") ? model : `${make} ${model}`;
  return name?.trim().slice(0, 200) || null;
}

/** The clock of the camera with its offset (Exif 2.31); else the satellites' time, which is UTC. */
function readTime(photo: Fields, place: Fields): string | null {
  const clock = photo.DateTimeOriginal;
  const offset = typeof photo.OffsetTimeOriginal === "string" ? photo.OffsetTimeOriginal.trim() : "";
  if (clock instanceof Date && /^[+-]\d\d:\d\d$/.test(offset))
    return toIso(`${clock.toISOString().slice(0, 19)}${offset}`);
  const [hours, minutes, seconds] = numbersOf(place.GPSTimeStamp, 3);
  const date = typeof place.GPSDateStamp === "string" ? place.GPSDateStamp.trim() : "";
  if (seconds === undefined || !/^\d{4}:\d\d:\d\d$/.test(date)) return null;
  const time = [hours, minutes, Math.floor(seconds)].map((value) => String(value).padStart(2, "0")).join(":");
  return toIso(`${date.replaceAll(":", "-")}T${time}Z`);
}

function toIso(text: string): string | null {
  const time = new Date(text);
  return isPlausible(time) ? time.toISOString() : null;
}

/** A clock that was never set writes zeros, which count as 30 November 1899. */
function isPlausible(time: Date): boolean {
  const year = time.getUTCFullYear();
  return year >= 1900 && year < 2200;
}

function readPlace(fields: Fields): Place | null {
  const latitude = readDegrees(fields.GPSLatitude, fields.GPSLatitudeRef, "S", 90);
  const longitude = readDegrees(fields.GPSLongitude, fields.GPSLongitudeRef, "W", 180);
  if (latitude === undefined || longitude === undefined) return null;
  const height = fields.GPSAltitude;
  const isBelow = fields.GPSAltitudeRef === 1;
  const isHeight = typeof height === "number" && height >= 0 && height < 100_000;
  return { latitude, longitude, altitudeMetres: isHeight ? (isBelow ? -height : height) : null };
}

/** Degrees, minutes and seconds as a signed number with seven places, about a centimetre. */
function readDegrees(raw: unknown, side: unknown, negative: string, max: number): number | undefined {
  const [degrees, minutes, seconds] = numbersOf(raw, 3);
  if (degrees === undefined || minutes === undefined || seconds === undefined) return undefined;
  const value = degrees + minutes / 60 + seconds / 3600;
  if (!(value >= 0 && value <= max) || minutes >= 60 || seconds >= 60) return undefined;
  const rounded = Math.round(value * 1e7) / 1e7;
  return typeof side === "string" && side.toUpperCase().startsWith(negative) ? -rounded : rounded;
}

function numbersOf(raw: unknown, count: number): number[] {
  if (!Array.isArray(raw) || raw.length !== count) return [];
  return raw.every((value) => typeof value === "number" && Number.isFinite(value)) ? raw : [];
}
