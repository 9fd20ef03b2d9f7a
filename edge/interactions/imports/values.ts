/** Values as people write them in files. */
import { mendLabel } from "../../../shared/interactions/contract.ts";
import type { ImportDelimiter } from "../../../shared/interactions/imports.ts";

/** Undefined for an empty field; what is no number is left as it is, for the schema to refuse. */
export function readNumber(value: unknown, delimiter: ImportDelimiter | null): unknown {
  if (typeof value !== "string") return value;
  const text = value.trim();
  if (text === "") return undefined;
  // Where fields are parted by semicolons, numbers have commas.
  const plain = delimiter !== "," && /^-?\d+,\d+$/.test(text) ? text.replace(",", ".") : text;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(plain) ? Number(plain) : text;
}

/** With commas between them, or as a JSON array; what is no tag is left as it is, for the schema to refuse. */
export function readTags(value: unknown): unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap(toTag);
  if (isObject(value)) return [value];
  const text = String(value).trim();
  if (text.startsWith("[")) {
    try {
      const parsed: unknown = JSON.parse(text);
      if (Array.isArray(parsed)) return parsed.flatMap(toTag);
    } catch {
      // Then it is what it says.
    }
  }
  return text.split(",").flatMap(toTag);
}

/** Arrays too. Its `toString` may be anything. */
function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function toTag(value: unknown): unknown[] {
  if (isObject(value)) return [value];
  const tag = mendLabel(String(value));
  return tag === "" ? [] : [tag];
}

const timePattern =
  /^(\d{4}-\d\d-\d\d)(?:[T ]+(\d\d:\d\d)(:\d\d)?(\.\d{1,9})?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?)?$/i;
/** 1970; what is older is a mistake. */
const oldestMs = 0;

/** As ISO 8601: a time without a zone is UTC, ten digits are seconds since 1970 and thirteen are milliseconds. */
export function readTime(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (isObject(value)) return "unknown";
  const text = String(value).trim();
  if (text === "") return undefined;
  const time = /^\d{10}(?:\.\d+)?$|^\d{13}$/.test(text) ? fromEpoch(text) : fromText(text);
  const ms = time === undefined ? Number.NaN : Date.parse(time);
  return time !== undefined && ms >= oldestMs ? time : "unknown";
}

function fromEpoch(text: string): string {
  const number = Number(text);
  return new Date(text.length === 13 ? number : Math.round(number * 1000)).toISOString();
}

function fromText(text: string): string | undefined {
  const match = timePattern.exec(text);
  if (!match) return undefined;
  const [, day = "", minutes = "00:00", seconds = ":00", fraction = "", zone = "Z"] = match;
  const time = `${day}T${minutes}${seconds}${fraction.slice(0, 7)}${toZone(zone)}`;
  // A day that no month has would be another day.
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
  const isDay = new Date(Date.UTC(year, month - 1, date)).getUTCDate() === date;
  return isDay ? time : undefined;
}

function toZone(zone: string): string {
  if (/^(z|utc)$/i.test(zone)) return "Z";
  const digits = zone.slice(1).replace(":", "").padEnd(4, "0");
  return `${zone[0]}${digits.slice(0, 2)}:${digits.slice(2)}`;
}
