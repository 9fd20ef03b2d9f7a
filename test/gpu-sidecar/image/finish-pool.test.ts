import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { costOf, type Finishing, finish } from "../../../gpu-sidecar/image/finish.ts";
import { finishPixels } from "../../../gpu-sidecar/image/finish-pool.ts";
import { seededRandom } from "../../helpers/pictures.ts";

function draw(size: number, scaled: number, seed: number): Finishing {
  const random = seededRandom(seed);
  const data = Uint8Array.from({ length: 3 * size ** 2 }, () => random() * 256);
  const axis = { size, scaled, start: 0, count: scaled };
  return {
    cut: { raster: { data, width: size, height: size }, left: 0, top: 0 },
    frame: { columns: axis, rows: axis },
    input: { kernel: "cubic", scale: 1 / 255, mean: [0.5, 0.4, 0.3], deviation: [0.2, 0.3, 0.4] },
  };
}

describe("pixels that are finished in other threads", () => {
  test("are what this thread would have made, each asker's own, however many ask", async () => {
    const sizes = fc.array(fc.integer({ min: 8, max: 500 }), { minLength: 1, maxLength: 24 });
    await fc.assert(
      fc.asyncProperty(sizes, async (asked) => {
        const all = asked.map((size, index) => draw(size, 96, index));
        const finished = await Promise.all(all.map(finishPixels));
        finished.forEach((pixels, index) => {
          const one = all[index];
          expect(Buffer.from(pixels.buffer).equals(Buffer.from((one ? finish(one) : pixels).buffer))).toBe(
            true,
          );
        });
      }),
      { numRuns: 6 },
    );
  });

  test("leave the raster with its owner, and this thread free", async () => {
    const large = draw(900, 224, 1);
    expect(costOf(large)).toBeGreaterThan(5_000_000);
    let turns = 0;
    const count = setInterval(() => {
      turns += 1;
    }, 1);
    await Promise.all(Array.from({ length: 8 }, () => finishPixels(large)));
    clearInterval(count);
    expect(turns).toBeGreaterThan(1);
    expect(large.cut.raster.data).toHaveLength(3 * 900 ** 2);
  });

  test("fail alone, and the next ones are made", async () => {
    const broken = draw(900, 224, 1);
    const wrong = { ...broken, input: { ...broken.input, mean: null } } as unknown as Finishing;
    const [failed, made] = await Promise.allSettled([finishPixels(wrong), finishPixels(draw(900, 224, 2))]);
    expect(failed).toMatchObject({ reason: { code: "unexpected", retryable: true } });
    expect(made).toMatchObject({ status: "fulfilled" });
  });
});
