/** What clients ask the queue to add. */
import type { NewJob } from "../../../../shared/jobs/queue.ts";
import { kinds, type Payload, type SimulatedKind } from "./kinds.ts";
import type { Choices } from "./random.ts";
import type { World } from "./world.ts";

type Addition = NewJob<Payload> & { readonly id: string };

export interface Request {
  readonly kind: SimulatedKind;
  readonly ownerId: string | null;
  readonly jobs: readonly Addition[];
}

export function planRequest(world: World, random: Choices): Request {
  const kind = random.pick(kinds);
  const ownerId = random.chance(0.25) ? null : random.pick(world.owners);
  const keys = random.some(["sun", "sea"], 2);
  const onOpen = random.pick([undefined, "skip", "replace", "debounce"] as const);
  const jobs = Array.from({ length: random.chance(0.7) ? 1 : 2 + random.below(3) }, (): Addition => {
    const uniqueKey = random.chance(0.4) ? keys.pop() : undefined;
    const delaySeconds = random.weighted([
      [undefined, 6],
      [random.between(0, 5), 2],
      [random.between(60, 3600), 1],
    ]);
    return {
      id: random.id(world.clock.ms),
      payload: { text: String(random.below(1000)) },
      ownerId,
      ...(uniqueKey === undefined ? {} : { uniqueKey }),
      ...(onOpen === undefined ? {} : { onOpen }),
      ...(delaySeconds === undefined ? {} : { delaySeconds }),
      ...(random.chance(0.2) ? { model: random.pick(["small", "large"]) } : {}),
    };
  });
  return { kind, ownerId, jobs };
}

export function describeRequest({ kind, ownerId, jobs }: Request): string {
  const told = jobs.map(({ uniqueKey, onOpen, delaySeconds, model }) =>
    [
      uniqueKey && `${uniqueKey} (${onOpen ?? "skip"})`,
      delaySeconds && `in ${delaySeconds.toFixed(1)} s`,
      model,
    ]
      .filter(Boolean)
      .join(" "),
  );
  return `${jobs.length} × ${kind.name} of ${ownerId?.slice(-4) ?? "the house"}${told.some(Boolean) ? ` [${told.join(", ")}]` : ""}`;
}
