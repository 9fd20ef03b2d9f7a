/** Embedding spaces as a person likes to read them. */
import type { EmbeddingSpace, SpaceComparison, Spread } from "../../../shared/images/space-contract.ts";
import { toPrintable } from "../progress.ts";

export function toSpaceLines(spaces: readonly EmbeddingSpace[]): string[] {
  const rows = spaces.map((space) => [
    space.isCurrent ? "▶" : "",
    String(space.id),
    space.name,
    space.model,
    String(space.dimensions),
    `${space.vectors} of ${space.pictures}`,
    describeState(space),
  ]);
  return toTable([["", "id", "name", "model", "dimensions", "pictures", "state"], ...rows]);
}

function describeState(space: EmbeddingSpace): string {
  const parts = [
    space.isCurrent ? "searches" : describeFilling(space),
    space.isCurrent && space.missing > 0 ? describeFilling(space) : "",
    space.calibration
      ? `calibrated, ${(100 * space.calibration.falsePositiveRate).toFixed(0)} % false matches`
      : "",
    space.isOffered ? "" : "no sidecar has its model",
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

function describeFilling({ id, missing, fill, vectors, pictures, isMaintained }: EmbeddingSpace): string {
  if (fill?.state === "running") {
    return `is being filled, ${percent(fill.progress.done, fill.progress.total ?? pictures)}`;
  }
  if (missing === 0) return isMaintained ? "complete, kept so" : "complete";
  if (fill) return "waits to be filled";
  return `${vectors === 0 ? "empty" : `lacks ${missing}`}: bun run spaces fill ${id}`;
}

function percent(part: number, whole: number): string {
  return `${whole === 0 ? 100 : Math.floor((100 * part) / whole)} %`;
}

export function toComparisonLines(comparison: SpaceComparison): string[] {
  const { current, candidate, queries, overlapAt10, rankBiasedOverlap, recallAt10 } = comparison;
  if (overlapAt10 === null || rankBiasedOverlap === null) return explainNothing(comparison);
  const share = (value: number) => `${(100 * value).toFixed(1)} %`;
  return [
    `${candidate.name} beside ${current.name}, which searches now; ${describeQueries(queries)}:`,
    "",
    ...toTable([
      ["", "the same among the ten best", share(overlapAt10)],
      ["", "rank-biased overlap of the ten best", rankBiasedOverlap.toFixed(3)],
      ["", `recall@10 of ${candidate.name}'s index`, recallAt10 === null ? "–" : share(recallAt10)],
    ]),
    "",
    ...toTable([
      ["", "scores", "", "mean", "deviation", "least", "median", "most"],
      ...[current, candidate].flatMap((space) => [
        ["", space.name, "first hit", ...toFigures(space.firstScores)],
        ["", space.name, "tenth hit", ...toFigures(space.tenthScores)],
      ]),
    ]),
    "",
    "They differ most on:",
    ...toTable(
      comparison.worst.map((one) => [
        "",
        `${Math.round(one.overlapAt10 * 10)} of 10`,
        toPrintable(one.query),
      ]),
    ),
    ...(candidate.missing > 0
      ? [
          "",
          `${candidate.name} has no vector of ${candidate.missing} pictures: bun run spaces fill ${candidate.name}`,
        ]
      : []),
  ];
}

function describeQueries({ compared, asked, source }: SpaceComparison["queries"]): string {
  const sources = {
    searches: "queries of the log",
    "searches and words": "queries of the log and words of the library",
    words: "words of the library, for nothing was searched yet",
    none: "queries",
  };
  return `${compared} ${sources[source]}${compared < asked ? ` (${asked - compared} more are unknown to one of them)` : ""}`;
}

function explainNothing({ queries }: SpaceComparison): string[] {
  return queries.asked === 0
    ? ["Nothing was compared: no search is in the log, and no picture has words."]
    : [`Nothing was compared: of ${queries.asked} queries none has a vector in both spaces.`];
}

function toFigures(spread: Spread | null): string[] {
  if (!spread) return ["–"];
  const { mean, deviation, min, median, max } = spread;
  return [mean, deviation, min, median, max].map((value) => value.toFixed(3));
}

export function toTable(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => Bun.stringWidth(row[column] ?? ""))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - Bun.stringWidth(cell)))
      .join("  ")
      .trimEnd(),
  );
}
