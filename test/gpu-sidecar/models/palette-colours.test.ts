import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Focus, shareOfWords } from "../../helpers/colour-share.ts";
import { surveyColours, surveyWords } from "../../helpers/colour-survey.ts";
import { Palette } from "../../helpers/palette.ts";
import { drawPictures, type Random, type Rgb, type TestPicture } from "../../helpers/pictures.ts";
import { spearman } from "../../helpers/statistics.ts";

/** The eleven answers that most people gave for the bare words. */
const focalColours: readonly Focus[] = surveyColours.filter(({ word, name }) => word === name);

let palette: Palette;

beforeAll(async () => {
  palette = await Palette.open();
});

afterAll(() => palette.close());

/** Spearman's rho of score and share for each of the eleven words. */
async function correlate(
  pictures: readonly TestPicture[],
  foci: readonly Focus[],
): Promise<[string, number][]> {
  const shares = pictures.map((picture) => shareOfWords(picture, foci));
  const vectors = await palette.embed(pictures);
  return Promise.all(
    surveyWords.map(async (word): Promise<[string, number]> => {
      const scores = await palette.scores(word, vectors);
      return [
        word,
        spearman(
          scores,
          shares.map((share) => share.get(word) ?? 0),
        ),
      ];
    }),
  );
}

/** One of the eleven, a little off, as paint never dries quite as it was mixed. */
function focalPaint(random: Random): Rgb {
  const focus = focalColours[Math.floor(random() * focalColours.length)];
  const value = Number.parseInt(focus?.hex.slice(1) ?? "0", 16);
  const off = () => (random() - 0.5) * 50;
  return [(value >> 16) + off(), ((value >> 8) & 255) + off(), (value & 255) + off()];
}

describe("the ranking by a colour word agrees with the share of matching pixels in CIELAB", () => {
  test("in 63 pictures painted with the eleven focal colours, by the nearest of the eleven", async () => {
    expect(focalColours).toHaveLength(11);
    const pictures = drawPictures(63, 1, focalPaint);
    for (const [word, rho] of await correlate(pictures, focalColours)) {
      expect(rho, word).toBeGreaterThanOrEqual(0.8);
    }
  });

  test("in 63 pictures of any colours, by the nearest of all names that end in the word", async () => {
    for (const [word, rho] of await correlate(drawPictures(63, 1), surveyColours)) {
      expect(rho, word).toBeGreaterThanOrEqual(0.8);
    }
  });
});
