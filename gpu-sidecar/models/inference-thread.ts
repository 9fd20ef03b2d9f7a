import { parentPort } from "node:worker_threads";
import { AppError } from "../../shared/errors.ts";
import { type ModelCatalog, openCatalog } from "./catalog.ts";
import { InferenceHost } from "./inference-host.ts";
import { type Asked, listBuffers } from "./inference-messages.ts";
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
