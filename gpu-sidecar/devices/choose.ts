/** Which devices the models run on, decided from what was found on the machine. No I/O. */
import { SettingsError } from "../../shared/config.ts";

/** What a machine has, as far as the choice of devices asks. */
export interface DeviceFacts {
  /** Where ONNX Runtime's libraries lie. */
  readonly runtimeFolder: string;
  /** Whether its CUDA provider is there. */
  readonly hasCudaProvider: boolean;
  /** Names of the graphics cards, in the order of the bus. */
  readonly gpus: readonly string[];
  /** Why there are none, where there are none. */
  readonly gpuNote: string;
  /** `CUDA_VISIBLE_DEVICES`, where it is set. */
  readonly cudaVisible: string | undefined;
}

export interface Choice {
  readonly devices: readonly string[];
  readonly why: string;
}

const install = "run bun run gpu:install";

/** The named devices, where they can be had; else CUDA where everything for it is there; else the processor. */
export function chooseDevices(named: readonly string[] | undefined, facts: DeviceFacts): Choice {
  if (named) {
    const problems = [...new Set(named)].flatMap((device) => findObstacle(device, facts) ?? []);
    if (problems.length > 0) throw new SettingsError(problems.map((problem) => `DEVICES ${problem}`));
    return { devices: named, why: "DEVICES names it" };
  }
  const cards = listVisible(facts);
  const found = facts.gpus.length === 0 ? facts.gpuNote : `${facts.gpus.length} found`;
  if (facts.hasCudaProvider && cards.length > 0) {
    const devices = cards.map((_, index) => `cuda:${index}`);
    return { devices, why: `ONNX Runtime has its CUDA provider, and graphics cards: ${found}` };
  }
  return { devices: ["cpu"], why: explainProcessor(facts, found) };
}

function explainProcessor(facts: DeviceFacts, found: string): string {
  if (facts.gpus.length === 0) return `no graphics card: ${found}`;
  if (!facts.hasCudaProvider) {
    return `no CUDA provider in ${facts.runtimeFolder}; graphics cards: ${found}; ${install}`;
  }
  return "CUDA_VISIBLE_DEVICES hides every graphics card";
}

function findObstacle(device: string, facts: DeviceFacts): string | undefined {
  const index = cudaIndex(device);
  if (index === undefined) return undefined;
  if (!facts.hasCudaProvider) {
    return `names ${device}, but there is no CUDA provider in ${facts.runtimeFolder}: ${install}, or name cpu`;
  }
  if (facts.gpus.length === 0) return `names ${device}, but no graphics card was found: ${facts.gpuNote}`;
  const count = listVisible(facts).length;
  if (index < count) return undefined;
  return `names ${device}, but CUDA sees ${count === 1 ? "one card, cuda:0" : `${count} cards`}`;
}

/** N of `cuda:N`; undefined for what is none. */
export function cudaIndex(device: string): number | undefined {
  const match = /^cuda:(\d{1,2})$/.exec(device);
  return match ? Number(match[1]) : undefined;
}

/**
 * What `CUDA_VISIBLE_DEVICES` calls the cards that may be used, in the order of cuda:0, cuda:1, … As CUDA does, the
 * list ends before the first number that names no card.
 */
export function listVisible({ gpus, cudaVisible }: Pick<DeviceFacts, "gpus" | "cudaVisible">): string[] {
  if (cudaVisible === undefined) return gpus.map((_, index) => String(index));
  const names = cudaVisible.split(",").map((name) => name.trim());
  const end = names.findIndex(
    (name) => name === "" || (/^-?\d+$/.test(name) && !isBetween(name, gpus.length)),
  );
  return end < 0 ? names : names.slice(0, end);
}

function isBetween(name: string, count: number): boolean {
  return Number(name) >= 0 && Number(name) < count;
}

/** What a process of one slot is given, so that its card is the only one it sees and is called cuda:0 there. */
export function isolateDevice(device: string, cudaVisible: string | undefined): Record<string, string> {
  const index = cudaIndex(device);
  if (index === undefined) return {};
  const name = cudaVisible === undefined ? String(index) : cudaVisible.split(",")[index]?.trim();
  return { CUDA_VISIBLE_DEVICES: name ?? String(index), CUDA_DEVICE_ORDER: "PCI_BUS_ID" };
}
