import { type Variant, variants } from "./files/layout.ts";

export const usage = `Usage: bun run models list [--json]
       bun run models pull [NAME | OWNER/REPOSITORY] [--revision R] [--variant V] [--name KEY]
       bun run models add FOLDER [--variant V] [--name KEY]
       bun run models verify [KEY]
V is ${variants.join(", ")}; fp32 where it is not given. MODELS_DIR, HF_ENDPOINT and HF_TOKEN: see .env.example.`;

/** What was asked wrongly. */
export class UsageError extends Error {
  constructor() {
    super(usage);
  }
}

export const commands = ["list", "pull", "add", "verify"] as const;

export interface ModelsArguments {
  readonly command: (typeof commands)[number];
  /** A model, a repository or a folder. */
  readonly target: string | undefined;
  readonly name: string | undefined;
  readonly variant: Variant | undefined;
  readonly revision: string | undefined;
  readonly asJson: boolean;
}

const optionsOf: Readonly<Record<ModelsArguments["command"], readonly string[]>> = {
  list: ["--json"],
  pull: ["--revision", "--variant", "--name"],
  add: ["--variant", "--name"],
  verify: [],
};

export function parseModelsArguments(words: readonly string[]): ModelsArguments {
  const [first, ...rest] = words;
  const command = commands.find((one) => one === first);
  if (command === undefined) throw new UsageError();
  const { plain, options } = sortWords(rest, optionsOf[command]);
  const isTooMany = plain.length > (command === "list" ? 0 : 1);
  if (isTooMany || (command === "add" && plain.length === 0)) throw new UsageError();
  return {
    command,
    target: plain[0],
    name: options.get("--name"),
    variant: parseVariant(options.get("--variant")),
    revision: parseRevision(options.get("--revision")),
    asJson: options.has("--json"),
  };
}

function sortWords(
  words: readonly string[],
  allowed: readonly string[],
): { plain: string[]; options: Map<string, string> } {
  const plain: string[] = [];
  const options = new Map<string, string>();
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!word.startsWith("-")) plain.push(word);
    else if (!allowed.includes(word) || options.has(word)) throw new UsageError();
    else if (word === "--json") options.set(word, "");
    else options.set(word, takeValue(rest));
  }
  return { plain, options };
}

function takeValue(rest: string[]): string {
  const value = rest.shift();
  if (value === undefined || value.startsWith("-")) throw new UsageError();
  return value;
}

function parseVariant(word: string | undefined): Variant | undefined {
  if (word === undefined) return undefined;
  const found = variants.find((variant) => variant === word);
  if (!found) throw new UsageError();
  return found;
}

function parseRevision(word: string | undefined): string | undefined {
  if (word === undefined || /^[A-Za-z0-9][\w./-]{0,120}$/.test(word)) return word;
  throw new UsageError();
}
