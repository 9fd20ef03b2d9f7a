/** The pictures that are sent: drawn once, small and middling, in the formats of browsers. */
import { createHash } from "node:crypto";
import sharp from "sharp";
import { drawPictures } from "../helpers/pictures.ts";
import { picturesInPool, type Upload } from "./plan.ts";

export interface PoolPicture {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
}

const formats = ["jpeg", "png", "webp", "jpeg"] as const;

export function drawPool(): Promise<PoolPicture[]> {
  return Promise.all(
    drawPictures(picturesInPool, 5).map(async (picture, index) => {
      const format = formats[index % formats.length] ?? "jpeg";
      const width = 240 + 160 * index;
      const height = 180 + 120 * index;
      const raw = { width: picture.width, height: picture.height, channels: 3 } as const;
      const drawn = await sharp(picture.rgb, { raw }).resize(width, height).toFormat(format).toBuffer();
      const bytes = new Uint8Array(drawn);
      return { bytes, mediaType: `image/${format}`, width, height, sha256: hash(bytes) };
    }),
  );
}

function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What is sent: the picture, the first third of it, or a text. */
export function createContent(pool: readonly PoolPicture[], upload: Upload): PoolPicture {
  const picture = pool[upload.picture];
  if (!picture) throw new Error(`there is no picture ${upload.picture}`);
  if (upload.content === "whole") return picture;
  const bytes =
    upload.content === "text"
      ? new TextEncoder().encode(`This is no picture. ${upload.tag}\n`.repeat(20))
      : picture.bytes.slice(0, Math.floor(picture.bytes.length / 3));
  return { ...picture, bytes, sha256: hash(bytes) };
}
