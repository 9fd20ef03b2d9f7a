/** Words in texts: SQL leaves out what cannot hold them, and what is left is decided here, exactly. */
import type { TransactionSql } from "postgres";
import { holdsTerms } from "../../../shared/interactions/words.ts";
import type { FoundKey, Fragment, Key, Stretch } from "./keys.ts";

/** Texts that one page reads, in bytes; one row is read however large it is. */
const bytesMax = 4_000_000;
const rowsMax = 250;

/** A stretch without what does not hold the terms; shorter where its texts are too much for one page, or enough was found. */
export async function checkTexts(
  sql: TransactionSql,
  { keys, stop }: Stretch,
  { terms, found: wanted }: { readonly terms: readonly string[]; readonly found: number },
): Promise<Stretch> {
  const found: FoundKey[] = [];
  let bytes = 0;
  let begin = 0;
  let last: Key | null = null;
  while (begin < keys.length) {
    const chunk = cutChunk(keys, begin, begin === 0 ? bytesMax : bytesMax - bytes);
    if (chunk.length === 0) return { keys: found, stop: last };
    const ids = await listHolding(sql, chunk, terms);
    for (const key of chunk) {
      last = key;
      if (ids.has(key.id)) found.push(key);
      if (found.length >= wanted) return { keys: found, stop: last };
    }
    bytes += chunk.reduce((sum, key) => sum + key.bytes, 0);
    begin += chunk.length;
  }
  return { keys: found, stop };
}

/** What fits into the bytes that are left; the first of all always does. */
function cutChunk(keys: readonly FoundKey[], begin: number, bytesLeft: number): FoundKey[] {
  const chunk: FoundKey[] = [];
  let bytes = 0;
  for (const key of keys.slice(begin, begin + rowsMax)) {
    bytes += key.bytes;
    if (bytes > bytesLeft && (begin > 0 || chunk.length > 0)) break;
    chunk.push(key);
  }
  return chunk;
}

async function listHolding(
  sql: TransactionSql,
  keys: readonly Key[],
  terms: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql<{ id: string; input: string; output: string }[]>`
    select rows.id, rows.input, rows.output
    from parlance.interactions as rows
    where rows.id = any(${`{${keys.map(({ id }) => id).join(",")}}`}::text::uuid[])
      and ${mayHold(sql, terms)}
  `;
  return new Set(rows.filter(({ input, output }) => holdsTerms([input, output], terms)).map(({ id }) => id));
}

/**
 * Every text that holds the terms, and some others: by terms in ASCII alone. The collation `C` knows the lower case of nothing else and
 * is several times as fast; beside ASCII only the sign of kelvin has a lower case in it.
 */
function mayHold(sql: TransactionSql, terms: readonly string[]): Fragment {
  const parts = terms.flatMap((term) => (/^[a-z0-9'_-]+$/.test(term) ? [longestPart(term)] : []));
  return parts
    .map((part) => {
      const inEither = sql`strpos(lower(rows.input collate "C"), ${part}) > 0 or strpos(lower(rows.output collate "C"), ${part}) > 0`;
      return part.includes("k")
        ? sql`(${inEither} or strpos(rows.input, ${kelvin}) > 0 or strpos(rows.output, ${kelvin}) > 0)`
        : sql`(${inEither})`;
    })
    .reduce((before, one) => sql`${before} and ${one}`, sql`true`);
}

const kelvin = "\u212a";

const longestPart = (term: string): string =>
  term.split(/['_-]/).reduce((longest, part) => (part.length > longest.length ? part : longest), "");
