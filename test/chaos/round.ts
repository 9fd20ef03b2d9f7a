/**
 * One round: load, a kill at its moment, what died comes back, and everything is looked at.
 *
 *   uploads ──▶ moment ──▶ kill ──▶ restart ──▶ sent again ──▶ all ended ──▶ check ──▶ time passes ──▶ sweep ──▶ check
 */
import { until } from "../helpers/until.ts";
import { checkEnded, checkSwept } from "./check.ts";
import { readFacts } from "./facts.ts";
import type { House } from "./house.ts";
import { awaitMoment, type Reached } from "./moments.ts";
import type { Plan } from "./plan.ts";
import type { Sender, Told } from "./sender.ts";
import { patiently } from "./server.ts";
import { makeOld, sweep } from "./sweeping.ts";

export interface RoundReport {
  /** What is not as it must be; empty when all is well. */
  readonly problems: readonly string[];
  readonly isReached: boolean;
  /** Uploads that had no clear answer before they were sent again. */
  readonly unclear: number;
  readonly ready: number;
  /** Whole pictures that were accepted and failed. */
  readonly failed: number;
}

export async function runRound(house: House, sender: Sender, plan: Plan): Promise<RoundReport> {
  house.startSidecars();
  await house.awaitSidecars();
  const killed = Promise.withResolvers<void>();
  const sending = Promise.all(plan.uploads.map((upload) => sender.send(upload, killed.promise)));
  const reached = await awaitMoment(house, plan);
  await kill(house, plan, reached);
  killed.resolve();
  await reached.release();
  await restart(house, plan);
  const tolds = await sending;
  const unclear = tolds.filter((told) => !told.accepted && told.refusedWith === undefined).length;
  await letLocksPass(house);
  for (const told of tolds) await sender.resume(told);
  const problems = [...(await checkAll(house, tolds)), ...house.takeSurprises()];
  return { problems, isReached: reached.isReached, unclear, ...(await countEnds(house, tolds)) };
}

async function countEnds({ sql }: House, tolds: readonly Told[]): Promise<{ ready: number; failed: number }> {
  const whole = tolds.filter((told) => told.upload.content === "whole").map((told) => told.upload.tag);
  const [counts] = await sql<{ ready: number; failed: number }[]>`
    select
      count(*) filter (where state = 'ready') as ready,
      count(*) filter (where state = 'failed' and media_type is not null) as failed
    from parlance.images
    where keywords[1] = any (${whole}::text[])
  `;
  return counts ?? { ready: 0, failed: 0 };
}

async function kill(house: House, { scenario }: Plan, { workerId }: Reached): Promise<void> {
  const killSidecar = () => house.killSidecar(workerId);
  const crash = () => house.server.crash();
  if (scenario === "sidecar") await killSidecar();
  if (scenario === "api") await house.killApi();
  if (scenario === "postgres") await crash();
  if (scenario === "sidecar and postgres") await Promise.all([killSidecar(), crash()]);
  if (scenario === "api and sidecar") await Promise.all([house.killApi(), killSidecar()]);
}

async function restart(house: House, { scenario, awayMs }: Plan): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, awayMs));
  if (scenario.includes("postgres")) await house.server.start();
  if (scenario.startsWith("api")) await house.startApi();
  house.startSidecars();
  await house.awaitSidecars();
}

/** Waits until all has ended, looks, sweeps, and looks again. */
export async function checkAll(house: House, tolds: readonly Told[]): Promise<string[]> {
  const ended = await awaitEndings(house);
  const problems = [...ended, ...checkEnded(await patiently(() => readFacts(house)), tolds)];
  await letTimePass(house);
  await sweep(house);
  const facts = await readFacts(house);
  return [
    ...problems,
    ...checkEnded(facts, tolds).filter((problem) => !problems.includes(problem)),
    ...checkSwept(facts),
  ];
}

const endingMsMax = 90_000;

/** Waits until nothing is in work any more. The wait before a next try is cut short; leases are not. */
export async function awaitEndings({ sql }: House): Promise<string[]> {
  try {
    await until(
      "all accepted pictures ended",
      () =>
        patiently(async () => {
          const hurried = await sql`
            update parlance.jobs set run_after = now() where state = 'queued' and run_after > now()
          `;
          if (hurried.count > 0) await sql`select pg_notify('parlance_jobs', 'bulk')`;
          const [open] = await sql<{ count: number }[]>`
            select (select count(*) from parlance.images where state = 'processing')
              + (select count(*) from parlance.jobs where kind = 'images.ingest-image' and finished_at is null) as count
          `;
          return open?.count === 0;
        }),
      { timeoutMs: endingMsMax, everyMs: 25 },
    );
    return [];
  } catch (error) {
    return [String(error)];
  }
}

/** The two minutes for which a key is locked whose first request died. */
async function letLocksPass({ sql }: House): Promise<void> {
  await patiently(
    () => sql`
      update parlance.idempotency_keys set locked_until = clock_timestamp() where status is null
    `,
  );
}

/** Makes every object and every unfinished upload three hours old. */
async function letTimePass(house: House): Promise<void> {
  await makeOld(house);
  await house.sql`
    update parlance.images set created_at = now() - interval '3 hours' where state = 'uploading'
  `;
}
