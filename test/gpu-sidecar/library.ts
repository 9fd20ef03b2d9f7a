/** A library with real storage and the real model: pictures are sent, worked on, and looked at again. */
import { palette as builtIn } from "../../gpu-sidecar/models/catalog.ts";
import { createInference, type Inference } from "../../gpu-sidecar/models/inference.ts";
import { createPictureStore, type PictureStore } from "../../gpu-sidecar/storage.ts";
import { createId } from "../../shared/ids.ts";
import { type ImageVariant, imagePath } from "../../shared/images/contract.ts";
import { ingestImage } from "../../shared/images/kinds.ts";
import { addJob } from "../../shared/jobs/queue.ts";
import { openTestApp, type TestApp } from "../helpers/app.ts";
import { drawPictures, encodePicture } from "../helpers/pictures.ts";

export const palette = builtIn.card;

export interface ImageRow {
  readonly id: string;
  readonly state: string;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly mediaType: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly variants: string[];
}

export interface Library {
  readonly house: TestApp;
  readonly store: PictureStore;
  /** Sends a picture and adds its job, as the edge does once a picture is accepted. */
  send(bytes: Uint8Array | undefined): Promise<{ imageId: string; jobId: string }>;
  find(imageId: string): Promise<ImageRow | undefined>;
  vectorLengths(imageId: string): Promise<number[]>;
  /** The media types of what lies in storage, by variant. */
  listObjects(imageId: string): Promise<Partial<Record<ImageVariant, string>>>;
  stateOfJob(jobId: string): Promise<string | undefined>;
  /** Takes a picture and its job out of the way of the tests that follow. */
  remove(imageId: string, jobId: string): Promise<void>;
  close(): Promise<void>;
}

export async function openLibrary(): Promise<Library> {
  const house = await openTestApp();
  const { deps, sql, alice, config } = house;
  await deps.objects.ensureBucket();
  const pathOf = (id: string, variant: ImageVariant) => imagePath({ id, ownerId: alice.id }, variant);
  return {
    house,
    store: createPictureStore({ ...config, sizeBytesMax: config.uploadBytesMax }),
    async send(bytes) {
      const imageId = createId();
      await sql`
        insert into parlance.images (id, owner_id, name, state)
        values (${imageId}, ${alice.id}, ${imageId}, 'processing')
      `;
      if (bytes) await deps.objects.put(pathOf(imageId, "original"), bytes, "image/jpeg");
      const job = { payload: { imageId }, ownerId: alice.id, subjectId: imageId };
      return { imageId, jobId: await addJob(sql, ingestImage, job) };
    },
    async find(imageId) {
      const [row] = await sql<ImageRow[]>`
        select id, state, error_code, error_message, media_type, width, height, variants
        from parlance.images
        where id = ${imageId}
      `;
      return row;
    },
    async vectorLengths(imageId) {
      const rows = await sql<{ length: number }[]>`
        select extensions.vector_norm(embedding) as length from parlance.image_vectors where image_id = ${imageId}
      `;
      return rows.map((row) => row.length);
    },
    async listObjects(imageId) {
      const found: Partial<Record<ImageVariant, string>> = {};
      for (const variant of ["original", "display", "thumbnail"] as const) {
        const object = await deps.objects.find(pathOf(imageId, variant));
        if (object) found[variant] = object.mediaType;
      }
      return found;
    },
    async stateOfJob(jobId) {
      const [row] = await sql<{ state: string }[]>`select state from parlance.job_views where id = ${jobId}`;
      return row?.state;
    },
    async remove(imageId, jobId) {
      await sql`delete from parlance.images where id = ${imageId}`;
      await sql`delete from parlance.jobs where id = ${jobId}`;
    },
    close: () => house.close(),
  };
}

/** The library's database for another process; only where it lies on a server. */
export function createLibraryUrl(library: Library, role: string): string {
  const url = new URL(process.env.TEST_DATABASE_URL ?? "");
  url.username = role;
  url.pathname = `/${library.house.sql.options.database}`;
  return url.href;
}

export function openInference(): Inference {
  return createInference({ preload: [palette.name] });
}

/** Jpegs of drawn pictures; the same for the same seed. */
export function drawJpegs(count: number, seed = 1): Promise<Uint8Array[]> {
  return Promise.all(drawPictures(count, seed).map((picture) => encodePicture(picture, "jpeg")));
}

export async function drawJpeg(seed = 1): Promise<Uint8Array> {
  const [jpeg] = await drawJpegs(1, seed);
  if (!jpeg) throw new Error("nothing was drawn");
  return jpeg;
}
