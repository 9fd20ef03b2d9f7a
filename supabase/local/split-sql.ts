/** What is to be read as one piece: each pattern reaches to the end of the piece, or of the text. */
const opaque = [
  /--[^\n]*/y,
  /"(?:[^"]|"")*(?:"|$)/y,
  // An escape string: its backslash may hide a quote.
  /(?<![\w$])[eE]'(?:[^'\\]|''|\\[\s\S])*(?:'|$)/y,
  /'(?:[^']|'')*(?:'|$)/y,
  /(?<![\w$])\$(\w*)\$[\s\S]*?(?:\$\1\$|$)/y,
];

/**
 * The statements of an SQL text, without the semicolons that end them. Comments stay with the statement that they
 * stand before. Knows strings, quoted names, dollar quotes, nested comments, and bodies of `begin atomic … end`.
 */
export function splitSql(text: string): string[] {
  const statements: string[] = [];
  let from = 0;
  let offset = 0;
  while (offset < text.length) {
    if (text[offset] === ";" && !insideAtomicBody(text.slice(from, offset))) {
      statements.push(text.slice(from, offset));
      from = offset + 1;
    }
    offset = skip(text, offset);
  }
  statements.push(text.slice(from));
  return statements
    .map((statement) => statement.trim())
    .filter((statement) => stripComments(statement) !== "");
}

/** The offset behind the token at `offset`. */
function skip(text: string, offset: number): number {
  if (!"-/\"'eE$".includes(text[offset] ?? "")) return offset + 1;
  if (text.startsWith("/*", offset)) return skipComment(text, offset);
  for (const pattern of opaque) {
    pattern.lastIndex = offset;
    if (pattern.test(text)) return pattern.lastIndex;
  }
  return offset + 1;
}

/** Postgres nests block comments. */
function skipComment(text: string, start: number): number {
  let depth = 0;
  for (let offset = start; offset < text.length; ) {
    if (text.startsWith("/*", offset)) depth += 1;
    else if (text.startsWith("*/", offset)) depth -= 1;
    else {
      offset += 1;
      continue;
    }
    offset += 2;
    if (depth === 0) return offset;
  }
  return text.length;
}

/** The text with every comment left out, trimmed; strings and quotes as they are. */
export function stripComments(text: string): string {
  let kept = "";
  for (let offset = 0; offset < text.length; ) {
    const next = skip(text, offset);
    const token = text.slice(offset, next);
    kept += token.startsWith("--") || token.startsWith("/*") ? " " : token;
    offset = next;
  }
  return kept.trim();
}

/** True between `begin atomic` and its `end`, where semicolons belong to the function's body. */
function insideAtomicBody(statement: string): boolean {
  if (!/\bbegin\s+atomic\b/i.test(statement)) return false;
  const words = stripComments(statement).match(/\bbegin\s+atomic\b|\bcase\b|\bend\b/gi) ?? [];
  const depth = words.reduce((sum, word) => sum + (word.toLowerCase() === "end" ? -1 : 1), 0);
  return depth > 0;
}
