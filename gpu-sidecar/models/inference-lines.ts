import { Pace, type PaceOptions } from "./inference-pace.ts";

/** One picture that waits for a run. */
export interface WaitingPicture {
  readonly pixels: Float32Array;
  readonly resolve: (vector: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

export interface PictureBatch {
  readonly model: string;
  readonly pictures: readonly WaitingPicture[];
}

interface Line {
  readonly model: string;
  readonly pace: Pace;
  readonly waiting: WaitingPicture[];
  /** When the oldest came, or was left behind by a run. */
  sinceMs: number;
  servedAt: number;
}

/** The pictures that wait, a line for each model; the model that was served longest ago comes first. */
export class PictureLines {
  readonly #options: PaceOptions;
  readonly #lines = new Map<string, Line>();
  #served = 0;
  #length = 0;

  constructor(options: PaceOptions = {}) {
    this.#options = options;
  }

  /** Pictures of all models. */
  get length(): number {
    return this.#length;
  }

  paceOf(model: string): Pace {
    return this.#lineOf(model).pace;
  }

  add(model: string, picture: WaitingPicture, nowMs: number): void {
    const line = this.#lineOf(model);
    if (line.waiting.length === 0) line.sinceMs = nowMs;
    line.waiting.push(picture);
    this.#length += 1;
  }

  /** Takes a picture out that still waits; false when it is on its way already. */
  remove(model: string, picture: WaitingPicture): boolean {
    const { waiting } = this.#lineOf(model);
    const index = waiting.indexOf(picture);
    if (index >= 0) waiting.splice(index, 1);
    if (index >= 0) this.#length -= 1;
    return index >= 0;
  }

  /**
   * The next batch: a full one, or what came before `notAfterMs`. `isBusy`: something runs still, so there is no hurry
   * and only a full one calls for the next; whose turn it is then gets it.
   */
  next(notAfterMs: number, nowMs: number, isBusy: boolean): PictureBatch | undefined {
    const isFull = ({ waiting, pace }: Line) => waiting.length >= pace.size;
    const ready = [...this.#lines.values()]
      .filter((line) => line.waiting.length > 0 && (isFull(line) || line.sinceMs <= notAfterMs))
      .sort((left, right) => left.servedAt - right.servedAt);
    const line = isBusy && !ready.some(isFull) ? undefined : ready[0];
    if (!line) return undefined;
    line.servedAt = ++this.#served;
    line.sinceMs = nowMs;
    const pictures = line.waiting.splice(0, line.pace.take(line.waiting.length));
    this.#length -= pictures.length;
    return { model: line.model, pictures };
  }

  /** Everyone who waits, for one model or for any, taken out. */
  clear(model?: string): WaitingPicture[] {
    const lines = model === undefined ? [...this.#lines.values()] : [this.#lineOf(model)];
    const all = lines.flatMap(({ waiting }) => waiting.splice(0));
    this.#length -= all.length;
    return all;
  }

  #lineOf(model: string): Line {
    let line = this.#lines.get(model);
    if (!line) {
      line = { model, pace: new Pace(this.#options), waiting: [], sinceMs: 0, servedAt: 0 };
      this.#lines.set(model, line);
    }
    return line;
  }
}
