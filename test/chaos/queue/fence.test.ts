/**
 * A runner that was frozen while another did its work, and wakes. With the fence it changes nothing; without, it does,
 * and the judge must say so: a judge that never finds anything proves nothing.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { addJob } from "../../../shared/jobs/queue.ts";
import { until } from "../../helpers/until.ts";
import { checkFacts } from "./check.ts";
import { openQueueServer, type QueueServer } from "./database.ts";
import { readFacts } from "./facts.ts";
import { workBriefly } from "./kinds.ts";
import { Stage } from "./stage.ts";

const script = process.env.POSTGRES17 ?? "";
const leaseSeconds = 2;
const patience = { timeoutMs: 90_000 };

describe.runIf(process.env.CHAOS && script)("a runner that wakes", () => {
  let queue: QueueServer;
  let stage: Stage;

  beforeAll(async () => {
    queue = await openQueueServer(script);
  });
  afterAll(() => queue?.close());

  beforeEach(async () => {
    const options = { seed: 1, jobs: 0, hurtMs: 0, leaseSeconds, runnersMax: 2 };
    stage = await Stage.open(queue, { ...options, random: Math.random, environmentOf: () => ({}) });
  });
  afterEach(() => stage?.close());

  interface Row {
    readonly state: string;
    readonly progressTotal: number | null;
    readonly landings: number;
  }

  const find = async (id: string): Promise<Row> => {
    const [row] = await stage.database.sql<Row[]>`
      select state, progress_total, (select count(*) from chaos.landings where job_id = jobs.id) as landings
      from parlance.jobs
      where id = ${id}
    `;
    if (!row) throw new Error(`there is no job ${id}`);
    return row;
  };

  /** Its job is run by one, which is frozen, then done by the other; the first one wakes in the middle of it. */
  async function wakeAfterAnother(): Promise<string> {
    const [first, second] = stage.crew;
    if (!first || !second) throw new Error("there are not two runners");
    first.start();
    await first.awaitReady();
    const payload = { order: 0, workMs: 1_000 };
    const id = await addJob(stage.database.sql, workBriefly, { payload, ownerId: null });
    // It has told its first progress: its runner knows of it.
    await until("it runs", async () => (await find(id)).progressTotal !== null, patience);
    first.freeze(true);
    second.start();
    await until("the other has done it", async () => (await find(id)).state === "done", patience);
    first.freeze(false);
    return id;
  }

  async function judge(): Promise<string> {
    const facts = await readFacts(stage.database.sql);
    const problems = checkFacts(facts, { accepted: [], orders: new Map(), leaseSeconds });
    return problems.map(({ what }) => what).join("\n");
  }

  test("changes nothing after another did its work", async () => {
    const id = await wakeAfterAnother();
    await until("it knows that it lost", () => stage.crew[0]?.hasSaid("lost") ?? false, patience);
    expect(await find(id)).toMatchObject({ state: "done", landings: 1 });
    expect(await judge()).toBe("");
  }, 200_000);

  test("is found out by the judge when the fence is gone", async () => {
    await removeFence();
    const id = await wakeAfterAnother();
    await until("it has landed, too", async () => (await find(id)).landings === 2, patience);
    const problems = await judge();
    expect(problems).toContain("landed: done, done");
    expect(problems).toContain("ended 2 times");
    expect(problems).toContain("job.done follows job.done");
  }, 200_000);

  /** The claim is no longer looked at, and an ended job may change. */
  async function removeFence(): Promise<void> {
    await stage.database.sql.unsafe(`
      alter table parlance.jobs disable trigger refuse_job_change;
      drop function parlance.complete_jobs(jsonb);
      create function parlance.complete_jobs(endings jsonb) returns table (id uuid, claim bigint)
        language sql volatile security definer set search_path = pg_catalog, pg_temp
        as $$
        with ended as (
          update parlance.jobs
          set state = 'done', claim = null, claimed_by = null, lease_expires_at = null,
            finished_at = clock_timestamp(), event_sequence = jobs.event_sequence + 1
          from jsonb_to_recordset(endings) as ending (id uuid, claim bigint)
          where jobs.id = ending.id
          returning jobs.id, jobs.event_sequence, jobs.owner_id, ending.claim
        ), told as (
          insert into parlance.job_events (job_id, sequence, event, owner_id)
          select ended.id, ended.event_sequence, 'job.done', ended.owner_id
          from ended
        )
        select ended.id, ended.claim from ended
      $$;
      grant execute on function parlance.complete_jobs(jsonb) to parlance_sidecar;
    `);
  }
});
