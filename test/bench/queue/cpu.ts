import { readdirSync, readFileSync } from "node:fs";

/** Milliseconds of processors since whenever; only differences mean something. */
export interface CpuSample {
  readonly atMs: number;
  /** This process. */
  readonly clientMs: number;
  /** The server and all its processes, those that ended included. NaN where /proc does not show them. */
  readonly postgresMs: number;
  /** Everything on the machine. NaN where /proc is missing. */
  readonly allMs: number;
}

export interface Cost {
  readonly seconds: number;
  readonly clientMs: number;
  readonly postgresMs: number;
  /** Cores that neither of the two took. */
  readonly foreignCores: number;
}

export function sampleCpu(postmaster: number): CpuSample {
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    clientMs: (user + system) / 1000,
    postgresMs: readFamilyMs(postmaster),
    allMs: readMachineMs(),
  };
}

export function costBetween(before: CpuSample, after: CpuSample): Cost {
  const tookMs = after.atMs - before.atMs;
  const clientMs = after.clientMs - before.clientMs;
  const postgresMs = after.postgresMs - before.postgresMs;
  const foreignMs = after.allMs - before.allMs - clientMs - postgresMs;
  return { seconds: tookMs / 1000, clientMs, postgresMs, foreignCores: Math.max(0, foreignMs / tookMs) };
}

export interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly ownMs: number;
  /** Of its children that ended and were waited for. */
  readonly endedChildrenMs: number;
}

/** A tick of /proc is 10 ms on every Linux that Bun runs on. */
const tickMs = 10;

/** A line of /proc/PID/stat (proc_pid_stat(5)); the name may hold spaces and brackets. */
export function parseProcessTimes(line: string): ProcessTimes | undefined {
  const [, pid, name, rest] = /^(\d+) \((.*)\) (.*)$/s.exec(line) ?? [];
  if (pid === undefined || name === undefined || rest === undefined) return undefined;
  const fields = rest.split(" ").map(Number);
  const ticks = (index: number) => (fields[index] ?? 0) * tickMs;
  return {
    pid: Number(pid),
    parent: fields[1] ?? 0,
    name,
    ownMs: ticks(11) + ticks(12),
    endedChildrenMs: ticks(13) + ticks(14),
  };
}

function readTimes(pid: number | string): ProcessTimes | undefined {
  try {
    return parseProcessTimes(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** The server process of a backend, or 0 where this machine does not show it. */
export function findPostmaster(backend: number): number {
  const times = readTimes(backend);
  return times?.name.startsWith("postgres") ? times.parent : 0;
}

function readFamilyMs(postmaster: number): number {
  if (postmaster === 0) return Number.NaN;
  let sum = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const times = readTimes(name);
    if (times?.parent === postmaster) sum += times.ownMs;
    if (times?.pid === postmaster) sum += times.ownMs + times.endedChildrenMs;
  }
  return sum;
}

function readMachineMs(): number {
  try {
    const [, user, nice, system, , , irq, softirq] = readFileSync("/proc/stat", "utf8")
      .split(/\s+/)
      .map(Number);
    return [user, nice, system, irq, softirq].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) * tickMs;
  } catch {
    return Number.NaN;
  }
}
