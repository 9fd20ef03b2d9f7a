import { parentPort } from "node:worker_threads";
import { type Finishing, finish } from "./finish.ts";

/** One of the threads of `finish-pool.ts`: answers each request in turn. */
export interface FinishRequest {
  readonly id: number;
  readonly finishing: Finishing;
}

export type FinishReply =
  | { readonly id: number; readonly pixels: Float32Array }
  | { readonly id: number; readonly message: string };

parentPort?.on("message", ({ id, finishing }: FinishRequest) => {
  try {
    const pixels = finish(finishing);
    parentPort?.postMessage({ id, pixels } satisfies FinishReply, [pixels.buffer as ArrayBuffer]);
  } catch (error) {
    parentPort?.postMessage({ id, message: String(error) } satisfies FinishReply);
  }
});
