/**
 * `bun run spaces` looks after embedding spaces, on the running stack or on the project that SUPABASE_URL and
 * SUPABASE_SECRET_KEY name: what there is, adding one for another model, filling it, comparing it with the one that
 * searches, switching to it and back, dropping it. A client of the HTTP API.
 */
import { ApiProblem, type Client, createClient, unwrap } from "../../edge/client.ts";
import { readModelsConfig } from "../../gpu-sidecar/config.ts";
import { openCatalog } from "../../gpu-sidecar/models/catalog.ts";
import { AppError } from "../../shared/errors.ts";
import { type EmbeddingSpace, SpaceComparison } from "../../shared/images/space-contract.ts";
import { readLocalConfig } from "./config.ts";
import { AdminError, findAdminTarget } from "./make-admin.ts";
import type { Terminal } from "./progress.ts";
import { parseSpacesArguments, type SpacesArguments, UsageError } from "./spaces/arguments.ts";
import { watchJob } from "./spaces/follow.ts";
import { toComparisonLines, toSpaceLines } from "./spaces/print.ts";

export interface SpacesContext {
  readonly client: Client;
  /** Where installed models lie. */
  readonly modelsFolder: string;
  /** A line of the answer. */
  readonly print: (line: string) => void;
  /** Where progress is drawn. */
  readonly terminal: Terminal;
  /** Ends the watching of a job. */
  readonly signal: AbortSignal;
  readonly pollMs?: number;
  /** How long sidecars are given to see a new space. Default 8,000: they look every five seconds. */
  readonly offerMs?: number;
}

/** What cannot be done; its message is for whoever typed the command. */
export class SpacesError extends Error {}

/** Does what the words say; throws what is for whoever typed them. */
export function runSpaces(words: readonly string[], context: SpacesContext): Promise<void> {
  const asked = parseSpacesArguments(words);
  switch (asked.command) {
    case "list":
      return list(asked, context);
    case "add":
      return add(asked, context);
    case "fill":
      return fill(asked, context);
    case "compare":
      return compare(asked, context);
    case "switch":
      return switchTo(asked, context);
    case "drop":
      return drop(asked, context);
  }
}

async function list({ asJson }: SpacesArguments, { client, print }: SpacesContext): Promise<void> {
  const { items } = await unwrap(client.spaces.$get());
  if (asJson) print(JSON.stringify(items, null, 2));
  else for (const line of toSpaceLines(items)) print(line);
}

async function add({ target, name }: SpacesArguments, context: SpacesContext): Promise<void> {
  const card = (await openCatalog(context.modelsFolder)).find(target);
  if (!card) {
    const folder = context.modelsFolder;
    throw new SpacesError(
      `No model "${target}" is installed in ${folder}. Install it: bun run models pull ${target}`,
    );
  }
  const { name: model, digest: modelDigest, dimensions } = card;
  const json = { model, modelDigest, dimensions, ...(name === undefined ? {} : { name }) };
  const space = await unwrap(context.client.spaces.$post({ json }));
  context.print(
    `The space ${space.id}, "${space.name}", is there and empty. Fill it: bun run spaces fill ${space.name} --wait`,
  );
  warnUnoffered(await awaitOffer(space, context), context);
}

/** The space once a sidecar offers its model, or when that took too long. */
async function awaitOffer(added: EmbeddingSpace, context: SpacesContext): Promise<EmbeddingSpace> {
  const { client, signal, pollMs = 500, offerMs = 8_000 } = context;
  const deadlineMs = Date.now() + offerMs;
  let space = added;
  while (!space.isOffered && !signal.aborted && Date.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    space = await unwrap(client.spaces[":id"].$get({ param: { id: String(added.id) } }));
  }
  return space;
}

async function fill({ target, waits }: SpacesArguments, context: SpacesContext): Promise<void> {
  const { client, print } = context;
  const space = await findSpace(client, target);
  const { job } = await unwrap(client.spaces[":id"].fills.$post({ param: { id: String(space.id) } }));
  warnUnoffered(space, context);
  if (!waits) {
    print(`"${space.name}" is being filled; ${space.missing} of ${space.pictures} pictures are missing.`);
    print(`Watch it: bun run spaces fill ${space.name} --wait`);
    return;
  }
  const ended = await watch(job.id, `"${space.name}" is filled on`, context);
  if (!ended) return;
  const { added = 0, failed = 0 } = ended as { added?: number; failed?: number };
  print(`"${space.name}" got ${added} vectors${failed > 0 ? `; ${failed} pictures could not be read` : ""}.`);
  if (!space.isCurrent) print(`Compare it with the one that searches: bun run spaces compare ${space.name}`);
}

async function compare({ target, queries, asJson }: SpacesArguments, context: SpacesContext): Promise<void> {
  const { client, print } = context;
  const space = await findSpace(client, target);
  const asked = client.spaces[":id"].comparisons.$post({
    param: { id: String(space.id) },
    json: { queries },
  });
  const { job } = await unwrap(asked);
  warnUnoffered(space, context);
  const ended = await watch(job.id, "The comparison goes on", context);
  if (!ended) return;
  const comparison = SpaceComparison.parse(ended);
  if (asJson) print(JSON.stringify(comparison, null, 2));
  else for (const line of toComparisonLines(comparison)) print(line);
}

async function switchTo(
  { target, forces }: SpacesArguments,
  { client, print }: SpacesContext,
): Promise<void> {
  const { items } = await unwrap(client.spaces.$get());
  const space = pickSpace(items, target);
  const former = items.find(({ isCurrent }) => isCurrent);
  if (space.isCurrent) {
    print(`"${space.name}" is the one that searches already.`);
    return;
  }
  await unwrap(client.spaces.current.$put({ json: { spaceId: space.id, force: forces } }));
  print(`"${space.name}" searches from now on.`);
  if (former) print(`"${former.name}" is kept complete. Back again: bun run spaces switch ${former.name}`);
}

async function drop({ target, forces }: SpacesArguments, { client, print }: SpacesContext): Promise<void> {
  const space = await findSpace(client, target);
  const query = { force: forces ? ("true" as const) : ("false" as const) };
  await unwrap(client.spaces[":id"].$delete({ param: { id: String(space.id) }, query }));
  print(`The space "${space.name}" is gone, with ${space.vectors} vectors.`);
}

/** What a job found out; undefined where nobody waits any longer. */
async function watch(
  id: string,
  goesOn: string,
  context: SpacesContext,
): Promise<Record<string, unknown> | undefined> {
  const job = await watchJob(context.client, id, context);
  if (!job) {
    context.print(`${goesOn} without you. Job ${id}; watch again with the same command.`);
    return undefined;
  }
  if (job.state === "done") return job.result ?? {};
  if (job.state === "cancelled") throw new SpacesError("It was cancelled.");
  throw new SpacesError(`It failed: ${job.error?.message ?? "nobody knows why"}`);
}

async function findSpace(client: Client, target: string): Promise<EmbeddingSpace> {
  return pickSpace((await unwrap(client.spaces.$get())).items, target);
}

/** By name, else by number. */
function pickSpace(spaces: readonly EmbeddingSpace[], target: string): EmbeddingSpace {
  const found = spaces.find(({ name }) => name === target) ?? spaces.find(({ id }) => String(id) === target);
  if (found) return found;
  const known = spaces.map(({ id, name }) => `${name} (${id})`).join(", ");
  throw new SpacesError(`There is no space "${target}". There is: ${known}.`);
}

function warnUnoffered({ isOffered, model }: EmbeddingSpace, { terminal }: SpacesContext): void {
  if (isOffered) return;
  terminal.write(
    `No sidecar that runs now offers the model "${model}": start one that has it in its MODELS_DIR.\n`,
  );
}

/** What the API would have one do, as this command does it. */
function toCommands(message: string): string {
  return message
    .replace(/POST \/spaces\/(\d+)\/fills/, "bun run spaces fill $1 --wait")
    .replaceAll("`force`", "--force");
}

/** What a refusal says, with the fields at fault. */
export function explainRefusal(error: unknown): string | undefined {
  if (error instanceof ApiProblem) {
    const fields = error.fields.map(({ field, message }) => `\n  ${field} ${message}`).join("");
    return `${toCommands(error.message)}${fields}`;
  }
  const isOurs = [SpacesError, AdminError, UsageError, AppError].some((kind) => error instanceof kind);
  if (isOurs && error instanceof Error) return error.message;
  if (
    error instanceof Error &&
    /ConnectionRefused|Unable to connect|TimeoutError/.test(`${error.name} ${error.message}`)
  ) {
    return "Parlance does not answer. Is it running? bun run status";
  }
  return undefined;
}

/** The exit status: 0, 1 where it failed, 2 where it was asked wrongly, 130 where Ctrl-C ended the watching. */
async function main(words: readonly string[]): Promise<number> {
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort());
  try {
    parseSpacesArguments(words);
    const { environment, dataDir } = readLocalConfig();
    const { url, secretKey } = await findAdminTarget(environment, dataDir);
    await runSpaces(words, {
      client: createClient({ url, secretKey }),
      modelsFolder: readModelsConfig(environment).modelsFolder,
      print: (line) => console.log(line),
      terminal: process.stderr,
      signal: stopping.signal,
    });
    if (stopping.signal.aborted) return 130;
    return 0;
  } catch (error) {
    const explained = explainRefusal(error);
    if (explained === undefined) throw error;
    console.error(explained);
    return error instanceof UsageError ? 2 : 1;
  }
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
