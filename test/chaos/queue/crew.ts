/** The runners of a scenario: each a process, by a network of its own, that can be killed, frozen and cut off. */
import { join } from "node:path";
import { until } from "../../helpers/until.ts";
import { HouseProcess } from "../process.ts";
import { Network } from "./network.ts";

const script = join(import.meta.dirname, "runner-process.ts");

export interface RunnerSettings {
  readonly sidecarUrl: string;
  readonly folder: string;
  readonly leaseSeconds: number;
  /** After which a silent connection is cut; by default as in a sidecar. */
  readonly silenceSeconds?: number | undefined;
  /** More of its environment, such as another clock. */
  readonly environment?: Record<string, string>;
}

interface Said {
  readonly event: string;
  readonly code?: string;
  readonly error?: string;
}

export class CrewMember {
  /** The model that it alone offers, so that a job can be meant for it. */
  readonly model: string;
  readonly network: Network;
  readonly #settings: RunnerSettings;
  /** Every second one claims ahead. */
  readonly #prefetch: number;
  #process: HouseProcess | undefined;
  readonly #said: Said[] = [];
  readonly #surprises: string[] = [];
  isFrozen = false;

  private constructor(index: number, network: Network, settings: RunnerSettings) {
    this.model = `runner-${index}`;
    this.#prefetch = (index % 2) * 8;
    this.network = network;
    this.#settings = settings;
  }

  static async open(index: number, settings: RunnerSettings): Promise<CrewMember> {
    return new CrewMember(index, await Network.open(settings.sidecarUrl), settings);
  }

  start(): void {
    const { sidecarUrl, folder, leaseSeconds, silenceSeconds, environment } = this.#settings;
    this.#process ??= new HouseProcess(
      script,
      {
        DATABASE_URL: this.network.route(sidecarUrl),
        MODEL: this.model,
        LEASE_SECONDS: String(leaseSeconds),
        PREFETCH: String(this.#prefetch),
        SILENCE_SECONDS: String(silenceSeconds ?? ""),
        ...environment,
      },
      folder,
    );
  }

  /** Resolves once it claims. */
  async awaitReady(): Promise<void> {
    const child = this.#process;
    const isReady = () => {
      if (child?.endedWith !== undefined) throw new Error(`a runner ended:\n${child.lines.join("\n")}`);
      return this.hasSaid("ready");
    };
    await until("a runner is ready", isReady, { timeoutMs: 60_000, everyMs: 10 });
  }

  freeze(isFrozen: boolean): void {
    this.isFrozen = isFrozen;
    this.#process?.freeze(isFrozen);
  }

  async kill(): Promise<void> {
    this.#noteSurprise();
    await this.#process?.kill("SIGKILL");
    this.#takeLines();
  }

  /** Tells it to end in order, and says what was wrong with that. */
  async stop(withinMs: number): Promise<string[]> {
    this.#noteSurprise();
    const child = this.#process;
    if (child && child.endedByItself === undefined) {
      const late = setTimeout(() => {
        this.#surprises.push(`${this.model} was told to end and had not after ${withinMs / 1000} s`);
        void child.kill("SIGKILL");
      }, withinMs);
      await child.kill("SIGTERM");
      clearTimeout(late);
      if (!["0", "SIGKILL"].includes(child.endedWith ?? "")) {
        this.#surprises.push(`${this.model} ended with ${child.endedWith}`, ...child.lines.slice(-5));
      }
    }
    this.#takeLines();
    return this.#surprises;
  }

  #noteSurprise(): void {
    const endedWith = this.#process?.endedByItself;
    if (endedWith === undefined) return;
    this.#surprises.push(`${this.model} ended by itself with ${endedWith}`);
    this.#surprises.push(...(this.#process?.lines.slice(-5) ?? []));
  }

  #takeLines(): void {
    for (const line of this.#process?.lines ?? []) {
      if (line.startsWith("{")) this.#said.push(JSON.parse(line) as Said);
    }
    this.#process = undefined;
  }

  /** Whether its process has said this by now, with that code where one is given. */
  hasSaid(event: string, code = ""): boolean {
    const isMeant = (line: string) => line.includes(`"event":"${event}"`) && line.includes(code);
    return this.#process?.lines.some(isMeant) ?? false;
  }

  /** How often its processes that have ended said this. */
  count(matches: (said: Said) => boolean): number {
    return this.#said.filter(matches).length;
  }

  /** The last lines, for a person who looks for the cause. */
  readLines(linesMax: number): string {
    const lines = [...this.#said.map((said) => JSON.stringify(said)), ...(this.#process?.lines ?? [])];
    return [`${this.model}:`, ...lines.slice(-linesMax)].join("\n");
  }

  async close(): Promise<void> {
    await this.#process?.kill("SIGKILL");
    await this.network.close();
  }
}
