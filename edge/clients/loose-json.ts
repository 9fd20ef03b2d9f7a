/** Looking into JSON of others: what is not as expected is undefined, never an error. */

export type JsonRecord = { readonly [key: string]: unknown };

export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What lies at the end of the keys. */
export function look(value: unknown, ...keys: readonly string[]): unknown {
  let found = value;
  for (const key of keys) found = isRecord(found) ? found[key] : undefined;
  return found;
}

export function lookText(value: unknown, ...keys: readonly string[]): string | undefined {
  const found = look(value, ...keys);
  return typeof found === "string" && found !== "" ? found : undefined;
}

export function lookList(value: unknown, ...keys: readonly string[]): readonly unknown[] {
  const found = look(value, ...keys);
  return Array.isArray(found) ? found : [];
}

/** A whole number that counts something. */
export function lookCount(value: unknown, ...keys: readonly string[]): number | undefined {
  const found = look(value, ...keys);
  return Number.isSafeInteger(found) && (found as number) >= 0 ? (found as number) : undefined;
}

export function lookAmount(value: unknown, ...keys: readonly string[]): number | undefined {
  const found = look(value, ...keys);
  return typeof found === "number" && Number.isFinite(found) && found >= 0 ? found : undefined;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
