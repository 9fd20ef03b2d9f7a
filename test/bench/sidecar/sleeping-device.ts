import { parentPort } from "node:worker_threads";
import { openCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import { InferenceHost } from "../../../gpu-sidecar/models/inference-host.ts";
import { type Asked, listBuffers } from "../../../gpu-sidecar/models/inference-messages.ts";

/** An inference thread whose device takes BENCH_DEVICE_MS a picture and nothing of the processor. */
const eachMs = Number(process.env.BENCH_DEVICE_MS);
const pause = new Int32Array(new SharedArrayBuffer(4));
let folder: string | undefined;

const host = new InferenceHost({
  start: async (request) => {
    folder = request.folder;
  },
  open: async (name) => {
    const { card } = (await openCatalog(folder)).entry(name);
    return {
      card,
      async embedImages(_pixels, count) {
        Atomics.wait(pause, 0, 0, count * eachMs);
        return new Float32Array(count * card.dimensions);
      },
      embedTexts: async (texts) => ({
        vectors: new Float32Array(texts.length * card.dimensions),
        knownWords: texts.map(() => 1),
      }),
      release: async () => {},
    };
  },
  device: () => "sleeping",
  reply: (reply) => parentPort?.postMessage(reply, listBuffers(reply)),
});

parentPort?.on("message", (asked: Asked) => host.hear(asked));
