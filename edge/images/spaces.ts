/** The embedding spaces as a search sees them. */
import type { TransactionSql } from "postgres";
import { AppError } from "../../shared/errors.ts";
import { Calibration } from "../../shared/images/calibration.ts";

/** Models whose vectors may be compared with each other. */
export interface Space {
  readonly id: number;
  readonly name: string;
  readonly dimensions: number;
  /** Where similarities begin to mean something; null while nobody measured. */
  readonly calibration: Calibration | null;
}

/** The space of this id, or without one the space that is searched now; undefined where there is none. */
export async function readSpace(sql: TransactionSql, id?: number): Promise<Space | undefined> {
  const [row] = await sql<(Omit<Space, "calibration"> & { calibration: unknown })[]>`
    select id, name, dimensions, calibration
    from parlance.embedding_spaces
    where ${id === undefined ? sql`is_current` : sql`id = ${id}`}
  `;
  return row ? { ...row, calibration: readCalibration(row.calibration) } : undefined;
}

/** Null for what is not a whole calibration: nothing is better than something wrong. */
export function readCalibration(value: unknown): Calibration | null {
  return Calibration.safeParse(value).data ?? null;
}

/** For a search that cannot go on in the space that it began in. */
export function spaceIsGone(): AppError {
  return new AppError(
    "invalid_cursor",
    "The embedding space of this search was taken away; start without the cursor.",
  );
}
