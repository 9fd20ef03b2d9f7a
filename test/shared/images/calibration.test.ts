/** Spaces that are made up, so that it is known what matches and what does not. */
import { describe, expect, test } from "vitest";
import {
  Calibration,
  calibrationLimits,
  cohortByCentre,
  falsePositiveRateMax,
  isMatch,
  type ScoreCohort,
  type Thresholds,
  thresholdFor,
} from "../../../shared/images/calibration.ts";
import { type Block, calibrate } from "../../../shared/images/calibration-fit.ts";
import { seededRandom } from "../../helpers/pictures.ts";

const random = seededRandom(11);
/** From 0 to 1, both left out. */
const share = () => (Math.floor(random() * 1e9) + 0.5) / 1e9;

/** A query whose scores with unrelated pictures are of one kind: what is surpassed with this probability. */
type Query = (probability: number) => number;

/** The point that a normal surpasses with this probability (Abramowitz and Stegun, 26.2.23; within 0.00045). */
function normalTail(probability: number): number {
  if (probability > 0.5) return -normalTail(1 - probability);
  const t = Math.sqrt(-2 * Math.log(probability));
  return (
    t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  );
}

const spaces: Record<string, () => Query> = {
  "normal, each query alike": () => (p) => 0.2 + 0.03 * normalTail(p),
  "normal, each query with a middle and a spread of its own": () => {
    const [middle, spread] = [0.15 + 0.1 * share(), 0.015 + 0.03 * share()];
    return (p) => middle + spread * normalTail(p);
  },
  "skewed as an exponential": () => (p) => 0.15 - 0.03 * Math.log(p),
};

const quantile = (ordered: readonly number[], at: number) => {
  const place = at * (ordered.length - 1);
  const [below, above] = [ordered[Math.floor(place)] ?? 0, ordered[Math.ceil(place)] ?? 0];
  return below + (above - below) * (place - Math.floor(place));
};

function cohortOf(scores: readonly number[]): ScoreCohort {
  const ordered = [...scores].sort((a, b) => a - b);
  return { pictures: scores.length, median: quantile(ordered, 0.5), low: quantile(ordered, 0.1587) };
}

const drawScores = (query: Query, count: number) => Array.from({ length: count }, () => query(share()));

/** Asks as the SQL of a calibration asks. `matching`: the share of the queries that up to 3 % of the pictures match. */
function measureSpace(
  makeQuery: () => Query,
  { queries = 150, pictures = 2000, matching = 0 } = {},
): Block[] {
  const { blockSizes, blocksMax, cohortMax } = calibrationLimits;
  return Array.from({ length: queries }, (_, query) => {
    const scores = drawScores(makeQuery(), pictures);
    if (share() < matching) {
      for (let left = Math.floor(0.03 * pictures * share()); left > 0; left--)
        scores[Math.floor(share() * pictures)] = 0.45 + 0.1 * share();
    }
    return blockSizes
      .filter((size) => 2 * size <= pictures)
      .flatMap((size) =>
        Array.from({ length: Math.min(blocksMax, Math.floor(pictures / size)) }, (_, block): Block => {
          const part = scores.slice(block * size, (block + 1) * size);
          const { median, low } = cohortOf(part.slice(0, cohortMax));
          return { query, pictures: size, median, low, top: Math.max(...part) };
        }),
      );
  }).flat();
}

function calibrateSpace(
  makeQuery: () => Query,
  options: Parameters<typeof measureSpace>[1] = {},
): Thresholds {
  const blocks = measureSpace(makeQuery, options);
  const measuredAt = "2026-11-21T00:00:00.000Z";
  const found = calibrate({ blocks, pictures: options.pictures ?? 2000, pairs: 300_000, measuredAt });
  if (!found) throw new Error("not calibrated");
  return found;
}

/** A search over so many pictures that all have nothing to do with the query; huge ones are drawn by their maximum. */
function searchInVain(makeQuery: () => Query, pictures: number): { best: number; cohort: ScoreCohort } {
  const query = makeQuery();
  const seen = drawScores(query, Math.min(pictures, calibrationLimits.cohortMax));
  const rest = pictures - seen.length;
  const best = rest > 0 ? Math.max(...seen, query(1 - share() ** (1 / rest))) : Math.max(...seen);
  return { best, cohort: cohortOf(seen) };
}

const trials = 800;
/** Four standard errors above what is stated: chance alone does not get there. */
const rateMax = falsePositiveRateMax + 4 * Math.sqrt((falsePositiveRateMax * 0.95) / trials);

function wrongRate(
  calibration: Thresholds,
  makeQuery: () => Query,
  pictures: number,
  withCohort = true,
): number {
  let wrong = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { best, cohort } = searchInVain(makeQuery, pictures);
    if (isMatch(calibration, best, pictures, withCohort ? cohort : undefined)) wrong += 1;
  }
  return wrong / trials;
}

describe.each(Object.entries(spaces))("in a space that is %s", (_name, makeQuery) => {
  const clean = calibrateSpace(makeQuery);
  const mixed = calibrateSpace(makeQuery, { matching: 0.3 });

  test.each([10, 100, 10_000, 1_000_000])("a search in vain over %d pictures is told so", (pictures) => {
    expect(wrongRate(clean, makeQuery, pictures)).toBeLessThan(rateMax);
    expect(wrongRate(mixed, makeQuery, pictures)).toBeLessThan(rateMax);
    expect(wrongRate(clean, makeQuery, pictures, false)).toBeLessThan(rateMax);
  });

  test("the rate that is stated is near the true one, and its interval holds it", () => {
    const [low, high] = clean.falsePositiveInterval;
    const size = 1000;
    const truth = wrongRate(clean, makeQuery, size);
    expect(clean.falsePositiveRate).toBeGreaterThanOrEqual(low);
    expect(clean.falsePositiveRate).toBeLessThanOrEqual(high);
    // What is sampled in the trials varies too.
    expect(truth).toBeLessThan(high + 0.02);
  });

  test("more pictures need more", () => {
    const cohort = cohortOf(drawScores(makeQuery(), 400));
    const needed = [1, 5, 30, 100, 1000, 5000, 1e6].map((count) => thresholdFor(clean, count, cohort));
    expect(needed).toEqual([...needed].sort((a, b) => a - b));
  });
});

describe("what is far above is found", () => {
  const normal = spaces["normal, each query with a middle and a spread of its own"] ?? (() => () => 0);

  test.each([
    [100, 5],
    [10_000, 6],
    [1_000_000, 7],
  ])("among %d pictures, one %d spreads above the middle", (pictures, spreads) => {
    const calibration = calibrateSpace(normal, { matching: 0.3 });
    let found = 0;
    for (let trial = 0; trial < 300; trial++) {
      const { cohort } = searchInVain(normal, pictures);
      const score = cohort.median + spreads * (cohort.median - cohort.low);
      if (isMatch(calibration, score, pictures, cohort)) found += 1;
    }
    expect(found / 300).toBeGreaterThan(0.8);
  });

  test("a query's own spread lets lower scores pass than one threshold for all would", () => {
    const calibration = calibrateSpace(normal);
    const own = Array.from({ length: 200 }, () => {
      const { cohort } = searchInVain(normal, 10_000);
      return thresholdFor(calibration, 10_000, cohort);
    });
    const ceiling = thresholdFor(calibration, 10_000);
    expect(Math.max(...own)).toBeLessThanOrEqual(ceiling);
    expect(own.reduce((sum, one) => sum + one, 0) / own.length).toBeLessThan(ceiling - 0.03);
  });

  test("also where each query matches something, thresholds are those of what does not match", () => {
    const blocks = measureSpace(normal);
    const among = (each: Block[]) =>
      calibrate({ blocks: each, pictures: 2000, pairs: 1, measuredAt: "2026-11-21T00:00:00.000Z" });
    // One match for each query: in one of its two blocks of 1,000, in one of its six of 320.
    const seen = new Set<string>();
    const matching = blocks.map((block) => {
      const key = `${block.query} ${block.pictures}`;
      if (block.pictures < 320 || seen.has(key)) return block;
      seen.add(key);
      return { ...block, top: 0.9 };
    });
    const [clean, mixed] = [among(blocks), among(matching)];
    if (!clean || !mixed) throw new Error("not calibrated");
    const { cohort } = searchInVain(normal, 2000);
    const spread = cohort.median - cohort.low;
    expect(thresholdFor(mixed, 2000, cohort)).toBeLessThan(thresholdFor(clean, 2000, cohort) + 3 * spread);
  });

  test("what most pictures show is answered by the ceiling", () => {
    const calibration = calibrateSpace(normal);
    const cohort = { pictures: 400, median: 0.6, low: 0.57 };
    expect(isMatch(calibration, 0.65, 1000, cohort)).toBe(true);
  });
});

describe("a space", () => {
  const normal = spaces["normal, each query alike"] ?? (() => () => 0);

  test("with too few queries or with pictures that all look alike is not calibrated", () => {
    const measured = { pictures: 2000, pairs: 1, measuredAt: "2026-11-21T00:00:00.000Z" };
    expect(calibrate({ ...measured, blocks: measureSpace(normal, { queries: 39 }) })).toBeNull();
    const flat = measureSpace(() => () => 0.5, { queries: 50 });
    expect(calibrate({ ...measured, blocks: flat })).toBeNull();
    expect(calibrate({ ...measured, blocks: [] })).toBeNull();
  });

  test("that is not calibrated says nothing of what a score means", () => {
    expect(isMatch(null, 1, 10)).toBeNull();
    expect(isMatch(null, -1, 10)).toBeNull();
  });

  test("with few pictures is calibrated for as many", () => {
    const calibration = calibrateSpace(normal, { pictures: 60, queries: 60 });
    expect(calibration.ofQuery.levels.map(({ pictures }) => pictures)).toEqual([5, 20]);
    expect(wrongRate(calibration, normal, 60)).toBeLessThan(rateMax + 0.02);
  });

  test("tells its calibration as plain data, the same for the same measurement", () => {
    const blocks = measureSpace(normal);
    const asked = { blocks, pictures: 2000, pairs: 300_000, measuredAt: "2026-11-21T00:00:00.000Z" };
    const [one, other] = [calibrate(asked), calibrate(asked)];
    expect(other).toEqual(one);
    expect(Calibration.parse(JSON.parse(JSON.stringify(one)))).toEqual({ ...one, byPicture: null });
  });

  test("with a centre knows a query's middle without asking pictures", () => {
    const calibration = { ...calibrateSpace(normal), centre: [0.5, 0.25] };
    expect(cohortByCentre(calibration, [0.6, 0.8])?.median).toBeCloseTo(0.5, 10);
    expect(cohortByCentre(calibrateSpace(normal), [0.6, 0.8])).toBeUndefined();
  });
});
