import { AppError } from "../../shared/errors.ts";
import type { CatalogEntry, ModelCard } from "./card.ts";
import { dimensions as paletteDimensions } from "./palette/layout.ts";

const palette: CatalogEntry = {
  card: {
    name: "palette",
    space: 1,
    dimensions: paletteDimensions,
    image: { size: 128, resize: "squash", kernel: "linear", mean: [0, 0, 0], deviation: [1, 1, 1] },
    textTokensMax: 64,
  },
  load: async () => (await import("./palette/build.ts")).buildPalette(),
};

const entries: readonly CatalogEntry[] = [palette];

export function listModels(): ModelCard[] {
  return entries.map((entry) => entry.card);
}

export function findModel(name: string): ModelCard | undefined {
  return findEntry(name)?.card;
}

/** Refuses a name that the catalog does not have, naming those that it has. */
export function getModel(name: string): ModelCard {
  return getEntry(name).card;
}

export function getEntry(name: string): CatalogEntry {
  const entry = findEntry(name);
  if (entry) return entry;
  const known = entries.map((one) => one.card.name).join(", ");
  throw new AppError("invalid_request", `No model is called "${name}". There is: ${known}.`);
}

function findEntry(name: string): CatalogEntry | undefined {
  return entries.find((entry) => entry.card.name === name);
}
