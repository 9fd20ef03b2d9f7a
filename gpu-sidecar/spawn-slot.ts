import { fileURLToPath } from "node:url";
import type { Environment } from "../shared/config.ts";
import { isolateDevice } from "./devices/choose.ts";
import type { ProcessEvents, SlotProcess } from "./supervisor.ts";

export interface SpawnOptions {
  readonly environment: Environment;
  readonly cudaVisible: string | undefined;
  /** Instead of the process of a slot. */
  readonly script?: string;
}

/**
 * Starts the process of a slot. Its input ends with this process, however that ends, and then it drains. It has a
 * process group of its own, so that Ctrl-C reaches it once, through us. It logs to our stderr.
 */
export function spawnSlot(
  slot: string,
  device: string,
  options: SpawnOptions,
  events: ProcessEvents,
): SlotProcess {
  const script = options.script ?? fileURLToPath(new URL("./slot.ts", import.meta.url));
  const child = Bun.spawn([process.execPath, script, "--held", `--slot=${slot}`], {
    env: {
      ...withoutTokens(options.environment),
      ...isolateDevice(device, options.cudaVisible),
      DEVICES: device,
    },
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
    onExit: (_child, code, signal) => events.onEnd({ code, signal: signal === null ? null : String(signal) }),
  });
  void awaitReady(child.stdout, events.onReady);
  return { pid: child.pid, kill: (signal) => child.kill(signal) };
}

/** It decodes what strangers send, so it is not given what only the installer of models needs. */
function withoutTokens({ HF_TOKEN: _token, ...environment }: Environment): Environment {
  return environment;
}

async function awaitReady(output: ReadableStream<Uint8Array>, onReady: () => void): Promise<void> {
  const decoder = new TextDecoder();
  let isReady = false;
  for await (const part of output) {
    if (isReady || !decoder.decode(part).includes("ready")) continue;
    isReady = true;
    onReady();
  }
}
