/**
 * What people call colours: names and sRGB values from the xkcd colour survey (Munroe 2010, 222,500 people, public
 * domain). Only names that end in one of the eleven basic colour words, so that the last word tells the family.
 */
export const surveyWords = [
  "red",
  "orange",
  "yellow",
  "green",
  "blue",
  "purple",
  "pink",
  "brown",
  "black",
  "white",
  "grey",
] as const;
export type SurveyWord = (typeof surveyWords)[number];

const answers: Readonly<Record<SurveyWord, string>> = {
  red: "red e50000, dark red 840000, bright red ff000d, brick red 8f1402, light red ff474c, blood red 980002, deep red 9a0200",
  orange:
    "orange f97306, light orange fdaa48, dark orange c65102, burnt orange c04e01, bright orange ff5b00, pale orange ffa756",
  yellow:
    "yellow ffff14, light yellow fffe7a, dark yellow d5b60a, pale yellow ffff84, mustard yellow d2bd0a, bright yellow fffd01",
  green:
    "green 15b01a, light green 96f97b, dark green 033500, bright green 01ff07, lime green 89fe05, forest green 06470c, pale green c7fdb5, olive green 677a04, sea green 53fca1, grass green 3f9b0b, mint green 8fff9f, kelly green 02ab2e, army green 4b5d16, moss green 658b38, hunter green 0b4008, blue green 137e6d, pastel green b0ff9d, medium green 39ad48",
  blue: "blue 0343df, light blue 95d0fc, dark blue 00035b, sky blue 75bbfd, royal blue 0504aa, navy blue 001146, bright blue 0165fc, baby blue a2cffe, pale blue d0fefe, grey blue 6b8ba4, slate blue 5b7c99, steel blue 5a7d9a, sea blue 047495, medium blue 2c6fbb, deep blue 040273",
  purple:
    "purple 7e1e9c, light purple bf77f6, dark purple 35063e, bright purple be03fd, royal purple 4b006e, deep purple 36013f, pale purple b790d4, pinkish purple d648d7",
  pink: "pink ff81c0, light pink ffd1df, dark pink cb416b, hot pink ff028d, bright pink fe01b1, pale pink ffcfdc",
  brown: "brown 653700, light brown ad8150, dark brown 341c02, reddish brown 7f2b0a",
  black: "black 000000",
  white: "white ffffff, off white ffffe4",
  grey: "grey 929591, light grey d8dcd6, dark grey 363737, blue grey 607c8e, medium grey 7d7f7c",
};

export interface SurveyColour {
  readonly word: SurveyWord;
  readonly name: string;
  readonly hex: string;
}

export const surveyColours: readonly SurveyColour[] = surveyWords.flatMap((word) =>
  answers[word].split(", ").map((answer) => {
    const end = answer.lastIndexOf(" ");
    return { word, name: answer.slice(0, end), hex: `#${answer.slice(end + 1)}` };
  }),
);
