/** Told while a model is pulled. */
export interface PullProgress {
  /** What is to be there, and what of each file was there already. */
  start(bytesInAll: number, bytesThere: ReadonlyMap<string, number>): void;
  /** Bytes of one file that are there. */
  file(name: string, bytes: number, bytesInAll: number): void;
  retry(reason: string, pauseMs: number): void;
  note(text: string): void;
}

export interface Terminal {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const redrawMs = 100;
const lineMs = 10_000;

/** A line that is drawn over and over on a terminal; elsewhere a line now and then, so that a log stays readable. */
export class PullMeter implements PullProgress {
  readonly #out: Terminal;
  readonly #now: () => number;
  #files = new Map<string, number>();
  #bytesInAll = 0;
  #bytesAtStart = 0;
  #startedAtMs = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #isDrawn = false;

  constructor(out: Terminal, now: () => number = () => performance.now()) {
    this.#out = out;
    this.#now = now;
  }

  start(bytesInAll: number, bytesThere: ReadonlyMap<string, number>): void {
    this.#files = new Map(bytesThere);
    this.#bytesInAll = bytesInAll;
    this.#bytesAtStart = this.#sum();
    this.#startedAtMs = this.#now();
  }

  file(name: string, bytes: number, bytesInAll: number): void {
    this.#files.set(name, bytes);
    const isDone = bytes === bytesInAll;
    const waitMs = this.#out.isTTY ? redrawMs : lineMs;
    if (!isDone && this.#now() - this.#toldAtMs < waitMs) return;
    this.#toldAtMs = this.#now();
    this.#tell(`${this.#describe()}  ${name}`);
  }

  retry(reason: string, pauseMs: number): void {
    // What may be done about it is told once, when it is given up.
    this.note(
      `${reason.split(/(?<=\.) /)[0]} Trying again in ${(pauseMs / 1000).toFixed(pauseMs < 10_000 ? 1 : 0)} s.`,
    );
  }

  /** A line that stays. */
  note(text: string): void {
    this.end();
    this.#out.write(`${text}\n`);
  }

  /** Leaves the line that is drawn over. */
  end(): void {
    if (this.#isDrawn) this.#out.write("\n");
    this.#isDrawn = false;
  }

  #describe(): string {
    const there = this.#sum();
    const share = this.#bytesInAll > 0 ? Math.floor((100 * there) / this.#bytesInAll) : 100;
    const seconds = (this.#now() - this.#startedAtMs) / 1000;
    const pace = seconds > 0 ? (there - this.#bytesAtStart) / seconds : 0;
    const left = pace > 0 ? (this.#bytesInAll - there) / pace : undefined;
    const rest = left === undefined ? "" : `  ${describeSeconds(left)} left`;
    return `${String(share).padStart(3)} %  ${describeBytes(there)} of ${describeBytes(this.#bytesInAll)}  ${describeBytes(pace)}/s${rest}`;
  }

  #sum(): number {
    return [...this.#files.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  #tell(line: string): void {
    if (!this.#out.isTTY) {
      this.#out.write(`${line}\n`);
      return;
    }
    const width = Math.max(20, (this.#out.columns ?? 80) - 1);
    this.#out.write(`\r${line.slice(0, width).padEnd(width)}`);
    this.#isDrawn = true;
  }
}

export function describeBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

function describeSeconds(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return seconds < 3600 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
