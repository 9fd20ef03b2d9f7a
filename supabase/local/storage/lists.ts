import { Hono } from "hono";
import { z } from "zod";
import { actAs } from "./acting.ts";
import { checkBody, readJson } from "./body.ts";
import { storageErrors } from "./errors.ts";
import { decodeCursor, type EntryQuery, listEntries, toListed, toPage } from "./listing.ts";
import { checkBucketName } from "./names.ts";
import type { StorageTools } from "./tools.ts";

/** The paths below /object that list: only what the caller may select is counted, in folders too. */
const Order = z.enum(["asc", "desc"]).default("asc");
/** What only buckets with versions can answer; the values that mean nothing here pass. */
const Unversioned = z.object({
  noncurrentVersions: z.literal("exclude").optional(),
  deleteMarkers: z.literal("exclude").optional(),
  exactMatch: z.literal(false).optional(),
});
const ListBody = z.object({
  prefix: z.string().max(2048),
  limit: z.int().min(1).max(1000).default(100),
  offset: z.int().min(0).default(0),
  search: z.string().max(1024).optional(),
  sortBy: z
    .object({
      column: z.enum(["name", "created_at", "updated_at", "last_accessed_at"]).default("name"),
      order: Order,
    })
    .default({ column: "name", order: "asc" }),
});
const PageBody = z.object({
  prefix: z.string().max(2048).default(""),
  limit: z.int().min(1).max(1000).default(1000),
  cursor: z.string().max(8192).optional(),
  with_delimiter: z.boolean().default(false),
  sortBy: z
    .object({ column: z.enum(["name", "created_at", "updated_at"]), order: Order })
    .default({ column: "name", order: "asc" }),
});

export function createListRoutes(tools: StorageTools): Hono {
  const app = new Hono();

  app.post("/list/:bucket", async (c) => {
    const bucketId = checkBucketName(c.req.param("bucket"));
    const caller = await tools.identify(c.req.raw);
    const { prefix, search, sortBy, limit, offset } = await readList(c.req.raw, ListBody);
    const folder = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
    const query = {
      bucketId,
      prefix: folder,
      search: search ?? "",
      withFolders: true,
      ...sortBy,
      limit,
      offset,
    };
    const entries = await actAs(tools.sql, caller, "object.list", (transaction) =>
      listEntries(transaction, query),
    );
    return c.json(entries.map((entry) => toListed(entry, folder)));
  });

  app.post("/list-v2/:bucket", async (c) => {
    const bucketId = checkBucketName(c.req.param("bucket"));
    const caller = await tools.identify(c.req.raw);
    const body = await readList(c.req.raw, PageBody);
    const query = toQuery(bucketId, body);
    const entries = await actAs(tools.sql, caller, "object.list_v2", (transaction) =>
      listEntries(transaction, { ...query, limit: query.limit + 1 }),
    );
    return c.json(toPage(entries, query));
  });

  return app;
}

/** A cursor carries its order along, so that a page goes on as the one before it began. */
function toQuery(bucketId: string, body: z.infer<typeof PageBody>): EntryQuery {
  const after = body.cursor === undefined ? undefined : decodeCursor(body.cursor);
  return {
    bucketId,
    prefix: body.prefix,
    withFolders: body.with_delimiter,
    column: after?.column ?? body.sortBy.column,
    order: after?.order ?? body.sortBy.order,
    after,
    limit: body.limit,
  };
}

async function readList<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  const body = await readJson(request, z.record(z.string(), z.unknown()));
  if (!Unversioned.safeParse(body).success) {
    throw storageErrors.notImplemented("Listing versions, and matching a name exactly");
  }
  return checkBody(schema, body);
}
