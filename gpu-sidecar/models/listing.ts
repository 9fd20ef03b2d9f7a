import { AppError } from "../../shared/errors.ts";
import { listInstalled } from "./files/installed.ts";
import { defaultModel, figuresSource, type KnownModel, knownModels } from "./hub/known.ts";
import { describeBytes } from "./hub/progress.ts";

/** What `bun run models list` tells. */
export interface Listing {
  readonly folder: string;
  readonly installed: readonly InstalledLine[];
  readonly known: readonly (KnownModel & { readonly isDefault: boolean })[];
  readonly figuresSource: string;
}

export interface InstalledLine {
  readonly name: string;
  readonly dimensions?: number;
  readonly variant?: string;
  readonly sizeBytes?: number;
  readonly digest?: string;
  readonly source?: string;
  /** Why it cannot be used. */
  readonly problem?: string;
}

export async function listModels(folder: string): Promise<Listing> {
  const installed = (await listInstalled(folder)).map(({ name, lock }): InstalledLine => {
    if (lock instanceof AppError) return { name, problem: lock.message };
    const { dimensions, variant, digest, files, source } = lock;
    const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    const from =
      source.kind === "hub" ? `${source.repository}@${source.revision.slice(0, 8)}` : source.folder;
    return { name, dimensions, variant, sizeBytes, digest, source: from };
  });
  const known = knownModels.map((model) => ({ ...model, isDefault: model.name === defaultModel }));
  return { folder, installed, known, figuresSource };
}

export function toListing({ folder, installed, known, figuresSource: source }: Listing): string[] {
  const built = ["palette", "128", "", "", "built-in", "is part of the sidecar; knows colours, not things"];
  const rows = installed.map((model) =>
    model.problem === undefined
      ? [
          model.name,
          String(model.dimensions),
          model.variant ?? "",
          describeBytes(model.sizeBytes ?? 0),
          (model.digest ?? "").slice(0, 12),
          model.source ?? "",
        ]
      : [model.name, "", "", "", "damaged", model.problem],
  );
  const figures = known.map(
    ({ name, dimensions, figures: { recall, milliseconds, memoryMiB }, about, isDefault }) => [
      name,
      String(dimensions),
      recall.toFixed(2),
      `${milliseconds} ms`,
      `${memoryMiB} MiB`,
      `${about}${isDefault ? " (what pull takes without a name)" : ""}`,
    ],
  );
  return [
    `Installed in ${folder}:`,
    ...toTable([["name", "dimensions", "variant", "size", "digest", "from"], built, ...rows]),
    "",
    "Known, for `bun run models pull NAME`, in fp32, fp16 and int8:",
    ...toTable([["name", "dimensions", "recall", "time", "memory", "what it is"], ...figures]),
    "",
    `Recall, time and memory as published: ${source}.`,
  ];
}

function toTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
  );
}
