import { Hono } from "hono";
import { cors } from "hono/cors";
import { createBucketRoutes } from "./buckets.ts";
import { StorageError, storageErrors, toStorageError } from "./errors.ts";
import { createListRoutes } from "./lists.ts";
import { createReadRoutes } from "./reading.ts";
import { createSignRoutes } from "./signing.ts";
import { createTools, type StorageOptions } from "./tools.ts";
import { createWriteRoutes } from "./writing.ts";

/**
 * Storage of the embedded mode, on the paths and in the forms of storage-api as @supabase/storage-js 2.119 uses them;
 * mounted at /storage/v1. Every access runs in the database as its caller: the policies of storage.buckets and
 * storage.objects decide, and the secret key passes them.
 */
export function createStorage(options: StorageOptions): Hono {
  const tools = createTools(options);
  const app = new Hono();

  app.use(
    cors({
      origin: "*",
      allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
      exposeHeaders: ["Content-Disposition", "Content-Length", "Content-Range", "ETag", "Last-Modified"],
      maxAge: 3600,
    }),
  );
  app.onError((error, c) => {
    const told = toStorageError(error);
    if (!(error instanceof StorageError) && told.statusCode >= 500) tools.reportError(error);
    return c.json(told.toBody(), told.httpStatus, { "cache-control": "no-store" });
  });
  for (const [path, what] of missing) {
    app.all(path, () => {
      throw storageErrors.notImplemented(what);
    });
  }
  app.route("/bucket", createBucketRoutes(tools));
  app.route("/object", createListRoutes(tools));
  app.route("/object", createSignRoutes(tools));
  app.route("/object", createReadRoutes(tools));
  app.route("/object", createWriteRoutes(tools));
  // A route and no notFound(), which would be lost where this app is mounted in another.
  app.all("*", () => {
    throw storageErrors.noSuchPath();
  });
  return app;
}

/** What a Supabase project has at these paths, and the embedded mode has not. */
const missing = [
  ["/render/*", "Transformation of images"],
  ["/upload/resumable", "Resumable uploads"],
  ["/upload/resumable/*", "Resumable uploads"],
  ["/bucket/:id/lifecycle", "Lifecycles of buckets"],
  ["/cdn/*", "The cache of a CDN"],
  ["/vector/*", "Vector buckets"],
  ["/iceberg/*", "Analytics buckets"],
  ["/s3/*", "The S3 protocol"],
] as const;
