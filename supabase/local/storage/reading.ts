import { type Context, Hono } from "hono";
import type { Caller } from "../../../shared/callers.ts";
import { actAs } from "./acting.ts";
import { type Bucket, findBucket } from "./bucket-store.ts";
import { type Delivery, sendObject } from "./downloads.ts";
import { storageErrors } from "./errors.ts";
import { checkBucketName, checkKey } from "./names.ts";
import { findObject, type Place, type StoredObject } from "./object-store.ts";
import type { StorageTools } from "./tools.ts";

/**
 * The paths below /object that read. A public bucket is read by everyone; in any other the right to select decides, and
 * what the caller may not see is not there.
 */
export function createReadRoutes(tools: StorageTools): Hono {
  const app = new Hono();

  app.get("/info/public/:bucket/:name{.+}", async (c) => {
    const { find } = await openPublic(tools, c);
    return sendInfo(c, await find());
  });
  for (const path of ["/info/authenticated/:bucket/:name{.+}", "/info/:bucket/:name{.+}"] as const) {
    app.get(path, async (c) => {
      const { find } = await openForCaller(tools, c, "object.get_authenticated_info");
      return sendInfo(c, await find());
    });
  }
  app.get("/public/:bucket/:name{.+}", async (c) => {
    const { find } = await openPublic(tools, c);
    return sendObject(c.req.raw, tools.folder, readDelivery(c), find);
  });
  app.get("/sign/:bucket/:name{.+}", async (c) => {
    const place = readPlace(c);
    const { expiresAt } = await tools.signatures.verifyDownload(place, c.req.query("token") ?? "");
    const delivery = { ...readDelivery(c), expiresAt };
    return sendObject(c.req.raw, tools.folder, delivery, () =>
      findObject(tools.sql, place.bucketId, place.name),
    );
  });
  for (const path of ["/authenticated/:bucket/:name{.+}", "/:bucket/:name{.+}"] as const) {
    app.get(path, async (c) => {
      const { find } = await openForCaller(tools, c, "object.get_authenticated");
      return sendObject(c.req.raw, tools.folder, readDelivery(c), find);
    });
  }
  return app;
}

/** The bucket and the name that the path gives, both valid. */
export function readPlace(c: Context): Place {
  const place = {
    bucketId: checkBucketName(c.req.param("bucket") ?? ""),
    name: checkKey(c.req.param("name") ?? ""),
  };
  refuseVersions(c.req.query("versionId"));
  return place;
}

/** One object has one version here; whoever asks for an old one must not be given the new one. */
export function refuseVersions(versionId: unknown): void {
  if (versionId !== undefined && versionId !== null)
    throw storageErrors.notImplemented("Versions of objects");
}

interface Readable {
  readonly bucket: Bucket;
  find(): Promise<StoredObject | undefined>;
}

async function openPublic(tools: StorageTools, c: Context): Promise<Readable> {
  const place = readPlace(c);
  const bucket = await findBucket(tools.sql, place.bucketId);
  if (!bucket?.public) throw storageErrors.noSuchBucket();
  return { bucket, find: () => findObject(tools.sql, place.bucketId, place.name) };
}

/** Without a caller, or with a token that has expired, the public buckets are still there. */
async function openForCaller(tools: StorageTools, c: Context, operation: string): Promise<Readable> {
  const place = readPlace(c);
  const caller = await tools.identifyMaybe(c.req.raw);
  const bucket = await findBucket(tools.sql, place.bucketId);
  if (bucket?.public) return { bucket, find: () => findObject(tools.sql, place.bucketId, place.name) };
  if (!bucket || !caller) throw storageErrors.noSuchBucket();
  return { bucket, find: () => findAs(tools, caller, operation, place) };
}

export function findAs(
  tools: StorageTools,
  caller: Caller,
  operation: string,
  place: Place,
): Promise<StoredObject | undefined> {
  return actAs(tools.sql, caller, operation, (transaction) =>
    findObject(transaction, place.bucketId, place.name),
  );
}

function readDelivery(c: Context): Delivery {
  return { download: c.req.query("download") };
}

function sendInfo(c: Context, object: StoredObject | undefined): Response {
  if (!object) throw storageErrors.noSuchKey();
  const { metadata } = object;
  return c.json({
    id: object.id,
    name: object.name,
    version: object.version,
    bucket_id: object.bucketId,
    size: metadata?.size ?? null,
    content_type: metadata?.mimetype ?? null,
    content_encoding: metadata?.contentEncoding ?? null,
    cache_control: metadata?.cacheControl ?? null,
    etag: metadata?.eTag ?? null,
    metadata: object.userMetadata,
    last_modified: object.updatedAt,
    created_at: object.createdAt,
  });
}
