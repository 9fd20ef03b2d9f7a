/**
 * A worker that lost its claim and does not know it: with the fence it changes nothing. Without the fence it does,
 * and the check of the kills must notice: a check that never fails proves nothing.
 */
import postgres, { type Sql } from "postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { databaseOptions } from "../../shared/database.ts";
import { createId } from "../../shared/ids.ts";
import { ingestImage } from "../../shared/images/kinds.ts";
import type { IngestOutcome } from "../../shared/images/outcomes.ts";
import { executeJob } from "../../shared/jobs/executor.ts";
import { type ClaimedJob, claimJobs, rescueJobs } from "../../shared/jobs/queue.ts";
import { jobKinds } from "../../shared/kinds.ts";
import { loginUrl } from "../../supabase/local/logins.ts";
import { until } from "../helpers/until.ts";
import { House } from "./house.ts";
import { planRound, type Upload } from "./plan.ts";
import { drawPool } from "./pool.ts";
import { awaitEndings, checkAll } from "./round.ts";
import { Sender, type Told } from "./sender.ts";

const databaseUrl = process.env.TEST_DATABASE_URL ?? "";

describe.runIf(process.env.CHAOS && databaseUrl)("a worker that lost its claim", () => {
  let house: House;
  let sender: Sender;
  /** Logged in as sidecars are. */
  let sql: Sql;

  beforeEach(async () => {
    house = await House.open({ postgresScript: undefined, databaseUrl });
    sender = new Sender(house, await drawPool());
    await sender.signUp();
    sql = postgres(loginUrl(house.server.url, "parlance_sidecar"), { ...databaseOptions, max: 1 });
  });

  afterEach(async () => {
    await sql.end();
    await house.close();
  });

  const send = (change: Partial<Upload> = {}): Promise<Told> => {
    const [upload] = planRound(1).uploads;
    if (!upload) throw new Error("the plan has no upload");
    return sender.send({ ...upload, ...change, startMs: 0 }, Promise.resolve());
  };

  /** Claims the next job with a lease that is over at once, and does work whose end is up to the caller. */
  async function claimAndLose(): Promise<{ land(): Promise<string> }> {
    let job: ClaimedJob | undefined;
    await until("a job is claimed", async () => {
      const claim = { workerId: createId(), kinds: [ingestImage], jobsMax: 1, leaseSeconds: 0 };
      [job] = await claimJobs(sql, { ...claim, lane: "bulk" });
      return job !== undefined;
    });
    if (!job) throw new Error("no job was claimed");
    const work = Promise.withResolvers<IngestOutcome>();
    const { ended } = executeJob(sql, { kind: ingestImage, run: () => work.promise }, job);
    expect(await rescueJobs(sql, jobKinds)).toBe(1);
    const land = async () => {
      work.resolve(wrongOutcome);
      return (await ended).ending;
    };
    return { land };
  }

  test("changes nothing before another worker has the job", async () => {
    const told = await send();
    const late = await claimAndLose();
    expect(await late.land()).toBe("lost");
    house.startSidecars();
    expect(await checkAll(house, [told])).toEqual([]);
  });

  test("changes nothing after another worker ended the job", async () => {
    const told = await send();
    const late = await claimAndLose();
    house.startSidecars();
    expect(await awaitEndings(house)).toEqual([]);
    expect(await late.land()).toBe("lost");
    expect(await checkAll(house, [told])).toEqual([]);
  });

  test("changes nothing when it was frozen in its work and wakes", async () => {
    house.startSidecars();
    await house.awaitSidecars();
    const sending = Promise.all(
      Array.from({ length: 8 }, (_, index) => send({ tag: `frozen-${index}`, content: "whole" })),
    );
    const workerId = await freezeOne();
    const tolds = await sending;
    await until("its jobs have been taken over", async () => !(await findRunning()).includes(workerId));
    house.freezeSidecar(workerId, false);
    expect(await checkAll(house, tolds)).toEqual([]);
    expect(house.takeSurprises()).toEqual([]);
  });

  /** A sidecar that holds a claim and is frozen. */
  async function freezeOne(): Promise<string> {
    let frozen = "";
    await until("a sidecar is frozen at work", async () => {
      [frozen = ""] = await findRunning();
      if (frozen === "") return false;
      house.freezeSidecar(frozen, true);
      if ((await findRunning()).includes(frozen)) return true;
      house.freezeSidecar(frozen, false);
      return false;
    });
    return frozen;
  }

  const findRunning = async () => {
    const rows = await house.sql<{ claimedBy: string }[]>`
      select claimed_by from parlance.jobs where state = 'running' and kind = 'images.ingest-image'
    `;
    return rows.map((row) => row.claimedBy);
  };

  test("is noticed by the check when the fence is gone and it lands before another worker", async () => {
    const told = await send();
    const late = await claimAndLose();
    await removeFence();
    expect(await late.land()).toBe("done");
    const problems = (await checkAll(house, [told])).join("\n");
    expect(problems).toContain("job.done follows job.requeued");
    expect(problems).toContain("is not as it was sent");
    expect(problems).toContain("has no display, thumbnail");
  });

  test("is noticed by the check when the fence is gone and it ends the job once more", async () => {
    const told = await send();
    const late = await claimAndLose();
    house.startSidecars();
    expect(await awaitEndings(house)).toEqual([]);
    await removeFence();
    expect(await late.land()).toBe("done");
    expect((await checkAll(house, [told])).join("\n")).toMatch(/^job of round1-0 \(done\): ended 2 times$/m);
  });

  /** The claim is no longer looked at, and an ended job may change. */
  async function removeFence(): Promise<void> {
    const [fenced] = await house.sql<{ definition: string }[]>`
      select pg_get_functiondef('parlance.complete_jobs'::regproc) as definition
    `;
    const unfenced = fenced?.definition.replace(" and jobs.claim = ending.claim", "") ?? "";
    expect(unfenced).not.toBe(fenced?.definition);
    await house.sql.unsafe(`alter table parlance.jobs disable trigger refuse_job_change; ${unfenced}`);
  }
});

/** Of another picture than any that was sent. */
const wrongOutcome: IngestOutcome = {
  mediaType: "image/jpeg",
  sizeBytes: 1,
  width: 1,
  height: 1,
  sha256: "0".repeat(64),
  perceptualHash: "0".repeat(16),
  variants: ["original", "display", "thumbnail"],
  takenAt: null,
  camera: null,
  exif: {},
  place: null,
  colours: [],
  vector: { spaceId: 1, embedding: [1, ...new Array<number>(127).fill(0)] },
};
