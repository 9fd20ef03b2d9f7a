import { Hono } from "hono";
import { z } from "zod";
import { callerUserId } from "../../../shared/callers.ts";
import { databaseErrorCode } from "../../../shared/database.ts";
import { actAs } from "./acting.ts";
import { readJson } from "./body.ts";
import {
  type Bucket,
  deleteBucket,
  findBucket,
  insertBucket,
  listBuckets,
  updateBucket,
} from "./bucket-store.ts";
import { storageErrors, toStorageError } from "./errors.ts";
import { checkBucketName, isMimePattern, parseSizeBytes } from "./names.ts";
import { deleteSomeObjects, hasObjects } from "./object-store.ts";
import type { StorageTools } from "./tools.ts";
import { dropFiles } from "./uploads.ts";

/** The paths below /bucket. The policies of storage.buckets decide: without any, buckets are the secret key's alone. */
const Limits = z.object({
  public: z.boolean().optional(),
  file_size_limit: z
    .union([z.int().min(0), z.string()])
    .nullable()
    .optional(),
  allowed_mime_types: z.array(z.string()).max(200).nullable().optional(),
  type: z.string().optional(),
  versioning_status: z.string().optional(),
});
const NewBucketBody = Limits.extend({ id: z.string().optional(), name: z.string() });

const BucketQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(1000),
  offset: z.coerce.number().int().min(0).default(0),
  search: z.string().max(200).default(""),
  sortColumn: z.enum(["id", "name", "created_at", "updated_at"]).default("name"),
  sortOrder: z.enum(["asc", "desc"]).default("asc"),
});

const emptyBatch = 1000;
const emptyBatchesMax = 1000;

export function createBucketRoutes(tools: StorageTools): Hono {
  const app = new Hono();
  const { sql, identify } = tools;

  app.get("/", async (c) => {
    const page = BucketQuery.safeParse(c.req.query());
    if (!page.success) throw storageErrors.invalidRequest("querystring is invalid");
    const caller = await identify(c.req.raw);
    const buckets = await actAs(sql, caller, "bucket.list", (transaction) =>
      listBuckets(transaction, page.data),
    );
    return c.json(buckets.map(toJson));
  });

  app.get("/:id", async (c) => {
    const caller = await identify(c.req.raw);
    const id = c.req.param("id");
    const bucket = await actAs(sql, caller, "bucket.get", (transaction) => findBucket(transaction, id));
    if (!bucket) throw storageErrors.noSuchBucket();
    return c.json(toJson(bucket));
  });

  app.post("/", async (c) => {
    const caller = await identify(c.req.raw);
    const body = await readJson(c.req.raw, NewBucketBody);
    const limits = checkLimits(tools, body);
    const bucket = {
      id: checkBucketName(body.id ?? body.name),
      name: checkBucketName(body.name),
      ownerId: callerUserId(caller),
      public: body.public ?? false,
      fileSizeLimit: limits.fileSizeLimit ?? null,
      allowedMimeTypes: limits.allowedMimeTypes ?? null,
    };
    await actAs(sql, caller, "bucket.create", (transaction) => insertBucket(transaction, bucket)).catch(
      (error: unknown) => {
        throw toStorageError(error).statusCode === 409 ? storageErrors.bucketExists() : error;
      },
    );
    return c.json({ name: bucket.name });
  });

  app.put("/:id", async (c) => {
    const caller = await identify(c.req.raw);
    const body = await readJson(c.req.raw, Limits);
    const changes = { public: body.public, ...checkLimits(tools, body) };
    const found = await actAs(sql, caller, "bucket.update", (transaction) =>
      updateBucket(transaction, c.req.param("id"), changes),
    );
    if (!found) throw storageErrors.noSuchBucket();
    return c.json({ message: "Successfully updated" });
  });

  app.delete("/:id", async (c) => {
    const caller = await identify(c.req.raw);
    const id = c.req.param("id");
    if (!(await findBucket(sql, id))) throw storageErrors.noSuchBucket();
    if (await hasObjects(sql, id)) throw storageErrors.bucketNotEmpty();
    const found = await actAs(sql, caller, "bucket.delete", (transaction) =>
      deleteBucket(transaction, id),
    ).catch((error: unknown) => {
      // An object came between the question and the deed.
      throw databaseErrorCode(error) === "23503" ? storageErrors.bucketNotEmpty() : error;
    });
    if (!found) throw storageErrors.noSuchBucket();
    return c.json({ message: "Successfully deleted" });
  });

  // The words are those of a hosted project, where it may take an hour; here it is done when they are said.
  app.post("/:id/empty", async (c) => {
    const caller = await identify(c.req.raw);
    const id = c.req.param("id");
    const bucket = await actAs(sql, caller, "bucket.empty", (transaction) => findBucket(transaction, id));
    if (!bucket) throw storageErrors.noSuchBucket();
    for (let batch = 0; batch < emptyBatchesMax; batch++) {
      const versions = await actAs(sql, caller, "bucket.empty", (transaction) =>
        deleteSomeObjects(transaction, id, emptyBatch),
      );
      await dropFiles(tools, versions);
      if (versions.length === 0) break;
    }
    if (await actAs(sql, caller, "bucket.empty", (transaction) => hasObjects(transaction, id))) {
      throw storageErrors.accessDenied("Cannot delete: you may have SELECT but not DELETE permissions");
    }
    return c.json({ message: "Empty bucket has been queued. Completion may take up to an hour." });
  });

  return app;
}

function toJson(bucket: Bucket) {
  const { fileSizeLimit, allowedMimeTypes, createdAt, updatedAt, ...rest } = bucket;
  return {
    ...rest,
    type: "STANDARD",
    file_size_limit: fileSizeLimit,
    allowed_mime_types: allowedMimeTypes,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

/** What is undefined was not named and stays as it is; null takes the limit away. */
function checkLimits(tools: StorageTools, body: z.infer<typeof Limits>) {
  if (body.type !== undefined && body.type !== "STANDARD") {
    throw storageErrors.notImplemented(`Buckets of type ${body.type}`);
  }
  if (body.versioning_status !== undefined && body.versioning_status !== "DISABLED") {
    throw storageErrors.notImplemented("Versions of objects");
  }
  const size = body.file_size_limit;
  const fileSizeLimit = typeof size === "number" || typeof size === "string" ? parseSizeBytes(size) : size;
  if ((fileSizeLimit ?? 0) > tools.fileSizeLimitBytes) throw storageErrors.tooLarge();
  const allowedMimeTypes = body.allowed_mime_types?.filter((type) => type !== "") ?? body.allowed_mime_types;
  const wrong = allowedMimeTypes?.find((type) => !isMimePattern(type));
  if (wrong !== undefined) throw storageErrors.invalidMimeType(wrong);
  return { fileSizeLimit, allowedMimeTypes };
}
