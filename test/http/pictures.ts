import sharp from "sharp";

/** A picture of one colour with a seeded stripe, so that no two are the same file. */
export function drawPicture(colour: string, seed: number): Promise<Buffer> {
  const stripe = `<rect x="${seed % 200}" y="0" width="2" height="200" fill="${colour}" opacity="0.${(seed % 8) + 1}"/>`;
  const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="200"><rect width="320" height="200" fill="${colour}"/><circle cx="160" cy="100" r="${30 + (seed % 40)}" fill="${colour}" opacity="0.8"/>${stripe}</svg>`;
  return sharp(Buffer.from(picture))
    .jpeg({ quality: 90 - (seed % 20) })
    .toBuffer();
}
