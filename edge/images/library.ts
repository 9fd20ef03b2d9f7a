/** What is done with the pictures that are there: shown, changed, published, deleted. */
import { becomeCaller, type Caller, serviceCaller, transactAs } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";
import {
  type Image,
  type ImageChange,
  type ImageDetail,
  ImageVariant,
  imagePath,
  type SearchFilters,
} from "../../shared/images/contract.ts";
import { ingestImage } from "../../shared/images/kinds.ts";
import { cancelJob } from "../../shared/jobs/queue.ts";
import { jobKinds } from "../../shared/kinds.ts";
import { describeError } from "../../shared/log.ts";
import type { Deps } from "../deps.ts";
import { cutPage, decodeCursor, type Page } from "../http/cursors.ts";
import { requireAdmin } from "../http/identity.ts";
import { checkMayChange, mayChange, type Scope } from "./access.ts";
import { ListCursor } from "./cursors.ts";
import { signLinks } from "./links.ts";
import {
  deleteImage,
  findNewestJob,
  findOrigin,
  getImage,
  type ImageRow,
  listImages,
  publishImage,
  updateImage,
} from "./store.ts";
import { toImage, toImageDetail } from "./views.ts";

export async function showPage(
  deps: Deps,
  caller: Caller,
  request: {
    scope: Scope;
    name: string | undefined;
    filters: SearchFilters;
    limit: number;
    cursor: string | undefined;
  },
): Promise<Page<Image>> {
  const { scope, name, filters, limit, cursor } = request;
  const after = cursor === undefined ? undefined : decodeCursor(ListCursor, cursor);
  const rows = await transactAs(deps.sql, caller, (transaction) =>
    listImages(transaction, { scope, name, filters, after, limit: limit + 1 }),
  );
  const page = cutPage(rows, limit, ({ createdAt, id }): ListCursor => ({ createdAt, id }));
  const links = await signLinks(deps, page.items, ["thumbnail"]);
  return { ...page, items: page.items.map((row) => toImage(row, links.get(row.id))) };
}

/** The original and what is known of it are for its owner and admins: it carries the place where it was taken. */
export async function showImage(deps: Deps, caller: Caller, id: string): Promise<ImageDetail> {
  const { image, origin } = await transactAs(deps.sql, caller, async (transaction) => {
    const image = await getImage(transaction, id);
    const origin = mayChange(caller, image) ? await findOrigin(transaction, id) : undefined;
    return { image, origin };
  });
  return detail(deps, caller, image, origin);
}

export async function changeImage(
  deps: Deps,
  caller: Caller,
  id: string,
  change: ImageChange,
): Promise<ImageDetail> {
  const { image, origin } = await transactAs(deps.sql, caller, async (transaction) => {
    checkMayChange(caller, await getImage(transaction, id));
    const image = await updateImage(transaction, id, change);
    if (!image) throw new AppError("not_found", "There is no such picture.");
    return { image, origin: await findOrigin(transaction, id) };
  });
  return detail(deps, caller, image, origin);
}

/** Whether everyone may see a picture: admins decide. Whoever cannot see it is not told that it is there. */
export async function setPublication(
  deps: Deps,
  caller: Caller,
  id: string,
  isPublic: boolean,
): Promise<ImageDetail> {
  const { image, origin } = await transactAs(deps.sql, caller, async (transaction) => {
    await getImage(transaction, id);
    requireAdmin(caller);
    const origin = await findOrigin(transaction, id);
    await becomeCaller(transaction, serviceCaller);
    const image = await publishImage(transaction, id, isPublic);
    if (!image) throw new AppError("not_found", "There is no such picture.");
    return { image, origin };
  });
  return detail(deps, caller, image, origin);
}

/**
 * The row first, and its work with it; the objects when that is committed. Objects that stay are swept.
 * The job's row is locked before the picture's, as its landing does, so that the two never wait for each other.
 */
export async function removeImage(deps: Deps, caller: Caller, id: string): Promise<void> {
  const image = await transactAs(deps.sql, caller, async (transaction) => {
    const image = await getImage(transaction, id);
    checkMayChange(caller, image);
    await becomeCaller(transaction, serviceCaller);
    const job = await findNewestJob(transaction, id, ingestImage.name);
    if (job?.isOpen) await cancelJob(transaction, jobKinds, job);
    await becomeCaller(transaction, caller);
    if (!(await deleteImage(transaction, id))) throw new AppError("not_found", "There is no such picture.");
    return image;
  });
  try {
    await deps.objects.remove(ImageVariant.options.map((variant) => imagePath(image, variant)));
  } catch (error) {
    deps.log.warn("images.objects_left", { imageId: id, error: describeError(error) });
  }
}

async function detail(
  deps: Deps,
  caller: Caller,
  image: ImageRow,
  origin: Awaited<ReturnType<typeof findOrigin>>,
): Promise<ImageDetail> {
  const variants = mayChange(caller, image) ? ImageVariant.options : (["display", "thumbnail"] as const);
  const links = await signLinks(deps, [image], variants);
  return toImageDetail(image, origin, links.get(image.id));
}
