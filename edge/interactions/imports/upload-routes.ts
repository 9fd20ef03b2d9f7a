/** How files come in over HTTP: as a form, or by a signed URL and a completion. */
import { createRoute, z } from "@hono/zod-openapi";
import { createId } from "../../../shared/ids.ts";
import {
  ImportOptions,
  InteractionImport,
  NewImport,
  StartedImport,
} from "../../../shared/interactions/imports.ts";
import type { Deps } from "../../deps.ts";
import { requireSignedIn } from "../../http/identity.ts";
import { describeProblems } from "../../http/problems.ts";
import { createRouter } from "../../http/router.ts";
import { nameSchema } from "../../http/schemas.ts";
import { signedIn } from "../owners.ts";
import { acceptFile, completeUpload, startUpload } from "./uploads.ts";

const tags = ["interactions"];
const ImportAnswer = nameSchema("InteractionImport", InteractionImport);

const optionsLengthMax = 20_000;

/** A form bears texts: the options are one, as JSON. */
const OptionsText = z
  .string()
  .max(optionsLengthMax)
  .transform((text, context) => {
    if (text.trim() === "") return {};
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: "custom", message: "must be a JSON object" });
      return z.NEVER;
    }
  })
  .pipe(ImportOptions);

const BulkForm = z.object({
  file: z
    .custom<File>((value) => value instanceof File, "must be one file")
    .openapi({
      type: "string",
      format: "binary",
      description: "CSV or JSON Lines, in UTF-8, UTF-16 or Windows-1252.",
    }),
  options: OptionsText.prefault("").openapi({
    type: "string",
    maxLength: optionsLengthMax,
    description: "`ImportOptions` as JSON.",
  }),
});

const locationHeader = {
  Location: { description: "The import, relative to this path.", schema: { type: "string" as const } },
};

const accepted = {
  description: "The file is there and will be read; its job is `jobId`.",
  headers: locationHeader,
  content: { "application/json": { schema: ImportAnswer } },
};

const bulkRoute = createRoute({
  method: "post",
  path: "/interactions/bulk",
  tags,
  summary: "Import a file of interactions",
  description:
    "CSV with columns `Input` and `Output`, or JSON Lines; other columns by their names (`app`, `model`, `occurredAt`, " +
    "`latencyMs`, … as in `POST /interactions`) or as `options` says. A job reads it: good rows land, bad ones are listed " +
    "with their reasons, and your rules judge them without telling anybody. The same file sent again adds nothing, unless " +
    "`duplicates` is `keep`. A form takes `UPLOAD_BYTES_MAX` bytes (25 MiB unless set otherwise); larger files go by " +
    "`POST /interactions/imports`. What the first bytes show to be wrong is refused at once.",
  middleware: [signedIn] as const,
  request: { body: { content: { "multipart/form-data": { schema: BulkForm } }, required: true } },
  responses: {
    202: accepted,
    ...describeProblems(
      "invalid_request",
      "payload_too_large",
      "unsupported_media_type",
      "quota_exceeded",
      "upstream_failed",
    ),
  },
});

const startRoute = createRoute({
  method: "post",
  path: "/interactions/imports",
  tags,
  summary: "Begin the import of a large file",
  description:
    "Up to 1 GiB, so far as the storage of the project takes it. PUT the bytes to the signed URL in the answer within two " +
    "hours, then POST to `/interactions/imports/{id}/completion`.",
  middleware: [signedIn] as const,
  request: {
    body: { content: { "application/json": { schema: nameSchema("NewImport", NewImport) } }, required: true },
  },
  responses: {
    201: {
      description: "The import awaits its file.",
      headers: locationHeader,
      content: { "application/json": { schema: nameSchema("StartedImport", StartedImport) } },
    },
    ...describeProblems("invalid_request", "conflict", "quota_exceeded", "upstream_failed"),
  },
});

const completionRoute = createRoute({
  method: "post",
  path: "/interactions/imports/{id}/completion",
  tags,
  summary: "Say that the file of an import was sent",
  description:
    "Looks at what lies at the signed URL and adds the job. Sent again, it answers the same import. `conflict` while nothing was " +
    "sent. What is not as announced, or nothing that can be imported, fails for good: the signed URL worked once.",
  middleware: [signedIn] as const,
  request: { params: z.object({ id: z.uuid() }) },
  responses: {
    202: accepted,
    ...describeProblems(
      "invalid_request",
      "not_found",
      "conflict",
      "upload_expired",
      "payload_too_large",
      "unsupported_media_type",
      "quota_exceeded",
      "upstream_failed",
    ),
  },
});

export function createUploadRoutes(deps: Deps) {
  return createRouter()
    .openapi(bulkRoute, async (c) => {
      const ownerId = requireSignedIn(c.var.caller);
      const { file, options } = c.req.valid("form");
      const id = c.var.operationId ?? createId();
      const made = await acceptFile(deps, { id, ownerId, file, options });
      c.set("hasAddedJobs", true);
      return c.json(made, 202, { Location: `imports/${made.id}` });
    })
    .openapi(startRoute, async (c) => {
      const ownerId = requireSignedIn(c.var.caller);
      const id = c.var.operationId ?? createId();
      const started = await startUpload(deps, { ...c.req.valid("json"), id, ownerId });
      return c.json(started, 201, { Location: `imports/${id}` });
    })
    .openapi(completionRoute, async (c) => {
      const made = await completeUpload(deps, c.var.caller, c.req.valid("param").id);
      c.set("hasAddedJobs", true);
      return c.json(made, 202, { Location: `../${made.id}` });
    });
}
