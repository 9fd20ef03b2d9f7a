// Loaded for what it does: it teaches schemas that are made from then on.
import "@hono/zod-openapi";
import type { z } from "zod";

/**
 * A schema of the ground under its name in the contract. A schema that was made before this library was loaded does
 * not know `openapi`, and which comes first is up to whoever imports; its copy knows.
 */
export function nameSchema<Schema extends z.ZodType>(name: string, schema: Schema): Schema {
  return schema.clone().openapi(name);
}
