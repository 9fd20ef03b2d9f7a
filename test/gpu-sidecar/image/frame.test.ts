import { describe, expect, test } from "vitest";
import { frameOf, hasRoom, partOf, shrinkFrame } from "../../../gpu-sidecar/image/frame.ts";
import type { ImageInput } from "../../../gpu-sidecar/models/card.ts";

const levels = { scale: 1, mean: [0, 0, 0], deviation: [1, 1, 1] } as const;
const cover: ImageInput = { size: 224, resize: "cover", edge: 224, kernel: "cubic", ...levels };
const squash: ImageInput = { ...cover, resize: "squash" };

describe("what a model reads of a picture", () => {
  test.each([
    // width, height, edge; what it is scaled to, and where the cut begins
    [640, 480, 224, [298, 224], [37, 0]],
    [480, 640, 224, [224, 298], [0, 37]],
    [500, 333, 224, [336, 224], [56, 0]],
    [500, 333, 256, [384, 256], [80, 16]],
    [401, 400, 224, [224, 224], [0, 0]],
    [402, 400, 224, [225, 224], [0, 0]],
    [224, 224, 224, [224, 224], [0, 0]],
    [3, 2, 224, [336, 224], [56, 0]],
    [1, 5000, 224, [224, 1_120_000], [0, 559_888]],
  ])("of %i by %i with the short edge at %i is the middle", (width, height, edge, scaled, start) => {
    const { columns, rows } = frameOf({ width, height }, { ...cover, edge });
    expect([columns.scaled, rows.scaled]).toEqual(scaled);
    expect([columns.start, rows.start]).toEqual(start);
    expect([columns.count, rows.count]).toEqual([224, 224]);
  });

  test("is all of it where it is squashed", () => {
    const { columns, rows } = frameOf({ width: 5000, height: 3 }, squash);
    expect(columns).toEqual({ size: 5000, scaled: 224, start: 0, count: 224 });
    expect(rows).toEqual({ size: 3, scaled: 224, start: 0, count: 224 });
  });

  test.each([
    [1, 90_000_000],
    [90_000_000, 1],
    [300, 300_000],
    [5000, 20_000],
    [2, 3],
  ])("of %i by %i is a small part, however long and thin it is", (width, height) => {
    const frame = shrinkFrame(frameOf({ width, height }, cover), { room: 3, direct: 4 });
    const part = partOf(frame, "cubic");
    expect(part.width * part.height).toBeLessThan(1_000_000);
    expect(part.left + part.width).toBeLessThanOrEqual(frame.columns.size);
    expect(part.top + part.height).toBeLessThanOrEqual(frame.rows.size);
  });

  test("may come from a smaller copy that has room enough, or that lacks nothing", () => {
    const photograph = { width: 4000, height: 3000 };
    const panorama = { width: 10_000, height: 500 };
    expect(hasRoom({ width: 2048, height: 1536 }, frameOf(photograph, cover), 2.25)).toBe(true);
    expect(hasRoom({ width: 512, height: 384 }, frameOf(photograph, cover), 2.25)).toBe(false);
    expect(hasRoom({ width: 2048, height: 102 }, frameOf(panorama, cover), 2.25)).toBe(false);
    expect(hasRoom({ width: 300, height: 200 }, frameOf({ width: 300, height: 200 }, cover), 2.25)).toBe(
      true,
    );
  });
});
