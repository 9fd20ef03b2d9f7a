import type { ExifValue, ImageColour, ImageVariant, Place } from "./contract.ts";

/** What a sidecar found out about a picture. */
export interface IngestOutcome {
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** Pixels, upright. */
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
  /** 16 hex digits. */
  readonly perceptualHash: string;
  readonly variants: readonly ImageVariant[];
  readonly takenAt: string | null;
  readonly camera: string | null;
  readonly exif: Readonly<Record<string, ExifValue>>;
  readonly place: Place | null;
  /** Names of the colours that it shows much of, the most first; see `ImageColour`. */
  readonly colours: readonly ImageColour[];
  /** Its vector in the space that searched when the work began; null where the worker did not have that model. */
  readonly vector: { readonly spaceId: number; readonly embedding: readonly number[] } | null;
}

/** The vector of a query. */
export interface EmbedQueryOutcome {
  readonly spaceId: number;
  readonly query: string;
  /** Null: the model knows no word of the query. */
  readonly embedding: readonly number[] | null;
}

export interface FillSpaceOutcome {
  readonly spaceId: number;
  /** Vectors that this run added. */
  readonly added: number;
  /** Pictures whose colours it named. */
  readonly coloured: number;
  /** Pictures that could not be read; they are tried again by the next fill. */
  readonly failures: readonly { readonly imageId: string; readonly code: string }[];
}

export interface SweepOutcome {
  /** Uploads that never ended and are failed now. */
  readonly uploadsExpired: number;
  /** Pictures in work that no job worked on; they have one now. */
  readonly ingestsAdded: number;
  /** Objects that no row named. */
  readonly objectsRemoved: number;
  /** Spaces that lacked vectors, or pictures that lacked colours; they are being filled now. */
  readonly fillsAdded: number;
}
