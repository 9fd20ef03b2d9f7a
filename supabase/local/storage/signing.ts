import { Hono } from "hono";
import { z } from "zod";
import { callerUserId } from "../../../shared/callers.ts";
import { actAs } from "./acting.ts";
import { readJson } from "./body.ts";
import { findBucket } from "./bucket-store.ts";
import { storageErrors } from "./errors.ts";
import { checkBucketName } from "./names.ts";
import { findNames } from "./object-store.ts";
import { findAs, readPlace, refuseVersions } from "./reading.ts";
import type { StorageTools } from "./tools.ts";
import { checkMayUpload, receiveObject, toSignedTarget, toTarget } from "./uploads.ts";

/** The paths below /object that make signed URLs, and the one that takes an upload by one. */
const secondsMax = 100 * 365 * 24 * 60 * 60;
const SignBody = z.object({
  expiresIn: z.int().min(1).max(secondsMax),
  transform: z.unknown().optional(),
  versionId: z.unknown().optional(),
});
const SignManyBody = z.object({
  expiresIn: z.int().min(1).max(secondsMax),
  paths: z.array(z.string()).min(1).max(1000),
});

export function createSignRoutes(tools: StorageTools): Hono {
  const app = new Hono();
  const { identify, signatures, sql } = tools;

  app.post("/upload/sign/:bucket/:name{.+}", async (c) => {
    const place = readPlace(c);
    const caller = await identify(c.req.raw);
    const upsert = c.req.header("x-upsert") === "true";
    if (!(await findBucket(sql, place.bucketId))) throw storageErrors.noSuchBucket();
    await checkMayUpload(tools, toTarget(caller, place, "object.sign_upload_url", upsert), {});
    const token = await signatures.signUpload(place, { ownerId: callerUserId(caller), upsert });
    return c.json({ url: `/object/upload/sign/${place.bucketId}/${place.name}?token=${token}`, token });
  });

  app.put("/upload/sign/:bucket/:name{.+}", async (c) => {
    const place = readPlace(c);
    const signed = await signatures.verifyUpload(place, c.req.query("token") ?? "");
    const id = await receiveObject(tools, c.req.raw, toSignedTarget(place, signed));
    return c.json({ Id: id, Key: `${place.bucketId}/${place.name}` });
  });

  app.post("/sign/:bucket/:name{.+}", async (c) => {
    const place = readPlace(c);
    const caller = await identify(c.req.raw);
    const body = await readJson(c.req.raw, SignBody);
    if (body.transform) throw storageErrors.notImplemented("Transformation of images");
    refuseVersions(body.versionId);
    if (!(await findAs(tools, caller, "object.sign", place))) throw storageErrors.noSuchKey();
    const token = await signatures.signDownload(place, body.expiresIn);
    return c.json({ signedURL: `/object/sign/${place.bucketId}/${place.name}?token=${token}` });
  });

  app.post("/sign/:bucket", async (c) => {
    const bucketId = checkBucketName(c.req.param("bucket"));
    const caller = await identify(c.req.raw);
    const { paths, expiresIn } = await readJson(c.req.raw, SignManyBody);
    const names = await actAs(sql, caller, "object.sign_many", (transaction) =>
      findNames(transaction, bucketId, paths),
    );
    const visible = new Set(names);
    return c.json(await Promise.all(paths.map(signOne)));

    async function signOne(path: string) {
      if (!visible.has(path)) {
        const error = "Either the object does not exist or you do not have access to it";
        return { error, path, signedURL: null };
      }
      const token = await signatures.signDownload({ bucketId, name: path }, expiresIn);
      return { error: null, path, signedURL: `/object/sign/${bucketId}/${path}?token=${token}` };
    }
  });

  return app;
}
