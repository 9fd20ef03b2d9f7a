/** Signed links to what is kept of a picture. */
import { type ImageLinks, ImageVariant, imagePath } from "../../shared/images/contract.ts";
import { describeError } from "../../shared/log.ts";
import type { Deps } from "../deps.ts";
import type { ImageRow } from "./store.ts";

/**
 * The links of each picture by its id, asked for in one call. A picture is shown without its links rather than not
 * at all: when storage fails, that is logged and there are none.
 */
export async function signLinks(
  deps: Deps,
  images: readonly ImageRow[],
  variants: readonly ImageVariant[],
): Promise<ReadonlyMap<string, ImageLinks>> {
  const wanted = images.flatMap((image) =>
    listLinked(image, variants).map((variant) => ({ image, variant, path: imagePath(image, variant) })),
  );
  if (wanted.length === 0) return new Map();
  const expiresAt = new Date(deps.now().getTime() + deps.config.linkSeconds * 1000).toISOString();
  const urls = await signOrNone(
    deps,
    wanted.map(({ path }) => path),
  );
  const links = new Map<string, ImageLinks>();
  for (const { image, variant, path } of wanted) {
    const url = urls.get(path);
    if (url) links.set(image.id, { expiresAt, ...links.get(image.id), [variant]: url });
  }
  return links;
}

/** The original is there as soon as the picture is accepted, but only what was found to be a picture is linked. */
function listLinked(image: ImageRow, variants: readonly ImageVariant[]): ImageVariant[] {
  if (image.state !== "ready") return [];
  return ImageVariant.options.filter(
    (variant) => variants.includes(variant) && (variant === "original" || image.variants.includes(variant)),
  );
}

async function signOrNone(deps: Deps, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  try {
    return await deps.objects.sign(paths, deps.config.linkSeconds);
  } catch (error) {
    deps.log.warn("images.links_failed", { paths: paths.length, error: describeError(error) });
    return new Map();
  }
}
