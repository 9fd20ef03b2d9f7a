import { z } from "zod";
import type { JobKind } from "../jobs/kinds.ts";
import { landImage, landImageFailure, landImageRetry, landQueryVector } from "./landing.ts";
import type { EmbedQueryOutcome, IngestOutcome, SweepOutcome } from "./outcomes.ts";

export const IngestPayload = z.object({ imageId: z.uuid() });
export type IngestPayload = z.infer<typeof IngestPayload>;

export const ingestImage: JobKind<IngestPayload, IngestOutcome> = {
  name: "images.ingest-image",
  runner: "sidecar",
  lane: "bulk",
  payload: IngestPayload,
  // With the waits between them, storage or the database may be away for about four minutes.
  attemptsMax: 8,
  timeoutMs: 120_000,
  // Some hours of work: whoever sends more at once waits for room.
  queuedPerOwnerMax: 10_000,
  summarize: ({ width, height, mediaType, variants }) => ({ width, height, mediaType, variants }),
  land: landImage,
  landFailure: landImageFailure,
  landRetry: landImageRetry,
};

export const EmbedQueryPayload = z.object({
  spaceId: z.int().min(1),
  query: z.string().min(1).max(100),
});
export type EmbedQueryPayload = z.infer<typeof EmbedQueryPayload>;

/** The vector of a query; nobody waits for it longer than 1,500 ms. */
export const embedQuery: JobKind<EmbedQueryPayload, EmbedQueryOutcome> = {
  name: "images.embed-query",
  runner: "sidecar",
  lane: "interactive",
  payload: EmbedQueryPayload,
  attemptsMax: 2,
  timeoutMs: 10_000,
  summarize: ({ embedding }) => ({ isKnown: embedding !== null }),
  land: landQueryVector,
  landFailure: async () => {},
};

/** Removes what no row names, and fails what was never completed. */
export const sweepImages: JobKind<Record<string, never>, SweepOutcome> = {
  name: "images.sweep-objects",
  runner: "edge",
  lane: "bulk",
  payload: z.object({}),
  attemptsMax: 3,
  timeoutMs: 120_000,
  cpuMs: 50,
  summarize: (outcome) => ({ ...outcome }),
  land: async () => {},
  landFailure: async () => {},
};
