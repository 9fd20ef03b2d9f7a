import type { Sql } from "postgres";

export async function foldIfDue(_sql: Sql, _ownerId: string | null): Promise<void> {}
