/** Ways to break the queue on purpose, each a line of a real function changed: what the laws are worth is what they see of it. */
import type { Sql } from "postgres";

export interface Mutant {
  readonly name: string;
  /** A function of schema parlance. */
  readonly function: string;
  readonly from: string;
  readonly to: string;
}

const anyClaim = (name: string, from: string): Mutant => ({
  name: `${name} takes any claim`,
  function: name,
  from,
  // Of a job that runs, so that no constraint is in the way.
  to: " and jobs.state = 'running'",
});

/** Without the fence. */
export const unfenced: readonly Mutant[] = [
  anyClaim("complete_jobs", " and jobs.claim = ending.claim"),
  anyClaim("save_job_cursor", " and jobs.claim = save_job_cursor.claim"),
  anyClaim("fail_job", " and jobs.claim = fail_job.claim"),
  anyClaim("release_jobs", " and jobs.claim = wanted.claim"),
  anyClaim("heartbeat_jobs", " and jobs.claim = wanted.claim"),
  anyClaim("report_progress", " and jobs.claim = report_progress.claim"),
];

export const mutants: readonly Mutant[] = [
  ...unfenced,
  {
    name: "expire_jobs takes every claim",
    function: "expire_jobs",
    from: " and jobs.lease_expires_at < public.virtual_now()",
    to: "",
  },
  {
    name: "a checkpoint whose answer was lost is written again",
    function: "save_job_cursor",
    from: "if checkpoints = number then",
    to: "if false then",
  },
  {
    name: "a wish to cancel takes a number and does not keep it",
    function: "cancel_job",
    from: "event_sequence = jobs.event_sequence + 1",
    to: "event_sequence = jobs.event_sequence + 0",
  },
  {
    name: "a wish to cancel is forgotten when the try fails",
    function: "end_tries",
    from: "when jobs.cancel_requested_at is not null then 'cancelled'",
    to: "",
  },
  {
    name: "ended tries do not say what changed them",
    function: "end_tries",
    from: ",\n      changed_in = pg_current_xact_id()",
    to: "",
  },
  {
    name: "progress that is told does not say what changed it",
    function: "report_progress",
    from: "changed_in = case when held.is_due then pg_current_xact_id() else jobs.changed_in end",
    to: "changed_in = jobs.changed_in",
  },
  {
    name: "what is too late begins",
    function: "claim_jobs",
    from: "and (jobs.deadline_at is null or jobs.deadline_at > public.virtual_now())",
    to: "",
  },
  {
    name: "what waits for its time begins at once",
    function: "claim_jobs",
    from: "jobs.run_after <= public.virtual_now()",
    to: "true",
  },
  {
    name: "kinds have no limit of what runs",
    function: "claim_jobs",
    from: ", wanted.room, 1000)",
    to: ", 1000)",
  },
  {
    name: "owners have no limit of what runs",
    function: "claim_jobs",
    from: "and due.fits_owner is not false",
    to: "",
  },
  {
    name: "what lost two workers goes together again",
    function: "claim_jobs",
    from: "and (jobs.lease_losses < 2 or jobs.id = suspect)",
    to: "",
  },
  {
    name: "who came last is first",
    function: "claim_jobs",
    from: "order by jobs.turn, jobs.id",
    to: "order by jobs.turn desc, jobs.id",
  },
  {
    name: "a try is not counted",
    function: "claim_jobs",
    from: "attempts = jobs.attempts + 1",
    to: "attempts = greatest(1, jobs.attempts)",
  },
  {
    name: "a failure that was not counted is forgotten when its job is retried",
    function: "begin_job_life",
    from: "if not pg_visible_in_snapshot(old.changed_in, progress.counted) then",
    to: "if false then",
  },
];

/** Breaks it; answers how to mend it. */
export async function plant(admin: Sql, mutant: Mutant): Promise<() => Promise<unknown>> {
  const [found] = await admin<{ definition: string }[]>`
    select pg_get_functiondef(oid) as definition
    from pg_proc
    where pronamespace = 'parlance'::regnamespace and proname = ${mutant.function}
  `;
  if (!found?.definition.includes(mutant.from)) {
    throw new Error(`${mutant.function} does not say: ${mutant.from}`);
  }
  await admin.unsafe(found.definition.replaceAll(mutant.from, mutant.to));
  return () => admin.unsafe(found.definition);
}
