/**
 * The embedding spaces as this worker sees them: rows of the database, and which of their models it can run. A model
 * may be run for a space only when its files are those that made the space's other vectors.
 */
import type { Sql } from "postgres";
import { AppError } from "../shared/errors.ts";
import type { ModelCard } from "./models/card.ts";
import type { ModelCatalog } from "./models/catalog.ts";

export interface Space {
  readonly id: number;
  readonly name: string;
  readonly dimensions: number;
  readonly isCurrent: boolean;
  /** Undefined where this worker does not have the model, or has other files of that name. */
  readonly model: ModelCard | undefined;
}

/** A space together with the model that makes its vectors here. */
export interface UsableSpace extends Space {
  readonly model: ModelCard;
}

export interface NeededModel {
  readonly model: string;
  readonly digest: string;
}

interface SpaceRow extends Omit<Space, "model"> {
  readonly model: string;
  readonly modelDigest: string;
}

export interface SpaceDirectory {
  /** Reads the table again. */
  refresh(): Promise<void>;
  /** Keys of the models that some space needs and that this worker can run; as of the last refresh. */
  offers(): string[];
  /** Models that some space needs and that this worker does not have; as of the last refresh. */
  missing(): NeededModel[];
  /** The space that searches; undefined when there is none. Always read from the table. */
  findCurrent(): Promise<Space | undefined>;
  /** Throws `conflict` where the space is gone or this worker cannot make its vectors. */
  getUsable(id: number): Promise<UsableSpace>;
}

export function createSpaceDirectory(sql: Sql, catalog: ModelCatalog): SpaceDirectory {
  let spaces: readonly Space[] = [];
  let missing: NeededModel[] = [];
  const read = async (): Promise<readonly Space[]> => {
    const rows = await listSpaces(sql);
    spaces = rows.map((row) => toSpace(row, catalog));
    missing = rows
      .filter((_, index) => spaces[index]?.model === undefined)
      .map(({ model, modelDigest }) => ({ model, digest: modelDigest }));
    return spaces;
  };
  return {
    refresh: async () => {
      await read();
    },
    offers: () => [...new Set(spaces.flatMap(({ model }) => model?.name ?? []))],
    missing: () => missing,
    findCurrent: async () => (await read()).find(({ isCurrent }) => isCurrent),
    async getUsable(id) {
      const known =
        spaces.find((space) => space.id === id) ?? (await read()).find((space) => space.id === id);
      if (!known) throw new AppError("conflict", `There is no embedding space ${id} any more.`);
      if (known.model) return { ...known, model: known.model };
      throw new AppError("conflict", `This worker does not have the model of the space "${known.name}".`);
    },
  };
}

function toSpace({ model, modelDigest, ...space }: SpaceRow, catalog: ModelCatalog): Space {
  const card = catalog.find(model);
  const isIts = card?.digest === modelDigest && card.dimensions === space.dimensions;
  return { ...space, model: isIts ? card : undefined };
}

async function listSpaces(sql: Sql): Promise<SpaceRow[]> {
  return await sql<SpaceRow[]>`
    select id, name, dimensions, is_current, model, model_digest
    from parlance.embedding_spaces
    order by id
    limit 1000
  `;
}
