/** What the supervisor makes of processes that crash, recycle, hang or are refused. Real processes, a clock by hand. */
import { afterEach, describe, expect, test } from "vitest";
import { spawnSlot } from "../../../gpu-sidecar/spawn-slot.ts";
import {
  type Clock,
  nameSlots,
  type ProcessEvents,
  type SlotProcess,
  type SlotSupervisor,
  startSupervisor,
} from "../../../gpu-sidecar/supervisor.ts";
import { createLog } from "../../../shared/log.ts";
import { until } from "../../helpers/until.ts";

const script = new URL("../../fixtures/slots/child.ts", import.meta.url).pathname;

type Behaviour =
  | "works"
  | "crashes"
  | "recycles"
  | "recycles unready"
  | "is misconfigured"
  | "is stubborn"
  | "drains badly";

/** Time passes when the test says so. */
class HandClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; work: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, work: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, work };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** When the next thing is due, in milliseconds from now. */
  get nextMs(): number | undefined {
    const [next] = this.#timers.map(({ atMs }) => atMs - this.#nowMs).toSorted((one, other) => one - other);
    return next;
  }

  pass(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#nowMs = next.atMs;
      next.work();
    }
    this.#nowMs = endMs;
  }
}

interface Rig {
  readonly supervisor: SlotSupervisor;
  readonly clock: HandClock;
  /** Of each slot, in the order of their starts. */
  readonly processes: ReadonlyMap<string, SlotProcess[]>;
  readonly events: Record<string, unknown>[];
  /** How often some slot changed its state. */
  changes: number;
  state(slot?: string): string | undefined;
  starts(slot?: string): number;
  /** Waits until the slot has started so often and is in this state. */
  reaches(state: string, starts: number, slot?: string): Promise<void>;
}

const rigs: Rig[] = [];
afterEach(async () => {
  for (const { supervisor } of rigs.splice(0)) {
    supervisor.kill();
    await supervisor.ended;
  }
});

/** What each slot's process does, start by start; the last behaviour goes on for good. */
function start(behaviours: Record<string, readonly Behaviour[]>, devices = Object.keys(behaviours)): Rig {
  const clock = new HandClock();
  const processes = new Map<string, SlotProcess[]>();
  const events: Record<string, unknown>[] = [];
  const spawn = (slot: string, device: string, heard: ProcessEvents) => {
    const before = processes.get(slot) ?? [];
    const behaviour = behaviours[slot]?.[before.length] ?? behaviours[slot]?.at(-1) ?? "works";
    const environment = { PATH: process.env.PATH, BEHAVIOUR: behaviour };
    const started = spawnSlot(slot, device, { environment, cudaVisible: undefined, script }, heard);
    processes.set(slot, [...before, started]);
    return started;
  };
  const supervisor = startSupervisor({
    devices,
    spawn,
    log: createLog((line) => events.push(JSON.parse(line))),
    drainMs: 40_000,
    clock,
    random: () => 1,
    onChange: () => {
      rig.changes += 1;
    },
  });
  const state = (slot = "cpu") => supervisor.slots().find((one) => one.slot === slot)?.state;
  const starts = (slot = "cpu") => processes.get(slot)?.length ?? 0;
  const reaches = (wanted: string, count: number, slot = "cpu") =>
    until(
      `${slot} is ${wanted} after ${count} starts`,
      () => starts(slot) === count && state(slot) === wanted,
    );
  const rig: Rig = { supervisor, clock, processes, events, changes: 0, state, starts, reaches };
  rigs.push(rig);
  return rig;
}

const eventsOf = (rig: Rig, name: string) => rig.events.filter(({ event }) => event === name);

test("slots are called by their device, with a number from the second one on", () => {
  expect(nameSlots(["cuda:0", "cpu", "cpu", "cuda:1", "cpu"]).map(({ slot }) => slot)).toEqual([
    "cuda:0",
    "cpu",
    "cpu#2",
    "cuda:1",
    "cpu#3",
  ]);
});

test("a process that works runs until it is told to end, and all end with 0", async () => {
  const rig = start({ cpu: ["works"], "cpu#2": ["works"] }, ["cpu", "cpu"]);
  await rig.reaches("running", 1);
  await rig.reaches("running", 1, "cpu#2");
  rig.supervisor.stop();
  expect(await rig.supervisor.ended).toBe(0);
  expect(rig.supervisor.slots().map(({ state }) => state)).toEqual(["ended", "ended"]);
});

test("a process that crashes is started again, later each time, and then once a minute", async () => {
  const rig = start({ cpu: ["crashes"] });
  const waits: (number | undefined)[] = [];
  for (let starts = 1; starts <= 8; starts++) {
    await until("it died", () => rig.supervisor.slots()[0]?.deaths === starts);
    waits.push(rig.clock.nextMs);
    rig.clock.pass(rig.clock.nextMs ?? 0);
  }
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 60_000, 60_000, 60_000, 60_000]);
});

test("five deaths within two minutes are told once, and the slot says so until it is well", async () => {
  const rig = start({ cpu: [...Array<Behaviour>(6).fill("crashes"), "works"] });
  for (let deaths = 1; deaths <= 6; deaths++) {
    await until("it died", () => rig.supervisor.slots()[0]?.deaths === deaths);
    expect(rig.state()).toBe(deaths < 5 ? "waiting" : "crash-looping");
    rig.clock.pass(rig.clock.nextMs ?? 0);
  }
  expect(eventsOf(rig, "slot.crash-loop")).toEqual([
    expect.objectContaining({
      level: "error",
      slot: "cpu",
      message: expect.stringContaining("again and again"),
    }),
  ]);
  expect(eventsOf(rig, "slot.died")).toHaveLength(6);
  // It works now, but for how long?
  await until("it waits to be well", () => rig.clock.nextMs === 60_000);
  expect(rig.supervisor.slots()).toEqual([
    { slot: "cpu", device: "cpu", state: "crash-looping", deaths: 6, lastEnd: "exit code 3" },
  ]);
  rig.clock.pass(60_000);
  expect(rig.state()).toBe("running");
  expect(eventsOf(rig, "slot.recovered")).toHaveLength(1);
});

test("after a minute of work its deaths are forgotten", async () => {
  const rig = start({ cpu: ["crashes", "crashes", "works", "crashes"] });
  await rig.reaches("waiting", 1);
  rig.clock.pass(1_000);
  await rig.reaches("waiting", 2);
  rig.clock.pass(2_000);
  await rig.reaches("running", 3);
  rig.clock.pass(60_000);
  rig.processes.get("cpu")?.at(-1)?.kill("SIGKILL");
  await rig.reaches("waiting", 3);
  expect(rig.clock.nextMs).toBe(1_000);
  expect(rig.supervisor.slots()[0]).toMatchObject({ deaths: 3, lastEnd: "SIGKILL" });
});

test("what kills one process does not touch the others", async () => {
  const rig = start({ cpu: ["works"], "cpu#2": ["works"] }, ["cpu", "cpu"]);
  await rig.reaches("running", 1);
  await rig.reaches("running", 1, "cpu#2");
  rig.processes.get("cpu#2")?.at(-1)?.kill("SIGKILL");
  await rig.reaches("waiting", 1, "cpu#2");
  expect([rig.state(), rig.starts()]).toEqual(["running", 1]);
  rig.clock.pass(1_000);
  await rig.reaches("running", 2, "cpu#2");
  expect([rig.state(), rig.starts()]).toEqual(["running", 1]);
});

test("a process that gives its memory back is started again at once, and it is no death", async () => {
  const rig = start({
    cpu: ["recycles", "recycles", "recycles", "recycles", "recycles", "recycles", "works"],
  });
  await rig.reaches("running", 7);
  expect(rig.supervisor.slots()[0]).toMatchObject({ deaths: 0, lastEnd: null });
  expect(eventsOf(rig, "slot.recycled")).toHaveLength(6);
});

test("a process that gives its memory back before it worked is dead: it must not be started in a loop", async () => {
  const rig = start({ cpu: ["recycles unready"] });
  await rig.reaches("waiting", 1);
  expect(rig.supervisor.slots()[0]?.deaths).toBe(1);
});

test("one that is misconfigured from the start ends all with 78", async () => {
  const rig = start({ cpu: ["works"], "cuda:0": ["is misconfigured"] });
  expect(await rig.supervisor.ended).toBe(78);
  expect(rig.supervisor.slots().map(({ state }) => state)).toEqual(["ended", "ended"]);
  expect(eventsOf(rig, "slot.misconfigured")).toEqual([expect.objectContaining({ slot: "cuda:0" })]);
});

test("one that has worked and is refused later is tried again, and the others go on", async () => {
  const rig = start({ cpu: ["works"], "cuda:0": ["works", "is misconfigured", "works"] });
  await rig.reaches("running", 1);
  await rig.reaches("running", 1, "cuda:0");
  rig.processes.get("cuda:0")?.at(-1)?.kill("SIGKILL");
  await rig.reaches("waiting", 1, "cuda:0");
  rig.clock.pass(1_000);
  await rig.reaches("waiting", 2, "cuda:0");
  rig.clock.pass(2_000);
  await rig.reaches("running", 3, "cuda:0");
  expect(rig.state()).toBe("running");
});

describe("told to end,", () => {
  test("it kills who does not drain in time, and ends with 1", async () => {
    const rig = start({ cpu: ["is stubborn"], "cpu#2": ["works"] }, ["cpu", "cpu"]);
    await rig.reaches("running", 1);
    await rig.reaches("running", 1, "cpu#2");
    rig.supervisor.stop();
    await rig.reaches("ended", 1, "cpu#2");
    rig.clock.pass(39_999);
    expect(rig.state()).toBe("running");
    rig.clock.pass(1);
    expect(await rig.supervisor.ended).toBe(1);
    expect(eventsOf(rig, "supervisor.drain-took-too-long")).toHaveLength(1);
  });

  test("it ends with 1 when a process did not drain well", async () => {
    const rig = start({ cpu: ["drains badly"] });
    await rig.reaches("running", 1);
    rig.supervisor.stop();
    expect(await rig.supervisor.ended).toBe(1);
  });

  test("it does not start again what waits", async () => {
    const rig = start({ cpu: ["crashes"] });
    await rig.reaches("waiting", 1);
    rig.supervisor.stop();
    expect(await rig.supervisor.ended).toBe(0);
    expect(rig.clock.nextMs).toBeUndefined();
    expect(rig.starts()).toBe(1);
  });

  test("it does not start again what dies on the way", async () => {
    const rig = start({ cpu: ["is stubborn"] });
    await rig.reaches("running", 1);
    rig.supervisor.stop();
    rig.processes.get("cpu")?.at(-1)?.kill("SIGKILL");
    expect(await rig.supervisor.ended).toBe(1);
    expect(rig.starts()).toBe(1);
  });

  test("twice, it waits for nobody", async () => {
    const rig = start({ cpu: ["is stubborn"] });
    await rig.reaches("running", 1);
    rig.supervisor.stop();
    rig.supervisor.kill();
    expect(await rig.supervisor.ended).toBe(1);
  });
});

test("who asks for it hears of every change of a state", async () => {
  const rig = start({ cpu: ["crashes", "works"] });
  await rig.reaches("waiting", 1);
  expect(rig.changes).toBe(1);
  rig.clock.pass(1_000);
  await rig.reaches("running", 2);
  expect(rig.changes).toBe(3);
});

test("a process that cannot be started is dead too", async () => {
  const clock = new HandClock();
  const spawn = () => {
    throw new Error("no such program");
  };
  const events: string[] = [];
  const log = createLog((line) => events.push(line));
  const supervisor = startSupervisor({ devices: ["cpu"], spawn, log, drainMs: 1, clock, random: () => 1 });
  expect(supervisor.slots()).toEqual([expect.objectContaining({ state: "waiting", deaths: 1 })]);
  expect(events.join()).toContain("no such program");
  clock.pass(1_000);
  expect(supervisor.slots()[0]?.deaths).toBe(2);
  supervisor.stop();
  expect(await supervisor.ended).toBe(0);
});
