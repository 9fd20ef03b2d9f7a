/** The table under "Transitions" in docs/job-lifecycle.md is what the functions do and all that the database lets pass. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { violatedConstraint } from "../../../shared/database.ts";
import { JobState } from "../../../shared/jobs/contract.ts";
import { complete, type JobsDatabase, openJobsDatabase, paint, paintKind, release } from "./setup.ts";

let jobs: JobsDatabase;
beforeAll(async () => {
  jobs = await openJobsDatabase();
});
afterAll(() => jobs[Symbol.asyncDispose]());
beforeEach(() => jobs.clear());

interface Transition {
  readonly from: JobState;
  readonly to: JobState;
  /** The functions that lead there. */
  readonly by: readonly string[];
  readonly event: string;
}

/** "`a`, `b`: when; `c`: when" names a, b and c; what stands after a colon is no name. */
const namesOf = (by: string) =>
  by
    .split(";")
    .flatMap((part) => [...(part.split(":")[0] ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name ?? ""));

function readTransitions(): Transition[] {
  const page = readFileSync(new URL("../../../docs/job-lifecycle.md", import.meta.url), "utf8");
  const section = page.split(/^## /m).find((part) => part.startsWith("Transitions\n")) ?? "";
  const [table = ""] = /^\| from .*(\n\|.*)*/m.exec(section) ?? [];
  return table
    .split("\n")
    .slice(2)
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .map(([, from, to, by = "", event = ""]) => ({
      from: JobState.parse(from),
      to: JobState.parse(to),
      by: namesOf(by),
      event: event.replaceAll("`", ""),
    }));
}

const transitions = readTransitions();
const isOnThePage = (from: JobState, to: JobState) =>
  transitions.some((transition) => transition.from === from && transition.to === to);
const hasEnded = (state: JobState) => ["done", "failed", "cancelled"].includes(state);

async function cancel(id: string): Promise<void> {
  await jobs.sql`select parlance.cancel_job(${id})`;
}
const fail = (job: { id: string; claim: number }, retryable: boolean) =>
  jobs.sidecar`select parlance.fail_job(${job.id}, ${job.claim}, 'unavailable', 'x', ${retryable})`;
const expire = () => jobs.sidecar`select parlance.expire_jobs(10)`;

/** Makes a job and answers its id. */
const make: Record<JobState, () => Promise<string>> = {
  queued: () => jobs.add(),
  running: async () => (await jobs.claimNew()).id,
  done: async () => {
    const job = await jobs.claimNew();
    await complete(jobs.sidecar, job, { colour: "red" });
    return job.id;
  },
  failed: async () => {
    const job = await jobs.claimNew();
    await fail(job, false);
    return job.id;
  },
  cancelled: async () => {
    const id = await jobs.add();
    await cancel(id);
    return id;
  },
};

async function claimAndCancel(leaseSeconds = 30) {
  const job = await jobs.claimNew({}, paint, leaseSeconds);
  await cancel(job.id);
  return job;
}

/** Each transition by each of its functions; answers the job's id. */
const walks: Record<string, () => Promise<string>> = {
  "queued running claim_jobs": async () => (await jobs.claimNew()).id,
  "queued cancelled cancel_job": make.cancelled,
  "queued failed expire_jobs": async () => {
    const id = await jobs.add({}, paintKind({ deadlineMs: 60_000 }));
    await jobs.sql`update parlance.jobs set deadline_at = now() - interval '1 second' where id = ${id}`;
    await expire();
    return id;
  },
  "running done complete_jobs": make.done,
  "running queued fail_job": async () => {
    const job = await jobs.claimNew();
    await fail(job, true);
    return job.id;
  },
  "running queued expire_jobs": async () => {
    const job = await jobs.claimNew({}, paint, 0);
    await expire();
    return job.id;
  },
  "running queued release_jobs": async () => {
    const job = await jobs.claimNew();
    await release(jobs.sidecar, job);
    return job.id;
  },
  "running failed fail_job": make.failed,
  "running failed expire_jobs": async () => {
    const job = await jobs.claimNew({}, paintKind({ attemptsMax: 1 }), 0);
    await expire();
    return job.id;
  },
  "running cancelled fail_job": async () => {
    const job = await claimAndCancel();
    await fail(job, true);
    return job.id;
  },
  "running cancelled expire_jobs": async () => {
    const job = await claimAndCancel(0);
    await expire();
    return job.id;
  },
  "running cancelled release_jobs": async () => {
    const job = await claimAndCancel();
    await release(jobs.sidecar, job);
    return job.id;
  },
  "failed queued retry_job": async () => {
    const id = await make.failed();
    await jobs.sql`select parlance.retry_job(${id})`;
    return id;
  },
};

describe("the page", () => {
  const named = transitions.flatMap(({ from, to, by, event }) =>
    by.map((name) => ({ walk: `${from} ${to} ${name}`, from, to, event })),
  );

  test("names the transitions that the functions make, and no others", () => {
    expect(named.map(({ walk }) => walk).sort()).toEqual(Object.keys(walks).sort());
  });

  test.each(named)("is right about $walk", async ({ walk, from, to, event }) => {
    const id = (await walks[walk]?.()) ?? "";
    expect((await jobs.find(id)).state).toBe(to);
    const told = (await jobs.events(id)).filter((one) => one.event !== "job.cancelling");
    expect(told.at(-1)).toMatchObject({ event, state: to });
    expect(told.at(-2)?.state).toBe(from);
  });
});

/** What a row needs beside its state, so that no other constraint speaks first. */
const unclaimed = "claim = null, claimed_by = null, lease_expires_at = null";
const columns: Record<JobState, string> = {
  queued: `${unclaimed}, finished_at = null`,
  running: `claim = nextval('parlance.job_claims'), claimed_by = gen_random_uuid(),
    lease_expires_at = now() + interval '1 minute', finished_at = null`,
  done: `${unclaimed}, finished_at = clock_timestamp()`,
  failed: `${unclaimed}, finished_at = clock_timestamp(), error_code = 'x', error_message = 'x'`,
  cancelled: `${unclaimed}, finished_at = clock_timestamp()`,
};

/** Changes a job by hand, as the owner of the tables; answers the constraint that refused it. */
async function change(id: string, assignments: string): Promise<string | undefined> {
  return jobs.sql.unsafe(`update parlance.jobs set ${assignments} where id = '${id}'`).then(
    () => undefined,
    (error) => violatedConstraint(error) ?? String(error),
  );
}

const pairs = JobState.options.flatMap((from) => JobState.options.map((to) => ({ from, to })));

describe("the owner of the tables", () => {
  test.each(pairs.filter(({ from, to }) => from !== to))(
    "moves $from to $to only if the page says so",
    async ({ from, to }) => {
      const id = await make[from]();
      const before = await jobs.find(id);
      const refusal = await change(
        id,
        `state = '${to}', ${columns[to]}, event_sequence = event_sequence + 1`,
      );
      if (isOnThePage(from, to)) {
        expect(refusal).toBeUndefined();
        expect((await jobs.find(id)).state).toBe(to);
        return;
      }
      expect(refusal).toBe(hasEnded(from) ? "ended_stays_ended" : "states_follow_the_page");
      expect(await jobs.find(id)).toEqual({ ...before, waitSeconds: expect.any(Number) });
    },
  );

  test.each(transitions)(
    "moves $from to $to with the next event and no other number",
    async ({ from, to }) => {
      const id = await make[from]();
      for (const step of [0, 2, -1]) {
        const refusal = await change(
          id,
          `state = '${to}', ${columns[to]}, event_sequence = event_sequence + ${step}`,
        );
        expect([step, refusal]).toEqual([
          step,
          hasEnded(from) ? "ended_stays_ended" : "states_follow_the_page",
        ]);
      }
      expect((await jobs.find(id)).state).toBe(from);
    },
  );

  test.each(JobState.options)(
    "begins a job as queued with its first event, not as %s with another",
    async (state) => {
      const names =
        state === "queued"
          ? ""
          : ", claim, claimed_by, lease_expires_at, finished_at, error_code, error_message";
      const values = {
        queued: "",
        running: ", 1, gen_random_uuid(), now(), null, null, null",
        done: ", null, null, null, now(), null, null",
        failed: ", null, null, null, now(), 'x', 'x'",
        cancelled: ", null, null, null, now(), null, null",
      }[state];
      const insert = (sequence: number) =>
        jobs.sql
          .unsafe(`
          insert into parlance.jobs (id, kind, lane, payload, attempts_max, state, event_sequence ${names})
          values (gen_random_uuid(), 'test.paint-wall', 'bulk', '{}', 1, '${state}', ${sequence} ${values})
        `)
          .then(
            () => undefined,
            (error) => violatedConstraint(error) ?? String(error),
          );
      expect(await insert(1)).toBe(state === "queued" ? undefined : "jobs_begin_queued");
      expect(await insert(2)).toBe("jobs_begin_queued");
    },
  );
});

describe("an ended job", () => {
  const others: Record<string, string> = {
    uuid: "gen_random_uuid()",
    text: "'other.than-before'",
    jsonb: `'{"other": true}'`,
    integer: "77",
    bigint: "77",
    "double precision": "77",
    xid8: "'77'",
    "timestamp with time zone": "now() - interval '77 days'",
    "parlance.job_lane": "'interactive'",
  };

  test.each(["done", "failed", "cancelled"] as const)(
    "that is %s keeps each of its columns",
    async (state) => {
      const id = await make[state]();
      const named = await jobs.sql<{ name: string; type: string }[]>`
      select attname::text as name, format_type(atttypid, null) as type
      from pg_attribute
      where attrelid = 'parlance.jobs'::regclass and attnum > 0 and not attisdropped
    `;
      const changeable = named.filter(({ name }) => !["state", "events_pruned_to"].includes(name));
      expect(changeable.length).toBeGreaterThan(30);
      const before = await jobs.find(id);
      for (const { name, type } of changeable) {
        expect([name, await change(id, `${name} = ${others[type]}`)]).toEqual([name, "ended_stays_ended"]);
      }
      expect(await jobs.find(id)).toEqual({ ...before, waitSeconds: expect.any(Number) });
    },
  );

  test("may lose its old events, and nothing else with them", async () => {
    const id = await make.done();
    expect(await change(id, "events_pruned_to = 2")).toBeUndefined();
    expect((await jobs.find(id)).eventsPrunedTo).toBe(2);
    expect(await change(id, "events_pruned_to = 3, error_code = 'x'")).toBe("ended_stays_ended");
    expect(await change(id, "attempts = attempts")).toBeUndefined();
  });
});
