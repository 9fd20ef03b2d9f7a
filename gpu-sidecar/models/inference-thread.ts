import { parentPort } from "node:worker_threads";
import { AppError } from "../../shared/errors.ts";
import { type ModelCatalog, openCatalog } from "./catalog.ts";
import { InferenceHost } from "./inference-host.ts";
import type { Asked, InferenceReply } from "./inference-messages.ts";
import { openDualEncoder, type SessionOptions } from "./session.ts";

/** The inference thread. It owns every session, because a run blocks the thread that calls it. */
let catalog: ModelCatalog | undefined;
let session: SessionOptions | undefined;

const host = new InferenceHost({
  async start(request) {
    catalog = await openCatalog(request.folder);
    session = request.session;
  },
  open: async (name) => {
    if (!catalog || !session) throw new AppError("unexpected", "The inference thread was not started.");
    return openDualEncoder(catalog.entry(name), session);
  },
  device: () => session?.device ?? "",
  reply: (reply) => parentPort?.postMessage(reply, listBuffers(reply)),
});

parentPort?.on("message", (asked: Asked) => host.hear(asked));

/** Arrays travel by transfer, not by copy. */
function listBuffers(reply: InferenceReply): ArrayBuffer[] {
  if (!("value" in reply) || reply.value === undefined) return [];
  const arrays = [reply.value.vectors, ...("pixels" in reply.value ? [reply.value.pixels] : [])];
  return [...new Set(arrays.map((array) => array.buffer as ArrayBuffer))];
}
