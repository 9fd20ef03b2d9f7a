/**
 * A cursor is where a page ended: the exact values of its last row as JSON in base64url. It is opaque to callers
 * and trusted by nobody: what comes back must fit the schema again.
 */
import { z } from "zod";
import { AppError } from "../../shared/errors.ts";

const lengthMax = 1024;

/** A time as the database writes it, with all its microseconds and no more, in years that Postgres knows too. */
export const RowTime = z.iso.datetime().regex(/^(19|2\d)\d\d-[^.]+(\.\d{1,6})?Z$/);

export function encodeCursor(values: Readonly<Record<string, unknown>>): string {
  const bytes = new TextEncoder().encode(JSON.stringify(values));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

export function decodeCursor<Values>(schema: z.ZodType<Values>, cursor: string): Values {
  const result = schema.safeParse(parse(cursor));
  if (result.success) return result.data;
  throw new AppError("invalid_cursor", "The cursor is not one that this list gave.");
}

function parse(cursor: string): unknown {
  if (cursor.length > lengthMax) return undefined;
  try {
    const binary = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** A page of rows that were asked for with one more than `limit`, to know whether there is a next page. */
export function cutPage<Row>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (row: Row) => Readonly<Record<string, unknown>>,
): Page<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last ? encodeCursor(cursorOf(last)) : null };
}
