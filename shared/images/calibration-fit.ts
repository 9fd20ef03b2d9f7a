/** Arithmetic of calibrations: from the best scores of many small searches to thresholds; see `calibration.ts`. */
import {
  calibrationLimits,
  depthOf,
  type Growth,
  type Level,
  locate,
  type Prior,
  calibrationRates as rates,
  readLevel,
  type Thresholds,
  thresholdFor,
} from "./calibration.ts";

/** One query asked among one block of pictures. */
export interface Block {
  /** Which query; any number that is its own. */
  readonly query: number;
  /** How many pictures the block has. */
  readonly pictures: number;
  readonly median: number;
  readonly low: number;
  /** The best score. */
  readonly top: number;
}

export interface Measured {
  readonly blocks: readonly Block[];
  /** How many vectors the space has. */
  readonly pictures: number;
  readonly pairs: number;
  readonly measuredAt: string;
}

/** What the blocks tell; null where there are too few queries or all pictures look alike. */
export function calibrate({ blocks, pictures, pairs, measuredAt }: Measured): Thresholds | null {
  const queries = [...new Set(blocks.map((block) => block.query))];
  const prior = findPrior(blocks);
  if (queries.length < calibrationLimits.queriesMin || !(prior.deviation > 0)) return null;
  const fitted = fitThresholds(blocks, prior);
  const checked = crossCheck(blocks, queries);
  const calibration = { ...prior, ...fitted, ...checked, pictures, pairs, measuredAt };
  return {
    ...calibration,
    queries: queries.length,
    threshold: thresholdFor({ ...calibration, threshold: 0, queries: queries.length }, pictures),
  };
}

/** By the largest blocks: the middle query's middle and spread. A model may give many pictures the same score. */
function findPrior(blocks: readonly Block[]): Prior {
  const largest = largestOf(blocks);
  const spreads = sorted(largest.map(({ median, low }) => median - low));
  return {
    mean: quantile(sorted(largest.map(({ median }) => median)), 0.5),
    deviation: Math.max(quantile(spreads, 0.5), quantile(spreads, 0.9) / 4),
  };
}

function largestOf(blocks: readonly Block[]): Block[] {
  const size = blocks.reduce((most, block) => Math.max(most, block.pictures), 0);
  return blocks.filter((block) => block.pictures === size);
}

/** The best score of a block in spreads of its query, or of the space. */
function normalise(block: Block, prior: Prior, by: keyof typeof rates): number {
  if (by === "ofSpace") return (block.top - prior.mean) / prior.deviation;
  const pictures = Math.min(block.pictures, calibrationLimits.cohortMax);
  const { middle, spread } = locate({ ...block, pictures }, prior);
  return (block.top - middle) / spread;
}

function fitThresholds(blocks: readonly Block[], prior: Prior) {
  const matched = findMatched(blocks, prior, "ofQuery");
  const queries = new Set(blocks.map((block) => block.query)).size;
  return {
    ofQuery: fitGrowth(leaveOut(blocks, matched), prior, "ofQuery"),
    ofSpace: fitGrowth(leaveOut(blocks, matched), prior, "ofSpace"),
    matchedRate: matched.size / queries,
  };
}

const leaveOut = (blocks: readonly Block[], queries: ReadonlySet<number>) =>
  blocks.filter((block) => !queries.has(block.query));

/** Share of queries without a match that stand out all the same. */
const standOutRate = 0.02;
const roundsMax = 10;

/** Queries whose best score stands out from what is fitted to the others. */
function findMatched(blocks: readonly Block[], prior: Prior, by: keyof typeof rates): ReadonlySet<number> {
  const largest = largestOf(blocks).map((block) => ({
    query: block.query,
    z: normalise(block, prior, by),
  }));
  const blocksEach = largest.length / new Set(largest.map(({ query }) => query)).size;
  let matched: ReadonlySet<number> = new Set();
  for (let round = 0; round < roundsMax; round++) {
    const kept = largest.filter(({ query }) => !matched.has(query)).map((one) => one.z);
    const limit = gumbelAt(fitGumbel(kept, round === 0 ? 1 : 1 - standOutRate), standOutRate / blocksEach);
    const found = new Set(largest.filter((one) => one.z > limit).map(({ query }) => query));
    if (found.size === matched.size) break;
    matched = found;
  }
  return matched;
}

/** Added to the fitted slope, which is not known exactly; and the slopes between which it is held. */
const slopeMargin = 0.05;
const slopeRange = [0.6, 1.3] as const;
const slopeUnknown = 0.9;
/** From one size of blocks to the next. */
const steepest = 1.6;

function fitGrowth(blocks: readonly Block[], prior: Prior, by: keyof typeof rates): Growth {
  const rate = rates[by];
  const sizes = [...new Set(blocks.map((block) => block.pictures))].sort((a, b) => a - b);
  const levels: Level[] = [];
  for (const pictures of sizes) {
    const tops = blocks
      .filter((block) => block.pictures === pictures)
      .map((block) => normalise(block, prior, by));
    const z = gumbelAt(fitGumbel(tops, 1 - standOutRate), rate);
    const below = levels.at(-1);
    // More pictures never need less. What grows faster than any such tail is made of matches: nearly each large block
    // holds one where nearly each query has some.
    const most =
      below && below.pictures >= 20
        ? below.z * Math.exp(steepest * (depthOf(pictures, rate) - depthOf(below.pictures, rate)))
        : Number.POSITIVE_INFINITY;
    levels.push({ pictures, z: Math.max(below?.z ?? Number.MIN_VALUE, Math.min(most, z)) });
  }
  // The smallest blocks stand more on the space than on themselves.
  const known = levels.filter(({ pictures }) => pictures >= 20);
  const points = known.map((level) => [depthOf(level.pictures, rate), Math.log(level.z)] as const);
  const slope = points.length < 2 ? slopeUnknown : slopeOf(points) + slopeMargin;
  return { levels, slope: Math.min(slopeRange[1], Math.max(slopeRange[0], slope)) };
}

function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const both = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return both / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

/** Gumbel's distribution of the largest: exp(-exp(-(z - location) / scale)). */
interface Gumbel {
  readonly location: number;
  readonly scale: number;
}

const gumbelDepth = (share: number) => -Math.log(-Math.log(share));
const quantilesUsed = [0.2, 0.6] as const;

/** `kept`: the share of the distribution that the values are, its upper end being left out. */
function fitGumbel(values: readonly number[], kept: number): Gumbel {
  const ordered = sorted(values);
  const [low, high] = quantilesUsed.map((share) => quantile(ordered, share)) as [number, number];
  const [start, end] = quantilesUsed.map((share) => gumbelDepth(share * kept)) as [number, number];
  const scale = (high - low) / (end - start);
  return { location: low - scale * start, scale };
}

/** The value that is surpassed with this probability. */
const gumbelAt = ({ location, scale }: Gumbel, rate: number) => location + scale * gumbelDepth(1 - rate);

/** The probability that a value is surpassed. */
const gumbelAbove = ({ location, scale }: Gumbel, value: number) =>
  scale > 0 ? 1 - Math.exp(-Math.exp(-(value - location) / scale)) : Number(value < location);

const bootstrapsMax = 200;

/**
 * Thresholds from one half of the queries are tried on the other half, and the other way round. Of the held-out half,
 * too, what stands out is taken for a match; the rest tells how often a search without one would pass.
 */
function crossCheck(blocks: readonly Block[], queries: readonly number[]) {
  const halves = [0, 1].map((parity) => new Set(queries.filter((_, index) => index % 2 === parity)));
  const tries = halves.map((held) => {
    const [tried, made] = [blocks.filter((block) => held.has(block.query)), leaveOut(blocks, held)];
    const prior = findPrior(made);
    const thresholds = { ...prior, ...fitThresholds(made, prior) };
    return { tried, thresholds, prior };
  });
  const rate = mean(tries.map(({ tried, thresholds, prior }) => rateOf(tried, thresholds, prior)));
  const random = createRandom(queries.length);
  const redrawn = Array.from({ length: bootstrapsMax }, () =>
    mean(tries.map(({ tried, thresholds, prior }) => rateOf(redraw(tried, random), thresholds, prior))),
  );
  const ordered = sorted(redrawn);
  return {
    falsePositiveRate: rate,
    falsePositiveInterval: [quantile(ordered, 0.025), quantile(ordered, 0.975)] as [number, number],
  };
}

type Fitted = Pick<Thresholds, "mean" | "deviation" | "ofQuery" | "ofSpace">;

/** How often a search over the largest blocks passes either threshold where nothing matches. */
function rateOf(blocks: readonly Block[], thresholds: Fitted, prior: Prior): number {
  const largest = largestOf(blocks);
  const matched = findMatched(largest, prior, "ofQuery");
  const unmatched = leaveOut(largest, matched);
  const size = largest[0]?.pictures ?? 1;
  const passing = (["ofQuery", "ofSpace"] as const).map((by) => {
    const tops = unmatched.map((block) => normalise(block, prior, by));
    return gumbelAbove(fitGumbel(tops, 1 - standOutRate), readLevel(thresholds[by], size, rates[by]));
  });
  // Whoever passes the one mostly passes the other too; the sum is the most that it can be.
  return Math.min(
    1,
    passing.reduce((sum, share) => sum + share, 0),
  );
}

/** As many queries, each drawn from all of them. */
function redraw(blocks: readonly Block[], random: () => number): Block[] {
  const byQuery = new Map<number, Block[]>();
  for (const block of largestOf(blocks)) {
    byQuery.set(block.query, [...(byQuery.get(block.query) ?? []), block]);
  }
  const all = [...byQuery.values()];
  return all.flatMap((_, query) =>
    (all[Math.floor(random() * all.length)] ?? []).map((block) => ({ ...block, query })),
  );
}

/** Lehmer's generator: the same measurement gives the same interval. */
function createRandom(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);

/** Between the values, as Postgres's `percentile_cont` reads it. */
function quantile(ordered: readonly number[], share: number): number {
  const place = share * (ordered.length - 1);
  const [below, above] = [ordered[Math.floor(place)], ordered[Math.ceil(place)]];
  if (below === undefined || above === undefined) return Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}
