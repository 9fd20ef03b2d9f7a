/**
 * `bun run models` looks after the models that a sidecar can load: what there is, pulling one from a hub, adding one
 * from a folder, and looking whether one is still what it was.
 */
import { basename, resolve } from "node:path";
import { SettingsError } from "../../shared/config.ts";
import { AppError } from "../../shared/errors.ts";
import { type ModelsConfig, readModelsConfig } from "../config.ts";
import { type ModelsArguments, parseModelsArguments, UsageError } from "./arguments.ts";
import { addModel, nameModel } from "./files/install.ts";
import { listInstalled } from "./files/installed.ts";
import type { ModelLock } from "./files/lock.ts";
import { refuse } from "./files/refuse.ts";
import { verifyModel } from "./files/verify.ts";
import { HubClient } from "./hub/client.ts";
import { defaultModel, findWanted, knownModels, splitVariant } from "./hub/known.ts";
import { describeBytes, PullMeter, type Terminal } from "./hub/progress.ts";
import { pullModel } from "./hub/pull.ts";
import { listModels, toListing } from "./listing.ts";

export interface ModelsOutput {
  /** A line of the answer. */
  readonly print: (line: string) => void;
  /** Where progress is drawn. */
  readonly terminal: Terminal;
}

/** False where something is wrong with a model. */
export async function runModels(
  words: readonly string[],
  config: ModelsConfig,
  output: ModelsOutput,
): Promise<boolean> {
  const asked = parseModelsArguments(words);
  switch (asked.command) {
    case "list":
      return list(asked, config, output);
    case "pull":
      return pull(asked, config, output);
    case "add":
      return add(asked, config, output);
    case "verify":
      return verify(asked, config, output);
  }
}

async function list(
  { asJson }: ModelsArguments,
  config: ModelsConfig,
  { print }: ModelsOutput,
): Promise<boolean> {
  const listing = await listModels(config.modelsFolder);
  if (asJson) print(JSON.stringify(listing, null, 2));
  else for (const line of toListing(listing)) print(line);
  return true;
}

async function pull(
  asked: ModelsArguments,
  config: ModelsConfig,
  { print, terminal }: ModelsOutput,
): Promise<boolean> {
  const { word, variant: named } = splitVariant(asked.target ?? defaultModel);
  const wanted = findWanted(word);
  if (!wanted) {
    const known = knownModels.map(({ name }) => name).join(", ");
    throw refuse(`"${word}" is neither a known model (${known}) nor OWNER/REPOSITORY.`);
  }
  if (named && asked.variant && named !== asked.variant) throw new UsageError();
  const variant = asked.variant ?? named ?? "fp32";
  const meter = new PullMeter(terminal);
  const lock = await pullModel({
    hub: new HubClient({ endpoint: config.hubEndpoint, token: config.hubToken }),
    repository: wanted.repository,
    revision: asked.revision,
    variant,
    name: nameModel(asked.name ?? wanted.name, variant),
    modelsFolder: config.modelsFolder,
    progress: meter,
  }).finally(() => meter.end());
  print(describeInstalled(lock));
  return true;
}

async function add(asked: ModelsArguments, config: ModelsConfig, { print }: ModelsOutput): Promise<boolean> {
  const folder = resolve(asked.target ?? "");
  const variant = asked.variant ?? "fp32";
  const name = nameModel(asked.name ?? basename(folder).toLowerCase(), variant);
  print(describeInstalled(await addModel(folder, { modelsFolder: config.modelsFolder, name, variant })));
  return true;
}

function describeInstalled({ name, dimensions, files, digest }: ModelLock): string {
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return `${name} is installed: ${dimensions} dimensions, ${describeBytes(bytes)}, digest ${digest.slice(0, 12)}.`;
}

async function verify(
  asked: ModelsArguments,
  config: ModelsConfig,
  { print }: ModelsOutput,
): Promise<boolean> {
  const installed = await listInstalled(config.modelsFolder);
  const chosen = installed.filter(({ name }) => asked.target === undefined || name === asked.target);
  if (chosen.length === 0 && asked.target !== undefined)
    throw refuse(`No model called "${asked.target}" is installed in ${config.modelsFolder}.`);
  let isWell = true;
  for (const { name, lock } of chosen) {
    const problems = lock instanceof AppError ? [lock.message] : await verifyModel(config.modelsFolder, lock);
    isWell &&= problems.length === 0;
    print(`${name}: ${problems.length === 0 ? "all is as it was locked" : "something is wrong"}`);
    for (const problem of problems) print(`  ${problem}`);
    if (lock instanceof AppError || problems.length > 0) continue;
    for (const setting of lock.settings) print(`  ${setting.name} = ${setting.value}  (${setting.from})`);
  }
  if (chosen.length === 0) print(`No model is installed in ${config.modelsFolder}.`);
  return isWell;
}

/** The exit status: 0, 1 where it failed, 2 where it was asked wrongly. */
async function main(words: readonly string[]): Promise<number> {
  try {
    const output = { print: (line: string) => console.log(toPrintable(line)), terminal: process.stderr };
    return (await runModels(words, readModelsConfig(), output)) ? 0 : 1;
  } catch (error) {
    const isTold = [AppError, SettingsError, UsageError].some((kind) => error instanceof kind);
    if (!isTold) throw error;
    console.error(toPrintable(error instanceof Error ? error.message : String(error)));
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Names of files and operators come from strangers: none of them moves a cursor or colours a line. */
function toPrintable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]/gu, "\u{fffd}");
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
