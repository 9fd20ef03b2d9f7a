/** What the enqueuer writes down of what was accepted, outside the database. */
import { readFile } from "node:fs/promises";
import type { Way } from "./plan.ts";

export interface Accepted {
  /** Of the job. */
  readonly id: string;
  readonly order: number;
  readonly way: Way;
}

export async function readRecord(path: string): Promise<Accepted[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Accepted);
}

/** People whose jobs some of them are. */
export const ownerIds: readonly string[] = [1, 2, 3].map(
  (index) => `00000000-0000-7000-8000-00000000000${index}`,
);
