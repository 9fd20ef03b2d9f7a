import sharp from "sharp";
import { encodeJpeg } from "../../../gpu-sidecar/image/raster.ts";
import { seededRandom } from "../../helpers/pictures.ts";

/** As hard to decode as a photograph: soft shapes under fine grain. */
async function drawPhotograph(width: number, height: number, seed: number): Promise<Uint8Array> {
  const random = seededRandom(seed);
  const small = Uint8Array.from({ length: 40 * 30 * 3 }, () => random() * 255);
  const raw = { width: 40, height: 30, channels: 3 } as const;
  const { data } = await sharp(small, { raw })
    .resize(width, height, { fit: "fill" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.max(0, Math.min(255, (data[i] ?? 0) + (random() - 0.5) * 24));
  }
  return encodeJpeg({ data, width, height }, 85);
}

/** Some originals of 12 megapixels. */
export async function drawOriginals(count: number): Promise<Uint8Array[]> {
  const originals: Uint8Array[] = [];
  for (let seed = 1; seed <= count; seed++) originals.push(await drawPhotograph(4000, 3000, seed));
  return originals;
}

/** Their derivatives of 512 pixels. */
export function drawDerivatives(originals: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const shrink = (original: Uint8Array) =>
    sharp(original).resize(512, 512, { fit: "inside" }).jpeg({ quality: 80 }).toBuffer();
  return Promise.all(originals.map(shrink));
}
