/** What happens in a round, from its seed alone. */
import { type Random, seededRandom } from "../helpers/pictures.ts";

/** What dies. Two of them die within the same tenth of a second. */
export const scenarios = ["sidecar", "api", "postgres", "sidecar and postgres", "api and sidecar"] as const;
export type Scenario = (typeof scenarios)[number];

/**
 * When it dies: at a time, or as soon as the rows show that work is at that point. `… unanswered` is the worst of a
 * database: what was committed is kept, and who committed it never hears so.
 */
const moments = {
  sidecar: ["claimed", "derivatives stored", "landing", "any"],
  api: [
    "bytes arriving",
    "row written",
    "object stored",
    "accepted",
    "derivatives stored",
    "sweeping",
    "any",
  ],
  postgres: ["acceptance unanswered", "landing unanswered", "claimed", "any", "derivatives stored"],
  "sidecar and postgres": ["landing unanswered", "landing", "claimed", "any"],
  "api and sidecar": ["object stored", "derivatives stored", "any", "landing"],
} as const satisfies Record<Scenario, readonly string[]>;
export type Moment = (typeof moments)[Scenario][number];

export interface Plan {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly moment: Moment;
  /** From the start of the load, before anyone looks for the moment. */
  readonly lookAfterMs: number;
  /** From the moment to the kill. */
  readonly delayMs: number;
  /** How long what was killed stays away. */
  readonly awayMs: number;
  readonly uploads: readonly Upload[];
}

export interface Upload {
  /** Unlike all others; the picture bears it as its keyword. */
  readonly tag: string;
  readonly way: "form" | "signed";
  readonly content: "whole" | "truncated" | "text";
  /** Which picture of the pool. */
  readonly picture: number;
  /** Sent with a name of its own, else with an Idempotency-Key. */
  readonly isNamed: boolean;
  /** The second half of the bytes comes after the kill. */
  readonly isSlow: boolean;
  /** Its bytes are sent, and then its client walks away. */
  readonly isAbandoned: boolean;
  /** Deleted as soon as it is accepted. */
  readonly isDeleted: boolean;
  /** From the start of the load. */
  readonly startMs: number;
}

const uploadsInRound = 9;
export const picturesInPool = 8;

export function planRound(seed: number): Plan {
  const random = seededRandom(seed * 7919);
  const scenario = scenarios[seed % scenarios.length] ?? "sidecar";
  const choices = moments[scenario];
  const moment = choices[Math.floor(seed / scenarios.length) % choices.length] ?? "any";
  return {
    seed,
    scenario,
    moment,
    lookAfterMs: moment === "acceptance unanswered" ? 0 : Math.floor(random() * 250),
    delayMs: Math.floor(random() * (moment === "any" ? 300 : 30)),
    awayMs: Math.floor(random() * 300),
    uploads: Array.from({ length: uploadsInRound }, (_, index) => planUpload(seed, index, random)),
  };
}

/** Every round has signed uploads, one of them abandoned, a truncated picture, a text, a slow one, one to be deleted. */
function planUpload(seed: number, index: number, random: Random): Upload {
  return {
    tag: `round${seed}-${index}`,
    way: [2, 5, 6].includes(index) ? "signed" : "form",
    content: index === 4 ? "truncated" : index === 7 ? "text" : "whole",
    picture: Math.floor(random() * picturesInPool),
    isNamed: index !== 8 && random() < 0.5,
    isSlow: index === 1 || (index === 6 && random() < 0.5),
    isAbandoned: index === 5,
    isDeleted: index === 3,
    startMs: Math.floor(random() * 250),
  };
}
