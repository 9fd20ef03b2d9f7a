/** `bun run doctor`: what this machine has to run models on, what would be chosen, and what to do next. */
import { listSupportedBackends } from "onnxruntime-node";
import { SettingsError } from "../../shared/config.ts";
import { readDevicesConfig } from "../config.ts";
import { exitCodes } from "../exit-codes.ts";
import { openCatalog } from "../models/catalog.ts";
import { createInference } from "../models/inference.ts";
import { versions } from "../versions.ts";
import { type Choice, chooseDevices, type DeviceFacts } from "./choose.ts";
import { findCudaMajor, readNeededLibraries } from "./elf.ts";
import { findCudaProvider, gatherFacts } from "./facts.ts";
import type { Gauge } from "./gauge.ts";
import { openGauge } from "./open-gauge.ts";
import { proveDevice } from "./prove.ts";

/** What was found, as data. */
export interface Findings {
  readonly versions: Readonly<Record<string, string>>;
  /** Providers that come with ONNX Runtime. */
  readonly bundled: readonly string[];
  readonly runtimeFolder: string;
  readonly provider: { readonly path: string; readonly needs: readonly string[] | undefined } | undefined;
  /** The newest CUDA that the driver runs, such as 13.0. */
  readonly driverCuda: string | undefined;
  readonly gauge: Pick<Gauge, "source" | "note">;
  readonly cards: readonly string[];
  readonly choice: Choice | { readonly refused: string };
  readonly modelsFolder: string;
  readonly models: readonly string[];
}

/** The lines for a person, and last of all what to do. */
export function describeFindings(found: Findings): string[] {
  const { versions: version, provider, gauge, choice } = found;
  const chosen = "refused" in choice ? choice.refused : `${choice.devices.join(", ")}: ${choice.why}`;
  return [
    `Bun ${version.bun}, ONNX Runtime ${version.onnxruntime} with ${found.bundled.join(", ")}`,
    provider ? describeProvider(provider) : `CUDA provider: not in ${found.runtimeFolder}`,
    `Driver: ${gauge.source === "none" ? "none" : gauge.note}${found.driverCuda ? `, CUDA up to ${found.driverCuda}` : ""}`,
    `Graphics cards:${found.cards.length === 0 ? ` ${gauge.note}` : ""}`,
    ...found.cards.map((card) => `  ${card}`),
    `Models in ${found.modelsFolder}: ${found.models.join(", ")}`,
    `DEVICES: ${chosen}`,
    `Next: ${advise(found)}`,
  ];
}

function describeProvider({ path, needs }: NonNullable<Findings["provider"]>): string {
  const major = findCudaMajor(needs ?? []);
  const wanted = major === undefined ? "an unknown CUDA" : `CUDA ${major}`;
  return `CUDA provider: ${path}, for ${wanted} (${needs?.join(", ") ?? "not a library"})`;
}

function advise({ provider, cards, driverCuda, choice }: Findings): string {
  if (cards.length === 0) return "bun run sidecar. For CUDA, install NVIDIA's driver where there is a card.";
  if (!provider) return "bun run gpu:install fetches the CUDA provider.";
  const major = findCudaMajor(provider.needs ?? []);
  const driverMajor = driverCuda === undefined ? undefined : Number.parseInt(driverCuda, 10);
  if (major !== undefined && driverMajor !== undefined && driverMajor < major) {
    return `the driver runs CUDA ${driverCuda} at most, the provider needs CUDA ${major}: a newer driver.`;
  }
  if ("refused" in choice) return "name other DEVICES.";
  const libraries = major === undefined ? "the libraries of CUDA" : `the libraries of CUDA ${major}`;
  return `bun run sidecar. It needs ${libraries} (cudart, cublas) where the system finds them.`;
}

export async function examine(): Promise<Findings> {
  const settings = readDevicesConfig();
  const gauge = await openGauge({ everySeconds: settings.gpuStatsMs / 1000 });
  try {
    const facts = gatherFacts(gauge, settings.cudaVisible);
    const path = findCudaProvider(facts.runtimeFolder);
    const catalog = await openCatalog(settings.modelsFolder);
    return {
      versions,
      bundled: listSupportedBackends().flatMap(({ name, bundled }) => (bundled ? [name] : [])),
      runtimeFolder: facts.runtimeFolder,
      provider: path === undefined ? undefined : { path, needs: readNeededLibraries(path) },
      driverCuda: gauge.cudaVersion,
      gauge,
      cards: facts.gpus.map((name, index) => `cuda:${index} ${name}`),
      choice: tryToChoose(settings.devices, facts),
      modelsFolder: settings.modelsFolder,
      models: catalog.cards().map(({ name }) => name),
    };
  } finally {
    gauge.close();
  }
}

function tryToChoose(named: readonly string[] | undefined, facts: DeviceFacts): Findings["choice"] {
  try {
    return chooseDevices(named, facts);
  } catch (error) {
    if (error instanceof SettingsError) return { refused: error.problems.join("; ") };
    throw error;
  }
}

async function tryDevice(device: string): Promise<string> {
  const inference = createInference({ device });
  try {
    const startMs = performance.now();
    await proveDevice(inference, device);
    return `Tried: ${device} runs a model; the first answer took ${Math.round(performance.now() - startMs)} ms.`;
  } catch (error) {
    return `Tried: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    await inference.close();
  }
}

async function run(): Promise<void> {
  const found = await examine();
  for (const line of describeFindings(found)) console.log(line);
  // Last, because a library that does not fit may end the process.
  for (const device of new Set("refused" in found.choice ? [] : found.choice.devices)) {
    console.log(await tryDevice(device));
  }
}

if (import.meta.main) {
  await run().catch((error: unknown) => {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    process.exit(exitCodes.misconfigured);
  });
}
