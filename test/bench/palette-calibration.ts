/**
 * Writes `shared/images/palette-calibration.ts`: `bun test/bench/palette-calibration.ts`.
 *
 * What `palette` sees are colours, and nearly every picture shows a little of each, so its scores do not fall into
 * matches and others by themselves, and libraries cannot teach where to cut. Drawn pictures can: how much of each colour
 * they show is counted pixel by pixel. A search for a colour over pictures of which none shows 3 % of it must say
 * that nothing matches, in 95 of 100 such searches; thresholds are made from one half of the pictures and tried on the
 * other.
 */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { innerProduct } from "../../gpu-sidecar/math/vectors.ts";
import { type Calibration, calibrationRates, depthOf } from "../../shared/images/calibration.ts";
import { shareOfWords } from "../helpers/colour-share.ts";
import { surveyColours, surveyWords } from "../helpers/colour-survey.ts";
import { Palette } from "../helpers/palette.ts";
import { drawPictures, seededRandom } from "../helpers/pictures.ts";

const picturesEach = 630;
/** Thresholds are made for the first three; there are not enough pictures to make them for more. */
const librarySizes = [5, 20, 80, 320, 1000];
const sizesMade = 3;
/** Less than is to be stated: what is made from some pictures holds less well for others. */
const rateMade = calibrationRates.ofQuery / 2;
/** Less of a colour is as good as none; from this much on a picture is of that colour. */
const [noneMax, muchMin] = [0.03, 0.4];

interface Half {
  readonly vectors: Float32Array[];
  readonly shares: ReadonlyMap<string, number>[];
}

interface Query {
  readonly word: string;
  readonly vector: Float32Array;
}

async function draw(palette: Palette, seed: number): Promise<Half> {
  const pictures = drawPictures(picturesEach, seed);
  return {
    vectors: await palette.embed(pictures),
    shares: pictures.map((picture) => shareOfWords(picture, surveyColours)),
  };
}

/** How far each picture scores above the centre, of those that show the colour and those that do not. */
function scoresOf(half: Half, query: Query, centre: Float32Array) {
  const base = innerProduct(query.vector, centre);
  const all = half.vectors.map((vector, index) => ({
    score: innerProduct(query.vector, vector) - base,
    share: half.shares[index]?.get(query.word) ?? 0,
  }));
  return {
    none: all.filter(({ share }) => share < noneMax).map(({ score }) => score),
    much: all.filter(({ share }) => share >= muchMin).map(({ score }) => score),
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const shareAbove = (scores: readonly number[], limit: number) =>
  scores.filter((score) => score >= limit).length / scores.length;

/** How often the best of `size` pictures without the colour reaches the limit, over all queries. */
const errorRate = (sets: readonly number[][], size: number, limit: number) =>
  mean(sets.map((scores) => 1 - (1 - shareAbove(scores, limit)) ** size));

function findLimit(sets: readonly number[][], size: number): number {
  let [low, high] = [0, 1];
  for (let round = 0; round < 30; round++) {
    const middle = (low + high) / 2;
    if (errorRate(sets, size, middle) > rateMade) low = middle;
    else high = middle;
  }
  return high;
}

/** 95 % of what comes out when as many queries are drawn again. */
function intervalOf(sets: readonly number[][], size: number, limit: number): [number, number] {
  const random = seededRandom(1);
  const rates = Array.from({ length: 1000 }, () =>
    errorRate(
      sets.map(() => sets[Math.floor(random() * sets.length)] ?? []),
      size,
      limit,
    ),
  ).sort((a, b) => a - b);
  return [rates[25] ?? 0, rates[974] ?? 1];
}

const rounded = (value: number, digits = 4) => Number(value.toFixed(digits));

const palette = await Palette.open();
const [made, held] = [await draw(palette, 5), await draw(palette, 77)];
const centre = Float32Array.from({ length: 128 }, (_, index) =>
  rounded(mean(made.vectors.map((vector) => vector[index] ?? 0))),
);
const { vectors } = await palette.embedTexts(surveyWords);
await palette.close();
const queries = surveyWords.map((word, index): Query => ({ word, vector: vectors[index] ?? centre }));

const nonesOf = (half: Half) => queries.map((query) => scoresOf(half, query, centre).none);
const all = nonesOf(made).flat();
const deviation = Math.sqrt(mean(all.map((score) => score ** 2)) - mean(all) ** 2);
const madeLevels = librarySizes
  .slice(0, sizesMade)
  .map((pictures) => ({ pictures, limit: findLimit(nonesOf(made), pictures) }));
const to = madeLevels.at(-1) ?? { pictures: 1, limit: 0 };
const depth = (pictures: number) => depthOf(pictures, calibrationRates.ofQuery);
/** The least there is: what is wholly of one colour is only half above the centre, and must stay a match. */
const slope = 0.6;
const levels = librarySizes.map(
  (pictures) =>
    madeLevels.find((level) => level.pictures === pictures) ?? {
      pictures,
      limit: to.limit * Math.exp(slope * (depth(pictures) - depth(to.pictures))),
    },
);
const tried = nonesOf(held);
for (const { pictures, limit } of levels) {
  const [low, high] = intervalOf(tried, pictures, limit);
  const found = queries.map((query) => shareAbove(scoresOf(held, query, centre).much, limit));
  console.log(
    `${pictures} pictures: ${rounded(limit)} above the centre; said wrongly ${rounded(errorRate(tried, pictures, limit))}`,
    `(${rounded(low)} to ${rounded(high)}); of pictures with ${muchMin * 100} % of the colour missed ${rounded(1 - mean(found))}`,
  );
}
const rates = levels.map(({ pictures, limit }) => errorRate(tried, pictures, limit));
const worst = levels[rates.indexOf(Math.max(...rates))] ?? { pictures: 1, limit: 0 };

const calibration: Calibration = {
  mean: rounded(mean(queries.map(({ vector }) => innerProduct(vector, centre)))),
  deviation: rounded(deviation),
  ofQuery: {
    levels: madeLevels.map(({ pictures, limit }) => ({ pictures, z: rounded(limit / deviation) })),
    slope: rounded(slope),
  },
  ofSpace: { levels: [{ pictures: 1, z: rounded(1 / deviation) }], slope: 0.6 },
  centre: [...centre].map((value) => rounded(value)),
  falsePositiveRate: rounded(Math.max(...rates)),
  falsePositiveInterval: intervalOf(tried, worst.pictures, worst.limit).map((rate) => rounded(rate)) as [
    number,
    number,
  ],
  matchedRate: 0,
  threshold: 1,
  queries: queries.length,
  pairs: all.length,
  pictures: picturesEach,
  measuredAt: new Date().toISOString(),
  byPicture: null,
};
const path = fileURLToPath(new URL("../../shared/images/palette-calibration.ts", import.meta.url));
await writeFile(
  path,
  `import type { Calibration } from "./calibration.ts";

/**
 * Of the built-in model, by colours that are or are not in drawn pictures: its own libraries could not teach it. Written by
 * \`bun test/bench/palette-calibration.ts\`, which tells more.
 */
export const paletteCalibration: Calibration = ${JSON.stringify(calibration)};
`,
);
