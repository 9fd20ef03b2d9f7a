import { parentPort } from "node:worker_threads";
import { AppError } from "../../shared/errors.ts";
import { openCatalog } from "./catalog.ts";
import type { InferenceReply, InferenceRequest, LoadedModel } from "./inference-messages.ts";
import { type DualEncoder, openDualEncoder } from "./session.ts";

/**
 * The inference thread. It owns every session, because a run blocks the thread that calls it. It works off one request
 * after the other; arrays travel by transfer, not by copy.
 */
const models = new Map<string, DualEncoder>();

async function answer(request: InferenceRequest): Promise<InferenceReply> {
  switch (request.kind) {
    case "load":
      return { value: await load(request) };
    case "images":
      return { value: await getLoaded(request.model).embedImages(request.pixels, request.count) };
    case "texts":
      return { value: await getLoaded(request.model).embedTexts(request.texts) };
    case "release":
      for (const model of models.values()) await model.release();
      models.clear();
      return { value: undefined };
  }
}

async function load(request: InferenceRequest & { kind: "load" }): Promise<LoadedModel[]> {
  const loaded: LoadedModel[] = [];
  const catalog = await openCatalog(request.folder);
  for (const name of request.models) {
    const startMs = performance.now();
    const model = await openDualEncoder(catalog.entry(name), request.session);
    models.set(name, model);
    const { dimensions } = model.card;
    loaded.push({
      name,
      dimensions,
      device: request.session.device,
      loadMs: performance.now() - startMs,
    });
  }
  return loaded;
}

function getLoaded(name: string): DualEncoder {
  const model = models.get(name);
  if (!model) throw new AppError("invalid_request", `The model "${name}" is not loaded here.`);
  return model;
}

function toReply(error: unknown): InferenceReply {
  if (error instanceof AppError) return { error: { code: error.code, message: error.message } };
  return { error: { code: "unexpected", message: error instanceof Error ? error.message : String(error) } };
}

function buffersOf(reply: InferenceReply): ArrayBuffer[] {
  if ("error" in reply || reply.value === undefined) return [];
  if (reply.value instanceof Float32Array) return [reply.value.buffer as ArrayBuffer];
  return "vectors" in reply.value ? [reply.value.vectors.buffer as ArrayBuffer] : [];
}

parentPort?.on("message", async (request: InferenceRequest) => {
  const reply = await answer(request).catch(toReply);
  parentPort?.postMessage(reply, buffersOf(reply));
});
