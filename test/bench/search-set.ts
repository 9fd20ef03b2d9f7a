/**
 * Pictures as a model sees them, without pictures: points of a space of few dimensions, seen in many through one
 * projection, with noise, at unit length. The same seed makes the same set.
 */
import { once } from "node:events";
import type { Sql } from "postgres";
import { type Random, seededRandom } from "../helpers/pictures.ts";

export interface SetOptions {
  readonly rows: number;
  readonly dimensions: number;
  readonly intrinsic: number;
  /** Standard deviation of the noise, as a share of that of the signal. */
  readonly noise: number;
  readonly seed: number;
}

export interface MadeVector {
  readonly vector: Float32Array;
  /** The first of the hidden dimensions: near to each other in it is near to each other in the space. */
  readonly trait: number;
}

/** Draws one vector after the other. */
export function createSource({ dimensions, intrinsic, noise, seed }: SetOptions): () => MadeVector {
  const random = seededRandom(seed);
  const normal = createNormal(random);
  const projection = Float32Array.from(
    { length: intrinsic * dimensions },
    () => normal() / Math.sqrt(intrinsic),
  );
  const hidden = new Float64Array(intrinsic);
  return () => {
    for (let index = 0; index < intrinsic; index++) hidden[index] = normal();
    const vector = new Float32Array(dimensions);
    for (let row = 0; row < intrinsic; row++) {
      const value = hidden[row] ?? 0;
      const start = row * dimensions;
      for (let column = 0; column < dimensions; column++)
        vector[column] = (vector[column] ?? 0) + value * (projection[start + column] ?? 0);
    }
    for (let column = 0; column < dimensions; column++)
      vector[column] = (vector[column] ?? 0) + noise * normal();
    return { vector: toUnit(vector), trait: hidden[0] ?? 0 };
  };
}

function toUnit(vector: Float32Array): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const length = Math.sqrt(sum);
  return vector.map((value) => value / length);
}

/** Box and Muller, 1958. */
function createNormal(random: Random): () => number {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/** The owners of the set: nearly all pictures are one's, and fifty are the other's. */
export const owners = {
  many: "aaaaaaaa-0000-4000-8000-000000000000",
  few: "bbbbbbbb-0000-4000-8000-000000000000",
} as const;
export const fewPictures = 50;

/**
 * Filters by what is drawn without regard to the vector: `red` keeps 10 %, the camera 1 %. `blue` keeps the 10 % that
 * lie at one end of the first hidden dimension.
 */
const blueFrom = 1.2816;

function idOf(row: number): string {
  return `01900000-0000-7000-8000-${row.toString(16).padStart(12, "0")}`;
}

function describeRow(row: number, random: Random, trait: number): string {
  const colours = [...(random() < 0.1 ? ["red"] : []), ...(trait > blueFrom ? ["blue"] : []), "grey"];
  const camera = random() < 0.01 ? "Rare 1" : `Common ${Math.floor(random() * 20)}`;
  const day = new Date(1.6e12 + row * 60_000).toISOString();
  const owner = ownerOf(row);
  const keyword = `k${Math.floor(random() * 500)}`;
  return [
    idOf(row),
    owner,
    `picture ${row}.jpg`,
    `{${keyword}}`,
    "ready",
    "image/jpeg",
    "1000",
    "640",
    "480",
    "{original}",
    `{${colours.join(",")}}`,
    camera,
    day,
    day,
  ].join("\t");
}

const ownerOf = (row: number) => (row < fewPictures ? owners.few : owners.many);

/** Loads pictures and vectors by COPY; the vectors' index is for afterwards. */
export async function loadSet(sql: Sql, options: SetOptions, spaceId: number): Promise<void> {
  await sql`insert into auth.users (id) values (${owners.many}), (${owners.few})`;
  const draw = createSource(options);
  const random = seededRandom(options.seed + 1);
  const batch = 10_000;
  for (let from = 0; from < options.rows; from += batch) {
    const made = Array.from({ length: Math.min(batch, options.rows - from) }, draw);
    await copy(
      sql,
      `copy parlance.images (id, owner_id, name, keywords, state, media_type, size_bytes, width, height,
      variants, colours, camera, taken_at, created_at) from stdin`,
      [
        new TextEncoder().encode(
          made.map((one, index) => `${describeRow(from + index, random, one.trait)}\n`).join(""),
        ),
      ],
    );
    await copy(
      sql,
      `copy parlance.image_vectors_${spaceId} (space_id, image_id, owner_id, embedding) from stdin (format binary)`,
      encodeVectors(made, from, spaceId),
    );
  }
}

async function copy(sql: Sql, statement: string, chunks: Uint8Array[]): Promise<void> {
  const stream = await sql.unsafe(statement).writable();
  const done = once(stream, "finish");
  for (const chunk of chunks) if (!stream.write(chunk)) await once(stream, "drain");
  stream.end();
  await done;
}

/** https://www.postgresql.org/docs/17/sql-copy.html, "Binary Format"; pgvector sends int16 dimensions, int16 0, float4s. */
function encodeVectors(made: readonly MadeVector[], from: number, spaceId: number): Uint8Array[] {
  const dimensions = made[0]?.vector.length ?? 0;
  const rowBytes = 2 + (4 + 2) + (4 + 16) + (4 + 16) + (4 + 4 + 4 * dimensions);
  const bytes = new Uint8Array(19 + rowBytes * made.length + 2);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("PGCOPY\n"), 0);
  bytes.set([0xff, 0x0d, 0x0a, 0x00], 7);
  let at = 19;
  made.forEach(({ vector }, index) => {
    view.setInt16(at, 4);
    view.setInt32(at + 2, 2);
    view.setInt16(at + 6, spaceId);
    at = putUuid(bytes, view, at + 8, idOf(from + index));
    at = putUuid(bytes, view, at, ownerOf(from + index));
    view.setInt32(at, 4 + 4 * dimensions);
    view.setInt16(at + 4, dimensions);
    view.setInt16(at + 6, 0);
    at += 8;
    for (const value of vector) {
      view.setFloat32(at, value);
      at += 4;
    }
  });
  view.setInt16(at, -1);
  return [bytes];
}

function putUuid(bytes: Uint8Array, view: DataView, at: number, id: string): number {
  view.setInt32(at, 16);
  const hex = id.replaceAll("-", "");
  for (let index = 0; index < 16; index++)
    bytes[at + 4 + index] = Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16);
  return at + 20;
}
