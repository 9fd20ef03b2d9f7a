/** The log as a file, over HTTP. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Caller } from "../../../shared/callers.ts";
import { ListOrder } from "../../../shared/interactions/listing.ts";
import { describeError } from "../../../shared/log.ts";
import type { Deps } from "../../deps.ts";
import { describeProblems } from "../../http/problems.ts";
import { createRouter } from "../../http/router.ts";
import { signedIn } from "../owners.ts";
import { type ExportPage, exportFormats, streamExport } from "./exports.ts";
import { type PageRequest, readPage } from "./list.ts";
import { checkFilters, filterParameters, readFilters } from "./parameters.ts";

const exportRoute = createRoute({
  method: "get",
  path: "/interactions/export",
  tags: ["interactions"],
  summary: "Interactions as a file",
  description:
    "All that the same filters of the list find, whole, as CSV or as JSON lines. In CSV a text that a spreadsheet would run as a " +
    "formula has an apostrophe before it, and each metric is a column. The file is written while it is read: what comes into " +
    "the log meanwhile may be missing. There is no limit of rows; a host may have one of time or CPU (a function of Supabase 2 s of " +
    "CPU, some ten thousand rows): then, as after any failure, the connection breaks and the file does not end. Ask for parts of it " +
    "by `from` and `to`.",
  middleware: [signedIn] as const,
  request: {
    query: z
      .object({
        ...filterParameters,
        format: z.enum(["csv", "jsonl"]).default("csv"),
        order: ListOrder.default("occurredAt"),
      })
      .superRefine(checkFilters),
  },
  responses: {
    200: {
      description: "The file.",
      content: { "text/csv": { schema: z.string() }, "application/x-ndjson": { schema: z.string() } },
    },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden"),
  },
});

const rowsPerPage = 200;

export function createExportRoutes(deps: Deps) {
  return createRouter().openapi(exportRoute, async (c) => {
    const { format: name, order, ...asked } = c.req.valid("query");
    const format = exportFormats[name];
    const filters = readFilters(c.var.caller, asked);
    const first = await readExport(deps, c.var.caller, {
      filters,
      order,
      after: undefined,
      limit: rowsPerPage,
      textLength: null,
    });
    const { requestId } = c.var;
    const stream = streamExport(format, first, (error) =>
      deps.log.error("interactions.export_broke", { requestId, error: describeError(error) }),
    );
    const day = deps.now().toISOString().slice(0, 10);
    return c.body(stream, 200, {
      "content-type": format.mediaType,
      "content-disposition": `attachment; filename="interactions-${day}.${format.extension}"`,
    });
  });
}

async function readExport(deps: Deps, caller: Caller, request: PageRequest): Promise<ExportPage> {
  const { items, stop } = await readPage(deps, caller, request);
  return { items, readNext: stop ? () => readExport(deps, caller, { ...request, after: stop }) : undefined };
}
