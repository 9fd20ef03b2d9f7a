import type { Triple } from "../../math/colour.ts";
import { labFromHex } from "../../math/colour.ts";
import type { PhraseVocabulary } from "../../text/phrases.ts";
import { basicShades, mix, modifiers, namedColours, splitNames, tints } from "./colour-names.ts";
import { type ColourShare, type Concept, encodeConcept } from "./concepts.ts";
import { type BasicColour, basicColours, dimensions } from "./layout.ts";
import { fillers, type Meaning } from "./meaning.ts";
import { propertyWords } from "./property-words.ts";
import { sceneWords } from "./scene-words.ts";

/** Every phrase that `palette` knows and the vector of each: the text half of the model. */
export interface PaletteVocabulary extends PhraseVocabulary {
  /** One row for each token, the first of zeros (padding). */
  readonly rows: Float32Array;
}

export function buildVocabulary(): PaletteVocabulary {
  const entries = [...basicEntries(), ...namedEntries(), ...modifiedEntries(), ...wordEntries()];
  const phrases = new Map<string, number>();
  const vectors: Float32Array[] = [new Float32Array(dimensions)];
  for (const { names, concept } of entries) {
    const fresh = names.flatMap(spellings).filter((name) => !phrases.has(name));
    if (fresh.length === 0) continue;
    for (const name of fresh) phrases.set(name, vectors.length);
    vectors.push(encodeConcept(concept));
  }
  const rows = new Float32Array(vectors.length * dimensions);
  vectors.forEach((vector, row) => {
    rows.set(vector, row * dimensions);
  });
  return { phrases, fillers: new Set(fillers), rows };
}

/** Where two entries share a name, the first one has it. */
interface Entry {
  readonly names: readonly string[];
  readonly concept: Concept;
}

function basicEntries(): Entry[] {
  return basicColours.map((basic) => ({ names: [basic], concept: { basic } }));
}

function namedEntries(): Entry[] {
  return namedColours.map(({ names, lab }) => ({ names, concept: plainColour(lab) }));
}

/** "dark red", "pale teal", "bluish green". */
function modifiedEntries(): Entry[] {
  const bases = [
    ...basicColours.map((basic) => ({ names: [basic as string], lab: labFromHex(basicShades[basic]) })),
    ...namedColours,
  ];
  const modified = modifiers.flatMap(([words, change]) =>
    bases.map(({ names, lab }) => ({
      names: splitNames(words).flatMap((word) => names.map((name) => `${word} ${name}`)),
      concept: plainColour(change(lab)),
    })),
  );
  const tinted = tints.flatMap((tint) =>
    basicColours
      .filter((basic) => basic !== tint)
      .map((basic) => ({
        names: tintWords[tint]?.map((word) => `${word} ${basic}`) ?? [],
        concept: plainColour(mix(labFromHex(basicShades[basic]), labFromHex(basicShades[tint]), 0.33)),
      })),
  );
  return [...modified, ...tinted];
}

const tintWords: Readonly<Partial<Record<BasicColour, readonly string[]>>> = {
  red: ["reddish"],
  orange: ["orangish", "orangey"],
  yellow: ["yellowish", "yellowy"],
  green: ["greenish"],
  blue: ["bluish", "blueish"],
  purple: ["purplish"],
  pink: ["pinkish"],
  brown: ["brownish"],
};

function wordEntries(): Entry[] {
  const tinted = tints.map((basic) => ({ names: tintWords[basic] ?? [], concept: { basic } }));
  const words = [...propertyWords, ...sceneWords].map(([names, meaning]) => ({
    names: splitNames(names),
    concept: toConcept(meaning),
  }));
  return [...tinted, ...words];
}

function plainColour(lab: Triple): Concept {
  return { colours: [{ lab, weight: 1 }] };
}

function toConcept(meaning: Meaning): Concept {
  const { colours, top, bottom, ...properties } = meaning;
  return {
    ...properties,
    ...(colours === undefined ? {} : { colours: parseColours(colours) }),
    ...(top === undefined ? {} : { top: parseColours(top) }),
    ...(bottom === undefined ? {} : { bottom: parseColours(bottom) }),
  };
}

/** "orange 4, dark brown 1": colours by name and their weights. */
function parseColours(text: string): ColourShare[] {
  return splitNames(text).map((part) => {
    const [, name, weight] = /^(.+) ([\d.]+)$/.exec(part) ?? [];
    if (name === undefined) throw new Error(`"${part}" is not a colour with its weight`);
    return { lab: findColour(name), weight: Number(weight) };
  });
}

function findColour(name: string): Triple {
  const basic = basicColours.find((colour) => colour === name);
  if (basic) return labFromHex(basicShades[basic]);
  const named = namedColours.find((colour) => colour.names.includes(name));
  if (named) return named.lab;
  const [first, ...rest] = name.split(" ");
  const modifier = modifiers.find(([words]) => splitNames(words).includes(first ?? ""));
  if (!modifier || rest.length === 0) throw new Error(`"${name}" is no colour that palette knows`);
  return modifier[1](findColour(rest.join(" ")));
}

/** "grey" and "gray" are one word, and a name is also known without its hyphen. */
function spellings(name: string): string[] {
  return /grey/.test(name) ? [name, name.replaceAll("grey", "gray")] : [name];
}
