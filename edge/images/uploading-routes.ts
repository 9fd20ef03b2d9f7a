/** How pictures come in over HTTP: as a form, or by a signed URL and a completion. */
import { createRoute, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { AppError } from "../../shared/errors.ts";
import { createId } from "../../shared/ids.ts";
import {
  AcceptedImage,
  ImageName,
  imageLimits,
  Keyword,
  NewImageUpload,
  StartedUpload,
  Title,
} from "../../shared/images/contract.ts";
import type { Deps } from "../deps.ts";
import { requireSignedIn } from "../http/identity.ts";
import { describeProblems } from "../http/problems.ts";
import { type AppEnv, createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { type Accepted, acceptFile, completeUpload, startUpload } from "./uploads.ts";
import { toImage } from "./views.ts";

const tags = ["images"];
const AcceptedAnswer = nameSchema("AcceptedImage", AcceptedImage);

/** Before the body is read: nobody sends megabytes to be told who they are not. */
export const signedIn: MiddlewareHandler<AppEnv> = (c, next) => {
  requireSignedIn(c.var.caller);
  return next();
};

/** A form sends an empty field for what was not filled in. */
const filled = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema);

const splitKeywords = (given: string | string[] | undefined): string[] =>
  [given ?? []]
    .flat()
    .flatMap((text) => text.split(","))
    .map((keyword) => keyword.trim())
    .filter((keyword) => keyword !== "");

/** As many keywords as there may be, with room for commas and spaces; megabytes are not split to be counted. */
const KeywordsText = z.string().max(2 * imageLimits.keywordsMax * imageLimits.keywordLengthMax);

const UploadForm = z.object({
  file: z
    .custom<File>((value) => value instanceof File, "must be one file")
    .openapi({ type: "string", format: "binary", description: "jpeg, png, webp, avif, gif, tiff or heic." }),
  name: filled(ImageName.optional()).openapi({
    type: "string",
    maxLength: imageLimits.nameLengthMax,
    description:
      "Unique among the owner's pictures. Default: the file's name, with a number where it is taken.",
  }),
  title: filled(Title.optional()).openapi({ type: "string", maxLength: imageLimits.titleLengthMax }),
  keywords: z
    .union([KeywordsText, z.array(KeywordsText).max(imageLimits.keywordsMax)])
    .optional()
    .transform(splitKeywords)
    .pipe(z.array(Keyword).max(imageLimits.keywordsMax))
    .openapi({
      type: "array",
      items: { type: "string", maxLength: imageLimits.keywordLengthMax },
      maxItems: imageLimits.keywordsMax,
      description: "Repeated, or with commas between them.",
    }),
});

const locationHeader = {
  Location: { description: "The picture, relative to this path.", schema: { type: "string" as const } },
};

const postImage = createRoute({
  method: "post",
  path: "/images",
  tags,
  summary: "Add a picture",
  description: `Send the file as \`multipart/form-data\`: it is stored, and a job makes it searchable (202). Or send
its name, type and size as JSON, PUT the bytes to the signed URL in the answer (201) within two hours, and then POST
to \`/images/{id}/completion\`. A file may have \`UPLOAD_BYTES_MAX\` bytes (25 MiB unless set otherwise). What the
content shows to be no picture is refused; what only decoding shows ends the job as \`failed\`.`,
  middleware: [signedIn] as const,
  request: {
    body: {
      content: {
        "multipart/form-data": { schema: UploadForm },
        "application/json": { schema: nameSchema("NewImageUpload", NewImageUpload) },
      },
    },
  },
  responses: {
    201: {
      description: "The row is there and awaits its bytes.",
      headers: locationHeader,
      content: { "application/json": { schema: nameSchema("StartedUpload", StartedUpload) } },
    },
    202: {
      description: "The picture is stored and will end `ready` or `failed`.",
      headers: locationHeader,
      content: { "application/json": { schema: AcceptedAnswer } },
    },
    ...describeProblems(
      "invalid_request",
      "name_taken",
      "payload_too_large",
      "unsupported_media_type",
      "quota_exceeded",
      "upstream_failed",
    ),
  },
});

const postCompletion = createRoute({
  method: "post",
  path: "/images/{id}/completion",
  tags,
  summary: "Say that the bytes of a picture were sent",
  description: `Checks what lies at the signed URL and adds the job that makes it searchable. Sent again, it answers
the same job. \`conflict\` while nothing was sent. What is not as announced or no picture fails for good: the signed
URL worked once; delete the picture and start again.`,
  middleware: [signedIn] as const,
  request: { params: z.object({ id: z.uuid() }) },
  responses: {
    202: {
      description: "The picture is accepted and will end `ready` or `failed`.",
      content: { "application/json": { schema: AcceptedAnswer } },
    },
    ...describeProblems(
      "invalid_request",
      "forbidden",
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

export function createUploadingRoutes(deps: Deps) {
  return createRouter()
    .openapi(postImage, async (c) => {
      const [announced, form] = [c.req.valid("json"), c.req.valid("form")];
      const id = c.var.operationId ?? createId();
      if ("mediaType" in announced) {
        const { image, upload } = await startUpload(deps, c.var.caller, { id, announced });
        return c.json({ image: toImage(image), upload }, 201, { Location: `images/${image.id}` });
      }
      if (!("file" in form)) {
        throw new AppError(
          "unsupported_media_type",
          "Send multipart/form-data, or JSON for a signed upload.",
        );
      }
      const { file, ...fields } = form;
      const accepted = await acceptFile(deps, c.var.caller, { id, file, fields });
      return c.json(showAccepted(accepted), 202, { Location: `images/${accepted.image.id}` });
    })
    .openapi(postCompletion, async (c) => {
      const accepted = await completeUpload(deps, c.var.caller, c.req.valid("param").id);
      return c.json(showAccepted(accepted), 202);
    });
}

function showAccepted({ image, jobId }: Accepted): AcceptedImage {
  return { image: toImage(image), job: { id: jobId } };
}
