import type { ErrorCode } from "../../shared/errors.ts";
import type { DeviceTrouble } from "./inference-trouble.ts";
import type { SessionOptions, TextEmbeddings } from "./session.ts";

/**
 * What the main thread and the inference thread say to each other. Every request has one answer, found by its id; the
 * answers come in the order of the work, which is not that of the requests: what is urgent goes first.
 */
export type InferenceRequest =
  | { readonly kind: "start"; readonly folder: string | undefined; readonly session: SessionOptions }
  | { readonly kind: "load"; readonly model: string }
  | {
      readonly kind: "images";
      readonly model: string;
      readonly pixels: Float32Array;
      readonly count: number;
      readonly isUrgent: boolean;
    }
  | { readonly kind: "texts"; readonly model: string; readonly texts: readonly string[] }
  | { readonly kind: "release" };

export interface InferenceAnswers {
  start: undefined;
  load: undefined;
  images: PictureVectors;
  texts: TextEmbeddings;
  release: undefined;
}

export interface PictureVectors {
  readonly vectors: Float32Array;
  /** Of the run alone, without waiting and loading. */
  readonly tookMs: number;
  /** There was not enough memory for all at once, but for two halves. */
  readonly isHalved: boolean;
  /** The array that came with the request, to be used again. */
  readonly pixels: Float32Array;
}

export interface LoadedModel {
  readonly name: string;
  readonly dimensions: number;
  readonly device: string;
  readonly loadMs: number;
}

export interface Asked {
  readonly id: number;
  readonly request: InferenceRequest;
}

export type InferenceReply =
  | { readonly id: number; readonly value: InferenceAnswers[InferenceRequest["kind"]] }
  | { readonly id: number; readonly error: RunFailure }
  /** A model is in memory from now on; told before the answer to the request that needed it. */
  | { readonly loaded: LoadedModel };

export interface RunFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly isRetryable: boolean;
  /** What the runtime said; for the log. */
  readonly detail: string;
  /** The model that could not be loaded, where that was it: nothing else can be run by it either. */
  readonly model: string | undefined;
  /** Set where nothing should run here any more. */
  readonly trouble: DeviceTrouble | undefined;
}

/** What of an answer travels by transfer, not by copy. */
export function listBuffers(reply: InferenceReply): ArrayBuffer[] {
  if (!("value" in reply) || reply.value === undefined) return [];
  const arrays = [reply.value.vectors, ...("pixels" in reply.value ? [reply.value.pixels] : [])];
  return [...new Set(arrays.map((array) => array.buffer as ArrayBuffer))];
}
