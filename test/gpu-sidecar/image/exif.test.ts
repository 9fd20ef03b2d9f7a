import fc from "fast-check";
import sharp, { type Exif } from "sharp";
import { describe, expect, test } from "vitest";
import { type PictureExif, readExif } from "../../../gpu-sidecar/image/exif.ts";
import { isExifBounded } from "../../../gpu-sidecar/image/exif-bounds.ts";

const nothing: PictureExif = { takenAt: null, camera: null, tags: {}, place: null };

async function blockOf(exif: Exif): Promise<Uint8Array> {
  const picture = sharp({ create: { width: 4, height: 4, channels: 3, background: "#888" } });
  const { exif: block } = await sharp(await picture.withExif(exif).jpeg().toBuffer()).metadata();
  if (!block) throw new Error("the block is missing");
  return block;
}

async function read(exif: Exif): Promise<PictureExif> {
  return readExif(await blockOf(exif));
}

const clock = { DateTimeOriginal: "2024:05:01 23:30:15" };
const bern = {
  GPSLatitudeRef: "N",
  GPSLatitude: "46/1 56/1 5280/100",
  GPSLongitudeRef: "E",
  GPSLongitude: "7/1 26/1 4824/100",
};

describe("what a camera wrote", () => {
  test("comes out as typed values under the names of the standard", async () => {
    const { tags, camera } = await read({
      IFD0: { Make: "Canon", Model: "Canon EOS R6", Artist: "Zoe" },
      IFD2: {
        ...clock,
        FNumber: "28/10",
        ExposureTime: "1/250",
        ISOSpeedRatings: "400",
        LensModel: "RF 35mm",
        LensSpecification: "35/1 35/1 18/10 18/10",
      },
    });
    expect(camera).toBe("Canon EOS R6");
    expect(tags).toMatchObject({
      Make: "Canon",
      Artist: "Zoe",
      FNumber: 2.8,
      ExposureTime: 0.004,
      ISOSpeedRatings: 400,
      LensModel: "RF 35mm",
      LensSpecification: [35, 35, 1.8, 1.8],
      DateTimeOriginal: "2024-05-01T23:30:15",
    });
    expect(Object.keys(tags).filter((name) => name.startsWith("GPS") || name.endsWith("Tag"))).toEqual([]);
  });

  test("may hold UTF-8, though the standard says ASCII", async () => {
    const block = Buffer.from(await blockOf({ IFD0: { Artist: "Zoxx" } }));
    block.set([0xc3, 0xab], block.indexOf("Zoxx") + 2);
    expect(readExif(block).tags.Artist).toBe("Zoë");
  });

  test("names the camera with its maker once", async () => {
    expect((await read({ IFD0: { Make: "NIKON CORPORATION", Model: "Z 6" } })).camera).toBe(
      "NIKON CORPORATION Z 6",
    );
    expect((await read({ IFD0: { Model: "Pixel 8" } })).camera).toBe("Pixel 8");
    expect((await read({ IFD0: { Artist: "nobody" } })).camera).toBeNull();
  });

  test("can be kept as JSON: no bytes, no NaN, nothing endless", async () => {
    const { tags } = await read({
      IFD0: { ImageDescription: "x".repeat(3000), Copyright: "a\u0007b" },
      IFD2: { FNumber: "0/0", ExposureBiasValue: "1/0" },
    });
    expect(JSON.parse(JSON.stringify(tags))).toEqual(tags);
    expect(tags.ImageDescription).toHaveLength(500);
    expect(tags).not.toHaveProperty("Copyright");
    expect(tags).not.toHaveProperty("FNumber");
    expect(tags).not.toHaveProperty("ExposureBiasValue");
  });
});

describe("the time", () => {
  test("is known where the camera says its zone", async () => {
    expect((await read({ IFD2: { ...clock, OffsetTimeOriginal: "+02:00" } })).takenAt).toBe(
      "2024-05-01T21:30:15.000Z",
    );
    expect((await read({ IFD2: { ...clock, OffsetTimeOriginal: "-11:30" } })).takenAt).toBe(
      "2024-05-02T11:00:15.000Z",
    );
  });

  test("is not guessed where it does not; the clock stays as it stood", async () => {
    const { takenAt, tags } = await read({ IFD2: clock });
    expect(takenAt).toBeNull();
    expect(tags.DateTimeOriginal).toBe("2024-05-01T23:30:15");
    expect((await read({ IFD2: { ...clock, OffsetTimeOriginal: "local" } })).takenAt).toBeNull();
  });

  test("is taken from the satellites where the clock has no zone", async () => {
    const time = { GPSDateStamp: "2024:05:01", GPSTimeStamp: "21/1 30/1 1499/100" };
    expect((await read({ IFD2: clock, IFD3: { ...bern, ...time } })).takenAt).toBe(
      "2024-05-01T21:30:14.000Z",
    );
  });

  test.each(["0000:00:00 00:00:00", "2024-05-01", "yesterday"])("%s is none", async (value) => {
    const { takenAt, tags } = await read({ IFD2: { DateTimeOriginal: value, OffsetTimeOriginal: "+00:00" } });
    expect(takenAt).toBeNull();
    expect(tags).not.toHaveProperty("DateTimeOriginal");
  });
});

describe("the place", () => {
  test("stands apart from the tags, in degrees", async () => {
    const { place, tags } = await read({ IFD3: { ...bern, GPSAltitudeRef: "0", GPSAltitude: "5420/10" } });
    expect(place).toEqual({ latitude: 46.948, longitude: 7.4467333, altitudeMetres: 542 });
    expect(JSON.stringify(tags)).not.toContain("46");
  });

  test("is south and west and below the sea where the camera says so", async () => {
    const far = { ...bern, GPSLatitudeRef: "S", GPSLongitudeRef: "W" };
    expect((await read({ IFD3: far })).place).toEqual({
      latitude: -46.948,
      longitude: -7.4467333,
      altitudeMetres: null,
    });
  });

  test.each([
    ["a latitude above 90", { ...bern, GPSLatitude: "91/1 0/1 0/1" }],
    ["a longitude above 180", { ...bern, GPSLongitude: "180/1 0/1 1/1" }],
    ["sixty minutes", { ...bern, GPSLatitude: "46/1 60/1 0/1" }],
    ["a division by zero", { ...bern, GPSLatitude: "46/0 0/1 0/1" }],
    ["only one of the two", { GPSLatitudeRef: "N", GPSLatitude: "46/1 0/1 0/1" }],
  ])("is none with %s", async (_, IFD3) => {
    expect((await read({ IFD3 })).place).toBeNull();
  });
});

describe("a broken block", () => {
  test("is as good as none", () => {
    expect(readExif(undefined)).toEqual(nothing);
    expect(readExif(new Uint8Array(0))).toEqual(nothing);
    expect(readExif(Buffer.from("Exif\0\0nonsense that is long enough"))).toEqual(nothing);
  });

  test("never throws, wherever it is cut or changed", async () => {
    const whole = await blockOf({ IFD0: { Make: "Canon" }, IFD2: clock, IFD3: bern });
    for (let length = 0; length < whole.length; length++)
      expect(() => readExif(whole.subarray(0, length))).not.toThrow();
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const changed = Uint8Array.from(whole);
        changed[at] = byte;
        JSON.stringify(readExif(changed));
      }),
      { numRuns: 500 },
    );
  });

  test("that claims gigabytes in 64 kB is not read", () => {
    const block = new Uint8Array(65_000);
    const view = new DataView(block.buffer);
    block.set(Buffer.from("II*\0"));
    view.setUint32(4, 8, true);
    const entries = 5000;
    view.setUint16(8, entries, true);
    for (let entry = 0; entry < entries; entry++) {
      const at = 10 + entry * 12;
      view.setUint16(at, 50_000 + (entry % 1000), true);
      view.setUint16(at + 2, 1, true);
      view.setUint32(at + 4, 64_000, true);
      view.setUint32(at + 8, 16, true);
    }
    expect(isExifBounded(block)).toBe(false);
    expect(readExif(block)).toEqual(nothing);
  });

  test("whose directories point to each other ends", () => {
    const block = new Uint8Array(64);
    const view = new DataView(block.buffer);
    block.set(Buffer.from("II*\0"));
    view.setUint32(4, 8, true);
    view.setUint16(8, 1, true);
    view.setUint16(10, 0x8769, true);
    view.setUint16(12, 4, true);
    view.setUint32(14, 1, true);
    view.setUint32(18, 8, true);
    expect(isExifBounded(block)).toBe(false);
  });
});
