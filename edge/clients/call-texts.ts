/** Texts of calls as the log takes them: bounded, without the bytes of pictures, without keys. */
import { redactText } from "../../shared/interactions/personal-data.ts";

const markOfCut = (left: number) => `… [${left} characters left out]`;
const cutPattern = /… \[(\d+) characters left out\]$/;

/** A text that grows and is kept as far as its budget goes; the rest is counted. Several may share a budget. */
export class KeptText {
  readonly #budget: { left: number };
  readonly #kept: string[] = [];
  #leftOut = 0;

  constructor(budget: { left: number }) {
    this.#budget = budget;
  }

  append(text: string): void {
    const kept = text.slice(0, this.#budget.left);
    this.#budget.left -= kept.length;
    this.#leftOut += text.length - kept.length;
    if (kept !== "") this.#kept.push(kept);
  }

  toString(): string {
    return this.#kept.join("") + (this.#leftOut > 0 ? markOfCut(this.#leftOut) : "");
  }
}

/** The end of a string that was cut after `left` more characters. */
export const endOfCut = markOfCut;

/** Its beginning and its end, since prompts begin with rules and end with the question. */
export function cutText(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  // Room for the mark, whose length depends on what it says.
  const room = Math.max(0, charactersMax - markOfCut(text.length).length - 2);
  const head = Math.ceil(room / 2);
  const mark = ` ${markOfCut(text.length - room)} `;
  return (text.slice(0, head) + mark + text.slice(text.length - (room - head))).slice(0, charactersMax);
}

/** In place of bytes: `[image, 12 kB]`; `[image]` where there are none. */
export function describeData(kind: string, base64: string | undefined): string {
  if (!base64) return `[${kind}]`;
  const leftOut = Number(cutPattern.exec(base64)?.[1] ?? 0);
  const encoded = base64
    .replace(cutPattern, "")
    .replace(/^data:[^,]{0,200},/i, "")
    .replace(/=+$/, "");
  return describeBytes(kind, Math.floor(((encoded.length + leftOut) * 3) / 4));
}

export function describeBytes(kind: string, sizeBytes: number): string {
  if (sizeBytes < 1000) return `[${kind}, ${sizeBytes} B]`;
  if (sizeBytes < 1_000_000) return `[${kind}, ${Math.round(sizeBytes / 1000)} kB]`;
  return `[${kind}, ${(sizeBytes / 1_000_000).toFixed(1)} MB]`;
}

/** An address of a picture or file: one that holds the bytes is told by its size, any other without what may prove access. */
export function describeUrl(kind: string, url: string): string {
  if (/^data:/i.test(url)) return describeData(kind, url);
  const [address = ""] = url.split(/[?#]/);
  return `[${kind} ${address.replace(/\/\/[^/@]*@/, "//").slice(0, 500)}]`;
}

// Both run in linear time: neither can begin within a match of its own.
const dataUrlPattern =
  /data:([a-z]{1,20})\/[\w.+-]{1,100}(?:;[\w=.+-]{1,100}){0,5};base64,[A-Za-z0-9+/_-]*={0,2}(?:… \[\d+ characters left out\])?/gi;
const base64Pattern = /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{512,}={0,2}(?:… \[\d+ characters left out\])?/g;

/** A long row of letters is no base64 as long as one kind of them is missing. */
const isBase64 = (text: string) => /[A-Z]/.test(text) && /[a-z]/.test(text) && /\d/.test(text);

const kindOf = (type: string) => (/^(?:image|audio|video)$/i.test(type) ? type.toLowerCase() : "file");

/** Without bytes in base64, keys, and the secrets that the call itself was made with. */
export function cleanText(text: string, secrets: readonly string[]): string {
  const withoutData = text
    .replace(dataUrlPattern, (url: string, type: string) => describeData(kindOf(type), url))
    .replace(base64Pattern, (found) => (isBase64(found) ? describeData("data", found) : found));
  const withoutSecrets = secrets.reduce(
    (cleaned, secret) => cleaned.replaceAll(secret, "[key]"),
    withoutData,
  );
  return redactText(withoutSecrets, ["key"]);
}
