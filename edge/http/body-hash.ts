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
  const find = createFinder(mark);
  const parts: Bytes[] = [];
  let start = 0;
  for (let at = find(bytes, 0); at !== -1; at = find(bytes, start)) {
    // A boundary chosen to be everywhere must not cost more than it is worth.
    if (parts.length >= partsMax) break;
    parts.push(bytes.subarray(start, at));
    start = at + mark.length;
  }
  parts.push(bytes.subarray(start));
  return parts;
}

/**
 * Finds a mark after Knuth, Morris and Pratt: no byte is read again, so a body that is almost the boundary at every
 * byte costs no more than any other.
 */
function createFinder(mark: Uint8Array): (bytes: Uint8Array, from: number) => number {
  const first = mark[0] ?? 0;
  const fallbacks = tabulateFallbacks(mark);
  return (bytes, from) => {
    let matched = 0;
    for (let at = from; at < bytes.length; at++) {
      while (matched > 0 && bytes[at] !== mark[matched]) matched = fallbacks[matched - 1] ?? 0;
      if (matched === 0) at = bytes.indexOf(first, at);
      if (at === -1) return -1;
      matched++;
      if (matched === mark.length) return at - mark.length + 1;
    }
    return -1;
  };
}

/** For each beginning of the mark, how much of its end is a beginning of the mark too. */
function tabulateFallbacks(mark: Uint8Array): Uint8Array {
  const fallbacks = new Uint8Array(mark.length);
  let matched = 0;
  for (let at = 1; at < mark.length; at++) {
    while (matched > 0 && mark[at] !== mark[matched]) matched = fallbacks[matched - 1] ?? 0;
    if (mark[at] === mark[matched]) matched++;
    fallbacks[at] = matched;
  }
  return fallbacks;
}

async function hashBytes(bytes: Bytes): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
