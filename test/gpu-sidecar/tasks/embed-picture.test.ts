import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { innerProduct } from "../../../gpu-sidecar/math/vectors.ts";
import { builtInCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import type { Inference } from "../../../gpu-sidecar/models/inference.ts";
import { createSpaceDirectory } from "../../../gpu-sidecar/spaces.ts";
import { createEmbedPictureTask } from "../../../gpu-sidecar/tasks/embed-picture.ts";
import { createId } from "../../../shared/ids.ts";
import { type EmbedPictureOutcome, pictureQueryPath } from "../../../shared/images/picture-queries.ts";
import { taskContext } from "../../helpers/task-context.ts";
import { drawJpegs, type Library, openInference, openLibrary } from "../library.ts";

let library: Library;
let inference: Inference;

beforeAll(async () => {
  library = await openLibrary();
  inference = openInference();
  await inference.ready();
});

afterAll(async () => {
  await inference.close();
  await library.close();
});

/** Puts the bytes where the edge would, and runs the task. */
async function look(bytes: Uint8Array | undefined, pixelsMax = 1e8): Promise<EmbedPictureOutcome> {
  const id = createId();
  const path = pictureQueryPath({ id, folder: "guests" });
  if (bytes) await library.house.deps.objects.put(path, bytes, "application/octet-stream");
  const { house, store } = library;
  const spaces = createSpaceDirectory(house.sql, builtInCatalog);
  const task = createEmbedPictureTask({ store, spaces, inference, pixelsMax });
  const job = { id: createId(), ownerId: null, subjectId: id };
  const context = taskContext({ job });
  return (await task.run({ queryId: id, spaceId: 1, path }, context)) as EmbedPictureOutcome;
}

describe("a picture that is searched by", () => {
  test("becomes a unit vector, the same for the same picture and another for another", async () => {
    const [one, other] = await drawJpegs(2, 4);
    const [first, again, different] = [await look(one), await look(one), await look(other)];
    expect(first.embedding).toHaveLength(128);
    expect(Math.hypot(...first.embedding)).toBeCloseTo(1, 4);
    const like = (a: EmbedPictureOutcome, b: EmbedPictureOutcome) =>
      innerProduct(Float32Array.from(a.embedding), Float32Array.from(b.embedding));
    expect(like(first, again)).toBeGreaterThan(0.99999);
    expect(like(first, different)).toBeLessThan(0.999);
  });

  test("that is cut off, too large or gone is refused for good", async () => {
    const [jpeg] = await drawJpegs(1, 5);
    await expect(look(jpeg?.subarray(0, 40))).rejects.toMatchObject({
      code: "image_undecodable",
      retryable: false,
    });
    await expect(look(jpeg, 100)).rejects.toMatchObject({ code: "image_too_many_pixels", retryable: false });
    await expect(look(undefined)).rejects.toMatchObject({ code: "image_object_missing", retryable: false });
  });
});
