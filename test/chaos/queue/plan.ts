/** What is asked of the queue, from a seed alone: calls that add jobs, and which of these are cancelled when. */
import { type Random, seededRandom } from "../../helpers/pictures.ts";
import {
  answerNow,
  beCancelled,
  beLate,
  doNothing,
  failAlways,
  failTwice,
  keepPlace,
  lateSeconds,
  leaveNothing,
  workBriefly,
} from "./kinds.ts";

export interface Order {
  readonly number: number;
  readonly kind: string;
  /** Of the job it asks for; what a look at the rows finds it by. */
  readonly subjectId: string;
  /** Whether that is the job's own id, too: then asking again changes nothing. */
  readonly isNamed: boolean;
  readonly workMs: number;
  /** From its acceptance to the wish to cancel it. */
  readonly cancelAfterMs?: number;
  readonly uniqueKey?: string;
  readonly delaySeconds: number;
}

/**
 * `alone` adds one job, `many` several in one statement, `with a row` writes a row beside each in one transaction, and `same key` asks
 * for what may be open already.
 */
export type Way = "alone" | "many" | "with a row" | "same key";

export interface Call {
  readonly way: Way;
  readonly owner: number;
  readonly orders: readonly Order[];
}

export interface Plan {
  readonly seed: number;
  readonly calls: readonly Call[];
}

/** Owner 0 is the house. */
export const ownersMax = 4;

/** Of a hundred jobs. */
const shares: readonly (readonly [kind: string, share: number])[] = [
  [doNothing.name, 23],
  [leaveNothing.name, 12],
  [answerNow.name, 20],
  [workBriefly.name, 18],
  [keepPlace.name, 6],
  [failTwice.name, 6],
  [failAlways.name, 4],
  [beLate.name, 2],
  [beCancelled.name, 9],
];

/** Calls for `jobs` jobs, and a few more for those that are open already. */
export function planCalls(seed: number, jobs: number): Plan {
  const random = seededRandom(seed * 104_729 + 17);
  const calls: Call[] = [];
  let number = 0;
  while (number < jobs) {
    const way = pickWay(random);
    const count = Math.min(pickCount(way, random), jobs - number);
    // One statement adds jobs of one kind.
    const kind = way === "many" ? pickKind(random) : undefined;
    const isNamed = way !== "with a row" && random() < 0.5;
    const orders = Array.from({ length: count }, () => ({
      ...planOrder(seed, number++, random, kind),
      isNamed,
    }));
    calls.push({ way, owner: Math.floor(random() * ownersMax), orders });
    if (random() < 0.03) calls.push(planRepeat(seed, calls.length, random));
  }
  return { seed, calls };
}

function pickWay(random: Random): Way {
  const place = random();
  return place < 0.5 ? "alone" : place < 0.75 ? "many" : "with a row";
}

function pickCount(way: Way, random: Random): number {
  if (way === "alone") return 1;
  return 1 + Math.floor(random() * (way === "many" ? 40 : 5));
}

function planOrder(
  seed: number,
  number: number,
  random: Random,
  kind = pickKind(random),
): Omit<Order, "isNamed"> {
  return {
    number,
    kind,
    subjectId: subjectOf(seed, number),
    workMs: Math.floor(random() * (kind === beCancelled.name ? 600 : 300)),
    delaySeconds: kind === beLate.name ? lateSeconds : random() < 0.05 ? random() * 3 : 0,
    ...(kind === beCancelled.name ? { cancelAfterMs: Math.floor(random() ** 2 * 1500) } : {}),
    ...(random() < 0.1 ? { uniqueKey: `order ${number}` } : {}),
  };
}

/** Numbers below zero: they may be answered with the job of another. */
function planRepeat(seed: number, index: number, random: Random): Call {
  const number = -1 - index;
  const uniqueKey = `shared ${Math.floor(random() * 5)}`;
  const kind = workBriefly.name;
  const order = {
    number,
    kind,
    subjectId: subjectOf(seed, number),
    isNamed: false,
    workMs: 10,
    delaySeconds: 0,
    uniqueKey,
  };
  return { way: "same key", owner: 0, orders: [order] };
}

function pickKind(random: Random): string {
  let place = random() * 100;
  for (const [kind, share] of shares) {
    if (place < share) return kind;
    place -= share;
  }
  return doNothing.name;
}

/** Unlike all others of a database; a scenario has one of its own. */
function subjectOf(seed: number, number: number): string {
  const hex = (value: number, length: number) => (value >>> 0).toString(16).padStart(length, "0");
  return `${hex(seed, 8)}-0000-8000-8000-0000${hex(number, 8)}`;
}
