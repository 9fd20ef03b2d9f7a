import { describe, expect, test } from "vitest";
import { readCharsmap } from "../../../gpu-sidecar/text/charsmap.ts";

/** A table as SentencePiece writes it, laid out by trying: every node gets the first place where its children fit. */
function buildCharsmap(replacements: Readonly<Record<string, string>>): string {
  const texts: number[] = [];
  const root = newNode();
  for (const [key, value] of Object.entries(replacements)) {
    let node = root;
    for (const byte of Buffer.from(key)) {
      const next = node.children.get(byte) ?? newNode();
      node.children.set(byte, next);
      node = next;
    }
    node.value = texts.length;
    texts.push(...Buffer.from(value), 0);
  }
  const units: (number | undefined)[] = [0];
  place(root, 0, units);
  const trie = Buffer.alloc(4 * units.length);
  units.forEach((unit, index) => {
    trie.writeUInt32LE((unit ?? 0) >>> 0, 4 * index);
  });
  const header = Buffer.alloc(4);
  header.writeUInt32LE(trie.length);
  return Buffer.concat([header, trie, Buffer.from(texts)]).toString("base64");
}

interface Node {
  readonly children: Map<number, Node>;
  value: number | undefined;
}

const newNode = (): Node => ({ children: new Map(), value: undefined });

function place(node: Node, at: number, units: (number | undefined)[]): void {
  const labels = [...(node.value === undefined ? [] : [0]), ...node.children.keys()];
  if (labels.length === 0) return;
  let offset = 1;
  while (labels.some((label) => (at ^ offset ^ label) === 0 || units[at ^ offset ^ label] !== undefined))
    offset++;
  units[at] = (units[at] ?? 0) | (offset << 10) | (node.value === undefined ? 0 : 1 << 8);
  const base = at ^ offset;
  if (node.value !== undefined) units[base] = (node.value | 0x8000_0000) >>> 0;
  for (const label of node.children.keys()) units[base ^ label] = label;
  for (const [label, child] of node.children) place(child, base ^ label, units);
}

describe("the table of replacements", () => {
  const replace = readCharsmap(
    buildCharsmap({
      ﬁ: "fi",
      "①": "1",
      "\t": " ",
      "\u00a0": " ",
      "\u200b": "",
      "e\u0301": "é",
      "～": "~",
      ＡＢ: "no",
    }),
  );

  test.each([
    ["plain stays", "plain stays"],
    ["ﬁsh ①", "fish 1"],
    ["a\tb\u00a0c", "a b c"],
    ["zero\u200bwidth", "zerowidth"],
    // A cluster of letters is looked up as a whole.
    ["cafe\u0301", "café"],
    // A cluster of six bytes or more is taken apart, also where a part of it has a replacement.
    ["ﬁ\u0308\u0308", "fi\u0308\u0308"],
    // Two letters that are no cluster are never looked up together.
    ["ＡＢ", "ＡＢ"],
    ["～", "~"],
    ["", ""],
    ["\0", "\0"],
    ["👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"],
  ])("%j becomes %j", (text, expected) => {
    expect(replace(text)).toBe(expected);
  });

  test("an empty table changes nothing", () => {
    expect(readCharsmap("")("ﬁ")).toBe("ﬁ");
  });

  test.each(["AAAA", "AAAAAA==", "BAAAAA==", "/////w=="])("a damaged table is refused: %s", (content) => {
    expect(() => readCharsmap(content)).toThrow("precompiled_charsmap is damaged");
  });
});
