import type { Sql } from "postgres";
import { Client } from "./clients.ts";
import { completeAll } from "./endings.ts";
import { judgeTotals } from "./invariants.ts";
import { kinds } from "./kinds.ts";
import { Choices } from "./random.ts";
import type { Simulation } from "./stage.ts";
import { Worker } from "./workers.ts";
import type { World } from "./world.ts";

/** The longest wait before a job begins is an hour, before a lease is over or a try comes again, a minute. */
const peaceSeconds = [61, 61, 3601, 61] as const;

/** Chaos stops, a worker that can do everything works, time goes on: nothing may be left. */
export async function bringPeace({ clients }: Simulation, world: World): Promise<void> {
  world.note("peace");
  const random = new Choices(1);
  const worker = new Worker(world, {
    sql: clients.sidecars[0] as Sql,
    id: random.id(world.clock.ms),
    name: "peace",
    kinds,
    models: ["small", "large"],
    loaded: ["small", "large"],
    leaseSeconds: 60,
  });
  const client = new Client(world, clients.service, "peace");
  for (const seconds of peaceSeconds) {
    await world.clock.pass(seconds);
    await world.look();
    await client.rescueAll();
    await world.look();
    if (world.violations.length > 0) return;
    for (const lane of ["interactive", "bulk"] as const) await workOff(world, worker, lane);
  }
  if (world.violations.length > 0) return;
  world.violations.push(...(await judgeTotals(clients.service, world.admin)));
  for (const job of world.picture.jobs) {
    if (job.state === "queued" || job.state === "running")
      world.complain("everything ends", `is ${job.state}`, job.id);
  }
}

async function workOff(world: World, worker: Worker, lane: "interactive" | "bulk"): Promise<void> {
  while (
    (await worker.claim(lane, 1000, { remembers: true, hears: true })) > 0 &&
    world.violations.length === 0
  ) {
    await world.look();
    await completeAll(worker);
    await world.look();
  }
}
