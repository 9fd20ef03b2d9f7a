import { refuse } from "./refuse.ts";

/** A setting that was read, and where; kept in the lock so that it can be shown. */
export interface ReadSetting {
  readonly name: string;
  readonly value: string;
  /** The file, and the key in it; or what the model's type says where the file leaves it out. */
  readonly from: string;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads one file of settings key by key and remembers which. What nobody asked for is refused at the end: a setting
 * that is passed over would make other numbers than the model was trained with.
 */
export class SettingsReader {
  readonly file: string;
  readonly #content: JsonObject;
  readonly #asked = new Set<string>();

  constructor(file: string, content: unknown) {
    if (!isObject(content)) throw refuse(`${file}: is not an object of settings.`);
    this.file = file;
    this.#content = content;
  }

  /** Undefined where the key is missing or null, which mean the same in these files. */
  find(key: string): unknown {
    this.#asked.add(key);
    return this.#content[key] ?? undefined;
  }

  findFlag(key: string): boolean | undefined {
    const value = this.find(key);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.refuse(key, value, "true or false");
  }

  findWhole(key: string): number | undefined {
    const value = this.find(key);
    if (value === undefined || (typeof value === "number" && Number.isSafeInteger(value) && value > 0))
      return value;
    throw this.refuse(key, value, "a whole number above 0");
  }

  findPositive(key: string): number | undefined {
    const value = this.find(key);
    if (value === undefined || (typeof value === "number" && Number.isFinite(value) && value > 0))
      return value;
    throw this.refuse(key, value, "a number above 0");
  }

  findText(key: string): string | undefined {
    const value = this.find(key);
    if (value === undefined || typeof value === "string") return value;
    throw this.refuse(key, value, "a text");
  }

  findObject(key: string): SettingsReader | undefined {
    const value = this.find(key);
    return value === undefined ? undefined : new SettingsReader(`${this.file}: ${key}`, value);
  }

  /** Keys that bear on nothing here, whatever their value. */
  pass(keys: readonly string[]): void {
    for (const key of keys) this.#asked.add(key);
  }

  /** Refuses every key that was neither asked for nor passed. */
  finish(): void {
    for (const [key, value] of Object.entries(this.#content)) {
      if (!this.#asked.has(key) && value !== null)
        throw this.refuse(key, value, "nothing that is known here");
    }
  }

  refuse(key: string, value: unknown, expected: string): Error {
    return refuse(`${this.file}: ${key} is ${show(value)}; understood is ${expected}.`);
  }

  missing(key: string): Error {
    return refuse(`${this.file}: ${key} is missing, and there is no safe guess for it.`);
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
