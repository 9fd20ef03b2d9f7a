import { AppError } from "../../shared/errors.ts";
import type { CatalogEntry, ModelCard } from "./card.ts";
import { entryOf, listInstalled } from "./files/installed.ts";
import { dimensions as paletteDimensions } from "./palette/layout.ts";

/** The models that can be loaded here. */
export interface ModelCatalog {
  cards(): ModelCard[];
  find(name: string): ModelCard | undefined;
  /** Refuses a name that the catalog does not have, naming those that it has. */
  get(name: string): ModelCard;
  entry(name: string): CatalogEntry;
}

/** Built in: always there. */
export const palette: CatalogEntry = {
  card: {
    name: "palette",
    digest: "built-in",
    dimensions: paletteDimensions,
    image: {
      size: 128,
      resize: "squash",
      edge: 128,
      kernel: "linear",
      scale: 1 / 255,
      mean: [0, 0, 0],
      deviation: [1, 1, 1],
    },
    text: { tokensMax: 64, padding: "longest", padId: 0 },
  },
  load: async () => (await import("./palette/build.ts")).buildPalette(),
};

/** The built-in model alone, without looking into any folder. */
export const builtInCatalog: ModelCatalog = createCatalog([palette], []);

/** The built-in model and those installed in `folder`, if one is given. One that is damaged is told when it is asked for. */
export async function openCatalog(folder?: string): Promise<ModelCatalog> {
  if (folder === undefined) return builtInCatalog;
  const entries: CatalogEntry[] = [palette];
  const damaged: Damaged[] = [];
  for (const { name, lock } of await listInstalled(folder)) {
    if (lock instanceof AppError) damaged.push({ name, reason: lock });
    else entries.push(entryOf(folder, lock));
  }
  return createCatalog(entries, damaged);
}

interface Damaged {
  readonly name: string;
  readonly reason: AppError;
}

function createCatalog(entries: readonly CatalogEntry[], damaged: readonly Damaged[]): ModelCatalog {
  const byName = new Map(entries.map((entry) => [entry.card.name, entry]));
  const entry = (name: string): CatalogEntry => {
    const found = byName.get(name);
    if (found) return found;
    const broken = damaged.find((one) => one.name === name);
    if (broken) throw broken.reason;
    const known = [...byName.keys()].join(", ");
    throw new AppError("invalid_request", `No model is called "${name}". There is: ${known}.`);
  };
  return {
    cards: () => entries.map(({ card }) => card),
    find: (name) => byName.get(name)?.card,
    get: (name) => entry(name).card,
    entry,
  };
}
