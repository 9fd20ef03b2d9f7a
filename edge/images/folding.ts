/** Pictures that are the same or look it, shown once: the best-ranked stands for the others. */
import type { TransactionSql } from "postgres";
import type { Caller } from "../../shared/callers.ts";
import type { SearchFold } from "../../shared/images/contract.ts";

/** What pictures are told apart by. */
export interface Mark {
  readonly id: string;
  /** Of the original; null where the caller may not know it. */
  readonly sha256: string | null;
  /** 16 hex digits. */
  readonly perceptualHash: string | null;
  /** In pixels and bytes. */
  readonly size: string;
}

/** In the order of these ids. Strangers are not even asked for what only owners may know. */
export async function readMarks(
  sql: TransactionSql,
  caller: Caller,
  ids: readonly string[],
): Promise<Mark[]> {
  const sha256 =
    caller.role === "anon"
      ? sql`null`
      : sql`(select sha256 from parlance.image_origins as origins where origins.image_id = images.id)`;
  return await sql<Mark[]>`
    select
      id,
      ${sha256} as sha256,
      lpad(to_hex(perceptual_hash::bigint), 16, '0') as perceptual_hash,
      concat_ws('x', width, height, size_bytes) as size
    from unnest(${[...ids]}::uuid[]) with ordinality as asked (id, place)
    join parlance.images using (id)
    order by place
  `;
}

export interface Folded {
  readonly id: string;
  readonly duplicates: string[];
}

/** Pictures whose perceptual hashes differ in at most so many of 64 bits look nearly the same. */
export const similarBitsMax = 6;

/** Each in turn goes under the first one before it that it is alike. */
export function foldMarks(marks: readonly Mark[], fold: SearchFold): Folded[] {
  const shown: { mark: Mark; bits: Bits | undefined; folded: Folded }[] = [];
  for (const mark of marks) {
    const bits = readBits(mark.perceptualHash);
    const alike = shown.find(
      (one) => isSame(one.mark, mark) || (fold === "similar" && distance(one.bits, bits) <= similarBitsMax),
    );
    if (alike) alike.folded.duplicates.push(mark.id);
    else shown.push({ mark, bits, folded: { id: mark.id, duplicates: [] } });
  }
  return shown.map((one) => one.folded);
}

function isSame(one: Mark, other: Mark): boolean {
  if (one.sha256 !== null && other.sha256 !== null) return one.sha256 === other.sha256;
  return (
    one.perceptualHash !== null && one.perceptualHash === other.perceptualHash && one.size === other.size
  );
}

type Bits = readonly [high: number, low: number];

function readBits(hash: string | null): Bits | undefined {
  if (hash === null) return undefined;
  return [Number.parseInt(hash.slice(0, 8), 16), Number.parseInt(hash.slice(8), 16)];
}

function distance(one: Bits | undefined, other: Bits | undefined): number {
  if (!one || !other) return Number.POSITIVE_INFINITY;
  return countBits(one[0] ^ other[0]) + countBits(one[1] ^ other[1]);
}

/** Of 32 bits. */
function countBits(value: number): number {
  let bits = value - ((value >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
