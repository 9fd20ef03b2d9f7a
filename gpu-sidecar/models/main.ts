/**
 * `bun run models` looks after the models that a sidecar can load.
 *
 *   list                                        what is installed
 *   add FOLDER [--name KEY] [--variant V]       from a folder on this machine
 */
import { basename, resolve } from "node:path";
import { SettingsError } from "../../shared/config.ts";
import { AppError } from "../../shared/errors.ts";
import { readModelsConfig } from "../config.ts";
import { addModel, nameModel } from "./files/install.ts";
import { listInstalled } from "./files/installed.ts";
import { type Variant, variants } from "./files/layout.ts";

const usage = `Usage: bun run models list
       bun run models add FOLDER [--name KEY] [--variant ${variants.join("|")}]`;

class UsageError extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

export async function runModels(
  words: readonly string[],
  { environment, print }: { environment?: Environment; print: (line: string) => void },
): Promise<void> {
  const config = readModelsConfig(environment);
  const { command, target, name, variant } = parseArguments(words);
  if (command === "list" && target === undefined) {
    for (const { name: key, lock } of await listInstalled(config.modelsFolder)) {
      print(
        lock instanceof AppError ? `${key}  damaged: ${lock.message}` : `${key}  ${lock.digest.slice(0, 12)}`,
      );
    }
    return;
  }
  if (command === "add" && target !== undefined) {
    const folder = resolve(target);
    const lock = await addModel(folder, {
      modelsFolder: config.modelsFolder,
      name: nameModel(name ?? basename(folder).toLowerCase(), variant),
      variant,
    });
    print(`${lock.name} is installed: ${lock.dimensions} numbers, digest ${lock.digest.slice(0, 12)}.`);
    return;
  }
  throw new UsageError(usage);
}

interface Arguments {
  readonly command: string | undefined;
  readonly target: string | undefined;
  readonly name: string | undefined;
  readonly variant: Variant;
}

function parseArguments(words: readonly string[]): Arguments {
  const rest = [...words];
  const plain: string[] = [];
  let name: string | undefined;
  let variant: Variant = "fp32";
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--name") name = rest.shift() ?? fail();
    else if (word === "--variant") variant = parseVariant(rest.shift());
    else if (word.startsWith("-")) fail();
    else plain.push(word);
  }
  if (plain.length > 2) fail();
  return { command: plain[0], target: plain[1], name, variant };
}

function parseVariant(word: string | undefined): Variant {
  return variants.find((variant) => variant === word) ?? fail();
}

function fail(): never {
  throw new UsageError(usage);
}

/** The exit status: 0, 1 where it failed, 2 where it was asked wrongly. */
export async function main(words: readonly string[]): Promise<number> {
  try {
    await runModels(words, { print: (line) => console.log(line) });
    return 0;
  } catch (error) {
    const isTold = [AppError, SettingsError, UsageError].some((kind) => error instanceof kind);
    if (!isTold) throw error;
    console.error(error instanceof Error ? error.message : error);
    return error instanceof UsageError ? 2 : 1;
  }
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
