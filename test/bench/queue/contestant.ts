import { fileURLToPath } from "node:url";
import type { Commands } from "./child.ts";

export interface ContestantOptions {
  /** Bun or Node. */
  readonly executable: string;
  readonly library: string;
  readonly url: string;
  readonly home: string;
  readonly postmaster: number;
}

type Given<Command extends keyof Commands> = Commands[Command]["given"];
type Answer<Command extends keyof Commands> = Commands[Command]["answer"];

/** A contender's process, seen from the bench. */
export interface Contestant {
  ask<Command extends keyof Commands>(command: Command, given: Given<Command>): Promise<Answer<Command>>;
  close(): Promise<void>;
}

/** Nothing here takes so long, so whoever is silent for it hangs. */
const silentMs = 180_000;

export function startContestant(options: ContestantOptions): Contestant {
  const script = fileURLToPath(new URL("./child.ts", import.meta.url));
  const { executable, library, url, home, postmaster } = options;
  const child = Bun.spawn([executable, script, library, url, home, String(postmaster)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = readLines(child.stdout);
  const ask = async (command: string, given: object) => {
    child.stdin.write(`${JSON.stringify({ command, given })}\n`);
    await child.stdin.flush();
    const late = setTimeout(() => child.kill("SIGKILL"), silentMs);
    const { value } = await lines.next();
    clearTimeout(late);
    if (value === undefined) throw new Error(`${library} ended or was silent at ${command}`);
    const reply = JSON.parse(value) as { answer?: unknown; error?: string };
    if (reply.error !== undefined) throw new Error(`${library}, ${command}: ${reply.error}`);
    return reply.answer;
  };
  return {
    ask: ask as Contestant["ask"],
    async close() {
      await ask("close", {}).catch(() => child.kill());
      await child.exited;
    },
  };
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  return undefined;
}
