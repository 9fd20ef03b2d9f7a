import type { ErrorCode } from "../../shared/errors.ts";
import type { SessionOptions, TextEmbeddings } from "./session.ts";

/** What the main thread and the inference thread say to each other. Every request has one answer. */
export type InferenceRequest =
  | {
      readonly kind: "load";
      readonly models: readonly string[];
      readonly folder: string | undefined;
      readonly session: SessionOptions;
    }
  | { readonly kind: "images"; readonly model: string; readonly pixels: Float32Array; readonly count: number }
  | { readonly kind: "texts"; readonly model: string; readonly texts: readonly string[] }
  | { readonly kind: "release" };

export interface InferenceAnswers {
  load: readonly LoadedModel[];
  images: Float32Array;
  texts: TextEmbeddings;
  release: undefined;
}

export interface LoadedModel {
  readonly name: string;
  readonly dimensions: number;
  readonly device: string;
  readonly loadMs: number;
}

export type InferenceReply =
  | { readonly value: InferenceAnswers[InferenceRequest["kind"]] }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };
