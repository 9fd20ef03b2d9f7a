/**
 * How good the order of hits is: `palette` on drawn pictures, where what is relevant is known by construction. Words and
 * vectors fused against each alone and against reciprocal ranks; and what `minus` takes away.
 */
import { fuse, type Placed } from "../../edge/images/fusion.ts";
import { subtract } from "../../edge/images/minus.ts";
import { innerProduct } from "../../gpu-sidecar/math/vectors.ts";
import { shareOfWords } from "../helpers/colour-share.ts";
import { surveyColours, surveyWords } from "../helpers/colour-survey.ts";
import { Palette } from "../helpers/palette.ts";
import { drawPictures, seededRandom } from "../helpers/pictures.ts";

/** Kinds of pictures that `palette` has a word for, and knows less of than of colours. */
const kinds = ["stripes", "mosaic", "gradient", "clouds"];
const windowSize = 100;

interface Library {
  readonly vectors: readonly Float32Array[];
  /** Of each picture, what share of it each colour word names. */
  readonly shares: readonly ReadonlyMap<string, number>[];
  readonly kinds: readonly string[];
  readonly texts: ReadonlyMap<string, Float32Array>;
}

export async function benchRanking({ quick }: { quick: boolean }) {
  const pictures = quick ? 210 : 1200;
  const library = await drawLibrary(pictures);
  const rows = [...compareFusions(library), ...compareMinus(library)];
  return { settings: { pictures, model: "palette", window: windowSize }, rows };
}

async function drawLibrary(count: number): Promise<Library> {
  const palette = await Palette.open();
  const pictures = drawPictures(count, 5);
  const words = [...surveyWords, ...kinds];
  const { vectors } = await palette.embedTexts(words);
  const library = {
    vectors: await palette.embed(pictures),
    shares: pictures.map((picture) => shareOfWords(picture, surveyColours)),
    kinds: pictures.map(({ name }) => name.split(" ")[0] ?? ""),
    texts: new Map(words.map((word, index) => [word, vectors[index] ?? new Float32Array(0)])),
  };
  await palette.close();
  return library;
}

/** From 0, not what was asked, to 3, nothing but that. */
function gradeOf(library: Library, word: string, picture: number): number {
  if (kinds.includes(word)) return library.kinds[picture] === word ? 3 : 0;
  const share = library.shares[picture]?.get(word) ?? 0;
  return share >= 0.5 ? 3 : share >= 0.3 ? 2 : share >= 0.15 ? 1 : 0;
}

// ── Words and vectors ───────────────────────────────────────────────────────────────────────────────────────────────

/** How many of the relevant pictures have the keyword, and how many of the others have it by mistake. */
const keywordings = [
  { tagged: 0.9, wrong: 0.005 },
  { tagged: 0.5, wrong: 0.01 },
  { tagged: 0.5, wrong: 0.05 },
  { tagged: 0.1, wrong: 0.01 },
] as const;

type Fusion = (near: Placed[], words: Placed[], all: Placed[]) => Placed[];

const fusions: Readonly<Record<string, Fusion>> = {
  "vectors alone": (near) => near,
  "words alone": (_near, words) => words,
  "reciprocal ranks, k = 60": fuseRanks,
  "as searched: scores combined": (near, words, all) => {
    const scores = new Map(all.map(({ id, score }) => [id, score]));
    return fuse(
      near,
      words.map((place) => ({ ...place, nearness: scores.get(place.id) ?? null })),
    );
  },
};

/** Cormack, Clarke and Büttcher, SIGIR 2009. */
function fuseRanks(...[near, words]: [Placed[], Placed[], Placed[]]): Placed[] {
  const sums = new Map<string, number>();
  for (const list of [near, words]) {
    list.forEach(({ id }, index) => {
      sums.set(id, (sums.get(id) ?? 0) + 1 / (60 + index + 1));
    });
  }
  return sortPlaces([...sums].map(([id, score]) => ({ id, score })));
}

function compareFusions(library: Library): object[] {
  return Object.entries(fusions).map(([what, fusion]) => {
    const measured = [surveyWords, kinds].map((words) =>
      keywordings.flatMap((keywording) =>
        words.flatMap((word) =>
          [1, 2, 3].map((seed) => tryFusion(library, fusion, { word, seed, ...keywording })),
        ),
      ),
    );
    const [colours, scenes] = measured.map((tries) => tries.filter((one) => one !== undefined));
    return {
      what,
      "nDCG@10 colours": mean(colours?.map((one) => one.gain)),
      "recall@50 colours": mean(colours?.map((one) => one.recall)),
      "nDCG@10 kinds": mean(scenes?.map((one) => one.gain)),
      "recall@50 kinds": mean(scenes?.map((one) => one.recall)),
    };
  });
}

interface Try {
  readonly word: string;
  readonly seed: number;
  readonly tagged: number;
  readonly wrong: number;
}

function tryFusion(library: Library, fusion: Fusion, { word, seed, tagged, wrong }: Try) {
  const random = seededRandom(seed * 131 + word.length * 7 + word.charCodeAt(0));
  const grade = (id: string) => gradeOf(library, word, Number(id));
  const all = nearestTo(library, library.texts.get(word) ?? new Float32Array(0));
  const relevant = all.filter(({ id }) => grade(id) >= 2).length;
  if (relevant < 5) return undefined;
  const ids = all.map(({ id }) => id).toSorted((one, other) => Number(one) - Number(other));
  const words = ids
    .filter((id) => random() < (grade(id) >= 2 ? tagged : wrong))
    // A keyword answers alone, or the title too.
    .map((id) => ({ id, score: random() < 0.3 ? 0.4 : 0.35 }));
  const found = fusion(all.slice(0, windowSize), sortPlaces(words).slice(0, windowSize), all);
  const grades = all.map(({ id }) => grade(id));
  return {
    gain: gainOf(
      found.map(({ id }) => grade(id)),
      grades,
    ),
    recall: found.slice(0, 50).filter(({ id }) => grade(id) >= 2).length / Math.min(50, relevant),
  };
}

// ── What it must not be ─────────────────────────────────────────────────────────────────────────────────────────────

type Taking = (asked: Float32Array, unwanted: Float32Array) => Float32Array;

const takings: Readonly<Record<string, Taking>> = {
  "minus ignored": (asked) => asked,
  "minus projected away": (asked, unwanted) => {
    const along = innerProduct(asked, unwanted);
    return toUnit(asked.map((value, index) => value - along * (unwanted[index] ?? 0)));
  },
  "minus subtracted whole": (asked, unwanted) =>
    toUnit(asked.map((value, index) => value - (unwanted[index] ?? 0))),
  "minus as searched: half of it subtracted": (asked, unwanted) =>
    Float32Array.from(JSON.parse(subtract(JSON.stringify([...asked]), JSON.stringify([...unwanted])))),
};

/** One colour without another. */
function compareMinus(library: Library): object[] {
  return Object.entries(takings).map(([what, take]) => {
    const tries = surveyWords.flatMap((word) =>
      surveyWords.flatMap((unwanted) =>
        word === unwanted ? [] : (tryMinus(library, take, word, unwanted) ?? []),
      ),
    );
    return {
      what,
      "nDCG@10 colours": mean(tries.map((one) => one.gain)),
      "of ten with the unwanted": mean(tries.map((one) => one.unwanted)),
    };
  });
}

function tryMinus(library: Library, take: Taking, word: string, unwanted: string) {
  const [asked, less] = [library.texts.get(word), library.texts.get(unwanted)];
  if (!asked || !less) return undefined;
  const hasUnwanted = (id: string) => (library.shares[Number(id)]?.get(unwanted) ?? 0) >= 0.1;
  const grade = (id: string) => (hasUnwanted(id) ? 0 : gradeOf(library, word, Number(id)));
  const found = nearestTo(library, take(asked, less));
  const grades = found.map(({ id }) => grade(id));
  if (grades.filter((one) => one > 0).length < 10) return undefined;
  return {
    gain: gainOf(grades, grades),
    unwanted: found.slice(0, 10).filter(({ id }) => hasUnwanted(id)).length,
  };
}

// ── Measures ────────────────────────────────────────────────────────────────────────────────────────────────────────

function nearestTo(library: Library, embedding: Float32Array): Placed[] {
  return sortPlaces(
    library.vectors.map((vector, index) => ({ id: String(index), score: innerProduct(vector, embedding) })),
  );
}

function sortPlaces(places: readonly Placed[]): Placed[] {
  return places.toSorted((one, other) => other.score - one.score || Number(one.id) - Number(other.id));
}

/** nDCG@10 (Järvelin and Kekäläinen, 2002), against the best order that there is. */
function gainOf(found: readonly number[], all: readonly number[]): number {
  const gain = (grades: readonly number[]) =>
    grades.slice(0, 10).reduce((sum, grade, index) => sum + (2 ** grade - 1) / Math.log2(index + 2), 0);
  return gain(found) / gain(all.toSorted((one, other) => other - one));
}

function toUnit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function mean(values: readonly number[] = []): number {
  return Math.round((1000 * values.reduce((sum, value) => sum + value, 0)) / values.length) / 1000;
}
