/** Everything that the house holds after a round: rows, events, vectors, objects and files. */
import type { House } from "./house.ts";
import { type Endings, readEndings } from "./witness.ts";

export interface ImageFact {
  readonly id: string;
  readonly ownerId: string | null;
  /** The tag of its upload. */
  readonly tag: string | null;
  readonly state: string;
  readonly mediaType: string | null;
  readonly sizeBytes: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly variants: readonly string[];
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  /** Of the original, in the row that only the owner sees. */
  readonly sha256: string | null;
  /** The length of each of its vectors. */
  readonly vectorLengths: readonly number[];
}

export interface JobFact {
  readonly id: string;
  readonly imageId: string;
  readonly state: string;
  readonly attempts: number;
  readonly errorCode: string | null;
  readonly eventSequence: number;
  /** In the order of their sequence. */
  readonly events: readonly string[];
  readonly sequences: readonly number[];
}

export interface ObjectFact {
  readonly name: string;
  readonly version: string;
}

export interface Facts {
  readonly images: readonly ImageFact[];
  readonly jobs: readonly JobFact[];
  readonly objects: readonly ObjectFact[];
  /** Names of the files of storage; each is the version of an object. */
  readonly files: readonly string[];
  readonly endings: Endings;
}

export async function readFacts(house: House): Promise<Facts> {
  const { sql } = house;
  const images = await sql<ImageFact[]>`
    select
      id, images.owner_id, keywords[1] as tag, state, media_type, size_bytes, width, height, variants,
      error_code, error_message, sha256,
      array(
        select extensions.vector_norm(embedding)
        from parlance.image_vectors
        where image_vectors.image_id = images.id
      ) as vector_lengths
    from parlance.images
    left join parlance.image_origins on image_origins.image_id = images.id
  `;
  const jobs = await sql<JobFact[]>`
    select
      id, subject_id as image_id, state, attempts, error_code, event_sequence,
      array(select event from parlance.job_events where job_id = jobs.id order by sequence) as events,
      array(select sequence from parlance.job_events where job_id = jobs.id order by sequence) as sequences
    from parlance.jobs
    where kind = 'images.ingest-image'
  `;
  const objects = await sql<ObjectFact[]>`
    select name, version
    from storage.objects
    where bucket_id = 'images'
  `;
  return { images, jobs, objects, files: await house.listFiles(), endings: await readEndings(sql) };
}
