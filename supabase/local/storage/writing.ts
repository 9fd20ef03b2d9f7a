import { type Context, Hono } from "hono";
import { z } from "zod";
import { actAs } from "./acting.ts";
import { readJson, readUserMetadata } from "./body.ts";
import { storageErrors } from "./errors.ts";
import { checkBucketName } from "./names.ts";
import { deleteObjects, type StoredObject } from "./object-store.ts";
import { readPlace, refuseVersions } from "./reading.ts";
import type { StorageTools } from "./tools.ts";
import { copyObject, dropFiles, receiveObject, relocateObject, toTarget } from "./uploads.ts";

/** The paths below /object that write: upload, update, remove, move, copy. */
const RemoveBody = z.object({
  prefixes: z
    .array(z.union([z.string(), z.object({ path: z.string(), versionId: z.string() })]))
    .min(1)
    .max(1000),
});
const HeaderValue = z
  .string()
  .regex(/^[\x20-\x7e]{0,255}$/)
  .optional();
const MoveBody = z.object({
  bucketId: z.string(),
  sourceKey: z.string().min(1),
  destinationKey: z.string().min(1),
  destinationBucket: z.string().optional(),
  sourceVersionId: z.unknown().optional(),
});
const CopyBody = MoveBody.extend({
  copyMetadata: z.boolean().default(true),
  metadata: z
    .object({ cacheControl: HeaderValue, mimetype: HeaderValue, contentEncoding: HeaderValue })
    .default({}),
});

export function createWriteRoutes(tools: StorageTools): Hono {
  const app = new Hono();
  const { identify, sql } = tools;

  app.post("/move", async (c) => {
    const caller = await identify(c.req.raw);
    const { from, to } = toPlaces(await readJson(c.req.raw, MoveBody));
    const id = await relocateObject(tools, caller, from, to);
    return c.json({ message: "Successfully moved", Id: id, Key: to.name });
  });

  app.post("/copy", async (c) => {
    const caller = await identify(c.req.raw);
    const body = await readJson(c.req.raw, CopyBody);
    const { from, to } = toPlaces(body);
    const upsert = c.req.header("x-upsert") === "true";
    const id = await copyObject(tools, {
      from,
      to: toTarget(caller, to, "object.copy", upsert),
      overrides: body.copyMetadata ? null : body.metadata,
      userMetadata: readUserMetadata(c.req.raw.headers),
    });
    return c.json({ Id: id, Key: `${to.bucketId}/${to.name}`, id, bucket_id: to.bucketId, name: to.name });
  });

  app.delete("/:bucket", async (c) => {
    const bucketId = checkBucketName(c.req.param("bucket"));
    const caller = await identify(c.req.raw);
    const { prefixes } = await readJson(c.req.raw, RemoveBody);
    const names = prefixes.map((entry) => {
      if (typeof entry !== "string") throw storageErrors.notImplemented("Versions of objects");
      return entry;
    });
    const removed = await actAs(sql, caller, "object.delete_many", (transaction) =>
      deleteObjects(transaction, bucketId, names),
    );
    await dropFiles(
      tools,
      removed.map(({ version }) => version),
    );
    return c.json(removed.map(toJson));
  });

  app.delete("/:bucket/:name{.+}", async (c) => {
    const { bucketId, name } = readPlace(c);
    const caller = await identify(c.req.raw);
    const [removed] = await actAs(sql, caller, "object.delete", (transaction) =>
      deleteObjects(transaction, bucketId, [name]),
    );
    if (!removed) throw storageErrors.noSuchKey();
    await dropFiles(tools, [removed.version]);
    return c.json({ message: "Successfully deleted" });
  });

  app.post("/:bucket/:name{.+}", (c) => receive(c, "object.upload", c.req.header("x-upsert") === "true"));
  app.put("/:bucket/:name{.+}", (c) => receive(c, "object.upload_update", true));

  async function receive(c: Context, operation: string, upsert: boolean): Promise<Response> {
    const place = readPlace(c);
    const caller = await identify(c.req.raw);
    const id = await receiveObject(tools, c.req.raw, toTarget(caller, place, operation, upsert));
    return c.json({ Id: id, Key: `${place.bucketId}/${place.name}` });
  }

  return app;
}

function toJson(object: StoredObject) {
  return {
    id: object.id,
    bucket_id: object.bucketId,
    name: object.name,
    owner: object.owner,
    owner_id: object.ownerId,
    version: object.version,
    metadata: object.metadata,
    user_metadata: object.userMetadata,
    created_at: object.createdAt,
    updated_at: object.updatedAt,
    last_accessed_at: object.lastAccessedAt,
  };
}

function toPlaces(body: z.infer<typeof MoveBody>) {
  refuseVersions(body.sourceVersionId);
  return {
    from: { bucketId: checkBucketName(body.bucketId), name: body.sourceKey },
    to: {
      bucketId: checkBucketName(body.destinationBucket ?? body.bucketId),
      name: body.destinationKey,
    },
  };
}
