/**
 * Spans of model calls from OpenTelemetry exporters: OTLP/HTTP with JSON, opentelemetry-proto 1.x. A span that is sent again (an
 * exporter that heard no answer does) lands once: it is known by its trace and span.
 */
import { createRoute, z } from "@hono/zod-openapi";
import { deriveId } from "../../../shared/ids.ts";
import { readSpans, type SpanInteraction } from "../../../shared/interactions/otlp.ts";
import { ExportTraceServiceRequest, spansMax } from "../../../shared/interactions/otlp-request.ts";
import type { Deps } from "../../deps.ts";
import { requireSignedIn } from "../../http/identity.ts";
import { inflateBody } from "../../http/inflate.ts";
import { describeProblems } from "../../http/problems.ts";
import { createRouter } from "../../http/router.ts";
import { nameSchema } from "../../http/schemas.ts";
import { createGroupCheck } from "../imports/groups.ts";
import { logInteractions } from "../logging.ts";
import { signedIn } from "../owners.ts";
import { isInFuture } from "../rows.ts";

const ExportTraceServiceResponse = z
  .object({
    partialSuccess: z.object({
      rejectedSpans: z.string().optional().describe("How many were refused, as OTLP writes 64-bit integers."),
      errorMessage: z.string().optional().describe("Why; empty where none was refused."),
    }),
  })
  .openapi("ExportTraceServiceResponse");

const exportRoute = (bytesMax: number) =>
  createRoute({
    method: "post",
    path: "/otlp/v1/traces",
    tags: ["interactions"],
    summary: "Log model calls by OpenTelemetry",
    description:
      "OTLP/HTTP with JSON, also gzipped: set `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` to this URL, " +
      "`OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json`, and the key in `OTEL_EXPORTER_OTLP_HEADERS=apikey=…`. Spans that " +
      "generate text, by the conventions of OpenTelemetry for generative AI, OpenLLMetry or OpenInference, become " +
      "interactions; others are left out. `service.name` is the app. A span that is sent again lands once. An export may " +
      `have ${spansMax} spans; those that cannot be logged are counted in \`partialSuccess\`, the others land.`,
    middleware: [signedIn, inflateBody(bytesMax)] as const,
    request: {
      body: {
        content: {
          "application/json": {
            schema: nameSchema("ExportTraceServiceRequest", ExportTraceServiceRequest),
          },
        },
        required: true,
      },
    },
    responses: {
      200: {
        description: "What could be read is in the log.",
        content: { "application/json": { schema: ExportTraceServiceResponse } },
      },
      ...describeProblems("invalid_request", "payload_too_large", "unsupported_media_type", "quota_exceeded"),
    },
  });

const messagesMax = 5;

export function createOtlpRoutes(deps: Deps) {
  return createRouter().openapi(exportRoute(deps.config.logBytesMax), async (c) => {
    const ownerId = requireSignedIn(c.var.caller);
    const { interactions, refusals } = readSpans(c.req.valid("json"));
    const faults = [...refusals];
    const sane = interactions.filter(({ interaction }) => !isInFuture(interaction, deps.now()));
    for (let late = interactions.length - sane.length; late > 0; late--) {
      faults.push("startTimeUnixNano: is more than a day from now");
    }
    const checkGroups = createGroupCheck(deps.sql, ownerId);
    for (const chunk of cutIntoChunks(sane)) {
      const hasGroup = await checkGroups(chunk.map(({ interaction }) => interaction));
      const spans = chunk.filter(({ interaction }) => {
        const fault = hasGroup(interaction);
        if (fault !== undefined) faults.push(fault);
        return fault === undefined;
      });
      await logSpans(deps, ownerId, spans);
    }
    if (faults.length === 0) return c.json({ partialSuccess: {} }, 200);
    const errorMessage = [...new Set(faults)].slice(0, messagesMax).join("; ");
    return c.json({ partialSuccess: { rejectedSpans: `${faults.length}`, errorMessage } }, 200);
  });
}

const chunkSpansMax = 200;
/** Of the texts of a chunk; one span may have more. */
const chunkCharactersMax = 250_000;

/** Each is logged by itself: an export that takes too long, and is sent again, goes on where it broke off. */
function cutIntoChunks(spans: readonly SpanInteraction[]): SpanInteraction[][] {
  const chunks: SpanInteraction[][] = [];
  let characters = 0;
  for (const span of spans) {
    const { input, output } = span.interaction;
    const chunk = chunks.at(-1);
    characters += input.length + output.length;
    if (chunk && chunk.length < chunkSpansMax && characters <= chunkCharactersMax) chunk.push(span);
    else {
      chunks.push([span]);
      characters = input.length + output.length;
    }
  }
  return chunks;
}

async function logSpans(
  deps: Deps,
  ownerId: string | null,
  spans: readonly SpanInteraction[],
): Promise<void> {
  const hashes = await Promise.all(spans.map(({ key }) => deriveId(key)));
  await logInteractions(deps, ownerId, { news: spans.map(({ interaction }) => interaction), hashes });
}
