import { spaceLimits } from "../../../shared/images/space-contract.ts";

export const usage = `Usage: bun run spaces [list] [--json]
       bun run spaces add MODEL [--name NAME]
       bun run spaces fill SPACE [--wait]
       bun run spaces compare SPACE [--queries N] [--json]
       bun run spaces switch SPACE [--force]
       bun run spaces drop SPACE [--force]
MODEL is an installed model, as \`bun run models list\` shows it; SPACE is a name or a number of the list.`;

/** What was asked wrongly. */
export class UsageError extends Error {
  constructor() {
    super(usage);
  }
}

const commands = ["list", "add", "fill", "compare", "switch", "drop"] as const;

export interface SpacesArguments {
  readonly command: (typeof commands)[number];
  /** A model of \`add\`, else a space; empty for the list. */
  readonly target: string;
  readonly name: string | undefined;
  readonly queries: number;
  readonly waits: boolean;
  readonly forces: boolean;
  readonly asJson: boolean;
}

const optionsOf: Readonly<Record<SpacesArguments["command"], readonly string[]>> = {
  list: ["--json"],
  add: ["--name"],
  fill: ["--wait"],
  compare: ["--queries", "--json"],
  switch: ["--force"],
  drop: ["--force"],
};

const withValue = ["--name", "--queries"];

export function parseSpacesArguments(words: readonly string[]): SpacesArguments {
  const command = commands.find((one) => one === words[0]) ?? "list";
  const { plain, options } = sortWords(command === words[0] ? words.slice(1) : words, optionsOf[command]);
  if (plain.length !== (command === "list" ? 0 : 1)) throw new UsageError();
  return {
    command,
    target: plain[0] ?? "",
    name: options.get("--name"),
    queries: parseQueries(options.get("--queries")),
    waits: options.has("--wait"),
    forces: options.has("--force"),
    asJson: options.has("--json"),
  };
}

function sortWords(
  words: readonly string[],
  allowed: readonly string[],
): { plain: string[]; options: Map<string, string> } {
  const plain: string[] = [];
  const options = new Map<string, string>();
  const rest = words.values();
  for (const word of rest) {
    if (!word.startsWith("-")) plain.push(word);
    else if (!allowed.includes(word) || options.has(word)) throw new UsageError();
    else options.set(word, withValue.includes(word) ? takeValue(rest) : "");
  }
  return { plain, options };
}

function takeValue(rest: IterableIterator<string>): string {
  const { value, done } = rest.next();
  if (done || value.startsWith("-")) throw new UsageError();
  return value;
}

function parseQueries(word: string | undefined): number {
  if (word === undefined) return spaceLimits.queriesDefault;
  const count = /^\d{1,4}$/.test(word) ? Number(word) : 0;
  if (count < 1 || count > spaceLimits.queriesMax) throw new UsageError();
  return count;
}
