/** Who there is in a life of the queue, and what they do how often. */
import type { Sql } from "postgres";
import { Client } from "./clients.ts";
import { complete, completeInVain, fail, release } from "./endings.ts";
import { lookAs } from "./invariants.ts";
import { kinds } from "./kinds.ts";
import type { Choices } from "./random.ts";
import type { Simulation } from "./stage.ts";
import { type Held, Worker } from "./workers.ts";
import type { World } from "./world.ts";

type Act = (random: Choices) => Promise<void>;

export interface Actors {
  /** One move for each of these, all at once. */
  move(each: readonly Choices[]): Promise<void>;
}

export function createActors({ clients, admin }: Simulation, world: World, random: Choices): Actors {
  const workers = ["anna", "ben", "cleo"].map((name, place) => {
    const sql = clients.sidecars[place % clients.sidecars.length] as Sql;
    return createWorker(world, { sql, name }, random);
  });
  const client = new Client(world, clients.service, "client");
  const readers = ["now and then", "seldom"];
  // Each seed has its own temper: what is rare in one is frequent in another.
  const tempered = <T>(weights: readonly (readonly [T, number])[]) =>
    weights.map(([value, weight]) => [value, weight * random.pick([0.2, 1, 1, 3])] as const);
  const acts = tempered<Act>([
    [(choices) => client.add(choices), 10],
    [(choices) => client.addAgain(choices), 1],
    [(choices) => client.cancel(choices), 3],
    [(choices) => client.retry(choices), 3],
    [(choices) => client.rescue(choices), 4],
    [(choices) => client.count(choices), 2],
    [(choices) => actAsWorker(pickWorker(workers, choices), choices), 45],
    [(choices) => readAsOther(world, { admin, readers }, choices), 3],
    // From here on alone, where others move at once: what the laws compare with stands still meanwhile.
    [(choices) => client.prune(choices), 1],
    [(choices) => client.share(choices), 3],
    [(choices) => passTime(world, choices), 10],
    [(choices) => freeze(world, { workers, client }, choices), 8],
  ]);
  const alone = new Set(acts.slice(-4).map(([act]) => act));
  return {
    async move(each) {
      const chosen = each.map((choices) => ({ act: choices.weighted(acts), choices }));
      await Promise.all(chosen.map(({ act, choices }) => (alone.has(act) ? undefined : act(choices))));
      for (const { act, choices } of chosen.filter((one) => alone.has(one.act))) {
        if (each.length > 1) await world.look();
        await act(choices);
      }
    },
  };
}

function createWorker(world: World, { sql, name }: { sql: Sql; name: string }, random: Choices): Worker {
  const models = random.pick([[], ["small"], ["small", "large"]]);
  return new Worker(world, {
    sql,
    id: random.id(world.clock.ms),
    name,
    kinds: random.chance(0.6) ? kinds : random.some(kinds, 3),
    models,
    loaded: models.filter(() => random.chance(0.5)),
    leaseSeconds: random.pick([0.5, 2, 10, 60]),
  });
}

/** Rather one that has something to do. */
function pickWorker(workers: readonly Worker[], random: Choices): Worker {
  const busy = workers.filter(({ held }) => held.length > 0);
  return random.pick(busy.length > 0 && random.chance(0.6) ? busy : workers);
}

async function actAsWorker(worker: Worker, random: Choices): Promise<void> {
  if (random.chance(0.03)) return worker.register();
  if (random.chance(0.03)) return worker.die();
  if (worker.held.length > 0 && random.chance(0.7)) return actOn(worker, random.pick(worker.held), random);
  const how = { remembers: random.chance(0.5), hears: random.chance(0.9) };
  await worker.claim(random.pick(["interactive", "bulk", "bulk"]), 1 + random.below(4), how);
}

/** What it does with a claim, whether or not that is still its own. */
function actOn(worker: Worker, job: Held, random: Choices): Promise<void> {
  const others = random.some(worker.held, random.below(3)).filter((other) => other !== job);
  const act = random.weighted<() => Promise<void>>([
    [() => worker.heartbeat(), 4],
    [() => worker.progress(job, random), 5],
    [() => worker.checkpoint(job, random), 7],
    [() => complete(worker, [job, ...others], random), 9],
    [() => completeInVain(worker, job), 2],
    [() => fail(worker, job, random), 7],
    [() => release(worker, [job, ...others], random), 3],
  ]);
  return act();
}

async function passTime(world: World, random: Choices): Promise<void> {
  const seconds = random.weighted([
    [random.between(0.01, 0.3), 3],
    [random.between(0.5, 4), 4],
    [random.between(10, 70), 4],
    [random.between(600, 4000), 0.3],
  ]);
  await world.clock.pass(seconds);
  world.note(`${seconds.toFixed(2)} s pass`);
}

async function readAsOther(
  world: World,
  { admin, readers }: { admin: Sql; readers: string[] },
  random: Choices,
): Promise<void> {
  const [reader] = readers.splice(random.below(readers.length), 1);
  // Each looks once at a time.
  if (!reader) return;
  world.violations.push(...(await lookAs(admin, reader)));
  world.note(`who looks ${reader} looks`);
  readers.push(reader);
}

/** A worker stops for longer than its lease, and when it goes on with what it holds, that is another's. */
async function freeze(
  world: World,
  { workers, client }: { workers: readonly Worker[]; client: Client },
  random: Choices,
): Promise<void> {
  const busy = workers.filter(({ held }) => held.length > 0);
  if (busy.length === 0) return passTime(world, random);
  const frozen = random.pick(busy);
  const lane = random.pick(frozen.held).lane;
  const before = new Set(frozen.held);
  const goOn: Act = async () => {
    const job = frozen.held.find((one) => before.has(one));
    if (job) await actOn(frozen, job, random);
  };
  const steps: Act[] = [
    () => world.clock.pass(frozen.options.leaseSeconds + random.between(0, 2)),
    () => client.rescueAll(),
    () => world.clock.pass(random.between(2, 12)),
    async () => {
      await random.pick(workers).claim(lane, 4, { remembers: false, hears: true });
    },
    goOn,
    goOn,
  ];
  world.note(`${frozen.options.name} freezes`);
  for (const step of steps) {
    await step(random);
    await world.look();
  }
}
