import type { Bytes } from "./bytes.ts";

/**
 * A hash of what was asked. The boundary of a form is left out: it is drawn anew each time the same form is sent,
 * so the parts between are hashed one by one.
 */
export async function hashBody(body: Bytes, contentType = "", query = ""): Promise<string> {
  const [mediaType = ""] = contentType.toLowerCase().split(";");
  const boundary = /boundary="?([^";]{1,70})"?/i.exec(contentType)?.[1];
  const isForm = mediaType.trim() === "multipart/form-data" && boundary !== undefined;
  const parts = isForm ? splitAt(body, new TextEncoder().encode(`--${boundary}`)) : [body];
  const hashes = await Promise.all(parts.map(hashBytes));
  return hashBytes(new TextEncoder().encode([mediaType.trim(), query, ...hashes].join("\n")));
}

const partsMax = 1000;

function splitAt(bytes: Bytes, mark: Uint8Array): Bytes[] {
  const parts: Bytes[] = [];
  let start = 0;
  for (let at = findMark(bytes, mark, 0); at !== -1; at = findMark(bytes, mark, start)) {
    // A boundary chosen to be everywhere must not cost more than it is worth.
    if (parts.length >= partsMax) break;
    parts.push(bytes.subarray(start, at));
    start = at + mark.length;
  }
  parts.push(bytes.subarray(start));
  return parts;
}

function findMark(bytes: Uint8Array, mark: Uint8Array, from: number): number {
  const [first = 0] = mark;
  for (let at = bytes.indexOf(first, from); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (mark.every((byte, offset) => bytes[at + offset] === byte)) return at;
  }
  return -1;
}

async function hashBytes(bytes: Bytes): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
