/** HTML that is safe by construction: what goes into a template is text, unless it came out of one. */
const mark = Symbol("html");

export interface Html {
  readonly [mark]: string;
}

type Part = Html | string | number | undefined | false | readonly Part[];

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escapeHtml = (text: string) =>
  text.replace(/[&<>"']/g, (character) => entities[character] ?? character);

export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return trust(String.raw({ raw: strings.map((text) => text) }, ...parts.map(writePart)));
}

/** Text of ours that is HTML already: a style sheet, a script. */
export function trust(text: string): Html {
  return { [mark]: text };
}

export function toText(page: Html): string {
  return page[mark];
}

function writePart(part: Part): string {
  if (part === undefined || part === false) return "";
  if (typeof part === "string") return escapeHtml(part);
  if (typeof part === "number") return String(part);
  if (mark in part) return part[mark];
  return part.map(writePart).join("");
}

/** A description as it is written in the routes: paragraphs, and code between backticks. */
export function writeProse(text: string | undefined): Html {
  const paragraphs = (text ?? "").split(/\n{2,}/).filter((paragraph) => paragraph.trim() !== "");
  return html`${paragraphs.map((paragraph) => html`<p>${writeInline(paragraph)}</p>`)}`;
}

export function writeInline(text: string): Html {
  const pieces = text.split(/`([^`]+)`/);
  return html`${pieces.map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : piece))}`;
}

/** What an anchor may be called: letters, digits and dashes. */
export function toAnchor(...words: string[]): string {
  return words
    .join("-")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
}
