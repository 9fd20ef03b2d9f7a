/**
 * Imported first by a process whose clock is to be wrong: `CLOCK=OFFSET_MS,RATE` shifts it at once and lets it run at
 * another speed. Timers run on as they do: a wall clock that is wrong does not make a machine slow.
 */
const [offsetMs = 0, rate = 1] = (process.env.CLOCK ?? "").split(",").filter(Boolean).map(Number);

if (offsetMs !== 0 || rate !== 1) {
  const RightDate = Date;
  const startedAtMs = RightDate.now();
  const readClock = () => {
    const nowMs = RightDate.now();
    return Math.round(startedAtMs + offsetMs + (nowMs - startedAtMs) * rate);
  };
  // A class cannot be called without `new`; nobody here does.
  globalThis.Date = class extends RightDate {
    constructor(...given: unknown[]) {
      super(...((given.length === 0 ? [readClock()] : given) as [number]));
    }
    static override now(): number {
      return readClock();
    }
  } as DateConstructor;
}
