/** Imports as callers are shown them. */
import type { TransactionSql } from "postgres";
import { AppError, ErrorCode } from "../../../shared/errors.ts";
import { ImportFindings, type InteractionImport } from "../../../shared/interactions/imports.ts";
import { findImport, type ImportRow } from "./store.ts";

export function toImport(row: ImportRow): InteractionImport {
  const { path: _path, findings, errorCode, errorMessage, ...shown } = row;
  const found = ImportFindings.safeParse(findings).data;
  const code = ErrorCode.safeParse(errorCode).data ?? "unexpected";
  return {
    ...shown,
    findings: found ? withoutPlaces(found) : null,
    error: errorCode === null ? null : { code, message: errorMessage ?? "" },
  };
}

function withoutPlaces({ places: _places, dataOffset: _dataOffset, ...findings }: ImportFindings) {
  return findings;
}

/** What the caller may not see is not there. */
export async function getImport(transaction: TransactionSql, id: string): Promise<ImportRow> {
  const row = await findImport(transaction, id);
  if (!row) throw new AppError("not_found", "There is no such import.");
  return row;
}
