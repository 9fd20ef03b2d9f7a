/**
 * One seed, one life of a queue: some fifty moves of workers, clients and the clock, chosen at random and judged one by
 * one, and then peace, in which everything must come to an end.
 */
import { openTestDatabase } from "../../../helpers/database.ts";
import { createActors } from "./actors.ts";
import { beginningMs, installVirtualClock, VirtualClock } from "./clock.ts";
import { installInvariants, type Violation } from "./invariants.ts";
import { bringPeace } from "./peace.ts";
import { Choices } from "./random.ts";
import { clearRecord, installRecord } from "./record.ts";
import type { Simulation } from "./stage.ts";
import { World } from "./world.ts";

const owners = Array.from({ length: 3 }, (_, index) => `00000000-0000-7000-8000-00000000000${index + 1}`);

/** `connections`: how many workers have one of their own. */
export async function openSimulation(connections = 1): Promise<Simulation> {
  const database = await openTestDatabase();
  const admin = database.connect({ role: database.superuser, max: 1 });
  const functions = await installVirtualClock(admin);
  await installRecord(admin);
  await installInvariants(admin);
  for (const id of owners)
    await admin`insert into auth.users (id, email) values (${id}, ${`${id}@example.com`})`;
  const service = database.connect({ max: connections });
  const sidecars = Array.from({ length: connections }, () =>
    database.connect({ role: "parlance_sidecar", max: 1 }),
  );
  return {
    database,
    admin,
    functions,
    clients: { service, sidecars },
    async [Symbol.asyncDispose]() {
      await Promise.all([admin, service, ...sidecars].map((sql) => sql.end()));
      await database.close();
    },
  };
}

export interface Outcome {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** The move after which a law was broken; undefined when none was. */
  readonly brokenAt: number | undefined;
  readonly log: readonly string[];
  readonly moves: number;
}

export interface RunOptions {
  /** How many moves before peace. Default 50. */
  readonly moves?: number;
  /** Moves that are left out; each chooses by a seed of its own, so that the others stay what they are. */
  readonly without?: ReadonlySet<number>;
  /** More than 1: so many moves at once, and then nobody can tell what each must answer. */
  readonly atOnce?: number;
}

export async function runSeed(
  simulation: Simulation,
  seed: number,
  options: RunOptions = {},
): Promise<Outcome> {
  const { moves = 50, without = new Set<number>(), atOnce = 1 } = options;
  const world = await begin(simulation, seed, atOnce);
  const actors = createActors(simulation, world, new Choices(seed));
  let brokenAt: number | undefined;
  for (let index = 0; index < moves && brokenAt === undefined; index += atOnce) {
    const round = Array.from({ length: atOnce }, (_, place) => index + place).filter(
      (move) => !without.has(move),
    );
    await attempt(world, () => actors.move(round.map((move) => new Choices(seed * 1009 + move))));
    if (world.violations.length > 0) brokenAt = index;
  }
  if (brokenAt === undefined) {
    await attempt(world, () => bringPeace(simulation, world));
    if (world.violations.length > 0) brokenAt = moves;
  }
  return { seed, violations: world.violations, brokenAt, log: world.log, moves };
}

async function begin({ admin, clients }: Simulation, seed: number, atOnce: number): Promise<World> {
  await clearRecord(admin);
  // Back-offs are spread by the database's own random numbers.
  for (const sql of [admin, clients.service, ...clients.sidecars])
    await sql`select setseed(${(seed % 1000) / 1000})`;
  const clock = new VirtualClock(admin);
  await clock.set(beginningMs);
  return new World({ admin, clock, owners, isExact: atOnce === 1 });
}

/** What nobody foresaw breaks the law that nothing goes wrong. */
async function attempt(world: World, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    await world.look();
  } catch (error) {
    world.complain("nothing goes wrong", describe(error));
  }
}

/** With the place in the SQL, where the database says it. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { where, routine } = error as Error & { where?: string; routine?: string };
  return [error.message, where ?? routine ?? error.stack].filter(Boolean).join("\n    ");
}

/** The same seed without the moves that the broken law does not need; what it answers is broken, too. */
export async function shrink(simulation: Simulation, broken: Outcome): Promise<Outcome> {
  const laws = new Set(broken.violations.map(({ law }) => law));
  const moves = Math.min(broken.moves, (broken.brokenAt ?? 0) + 1);
  const without = new Set<number>();
  let smallest = broken;
  for (let move = moves - 1; move >= 0; move--) {
    without.add(move);
    const outcome = await runSeed(simulation, broken.seed, { moves, without });
    if (outcome.violations.some(({ law }) => laws.has(law))) smallest = outcome;
    else without.delete(move);
  }
  return smallest;
}

export function explain({ seed, violations, brokenAt, log }: Outcome): string {
  const broken = violations.map(({ law, jobId, what }) => `  ${law}: ${jobId ?? ""} ${what}`);
  return [
    `seed ${seed} broke a law at move ${brokenAt}:`,
    ...broken,
    "the last moves:",
    ...log.slice(-30).map((line) => `  ${line}`),
  ].join("\n");
}
