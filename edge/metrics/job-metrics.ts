import type { Metric, Sample } from "./exposition.ts";
import type { JobFigures, TimeTotals } from "./job-figures.ts";

/** The queue as metrics. What ended is counted once and for good: it stays when jobs are pruned. */
export function toJobMetrics({ open, ended, times, bounds, deadLetters }: JobFigures): Metric[] {
  return [
    {
      name: "parlance_jobs_open",
      help: "Jobs that wait (queued), wait for their time or their next try (delayed), or run.",
      samples: open.map(({ jobs, ...job }) => ({ labels: labelsOf(job), value: jobs })),
    },
    {
      name: "parlance_job_oldest_seconds",
      help: "How long the oldest job has waited since it was due, or run since it was claimed.",
      samples: open.flatMap(({ oldestSeconds, ...job }) =>
        oldestSeconds === null ? [] : [{ labels: labelsOf(job), value: oldestSeconds }],
      ),
    },
    {
      name: "parlance_jobs_ended_total",
      type: "counter",
      help: "Jobs that ended; one that failed and was retried, each time.",
      samples: ended.map(({ jobs, ...job }) => ({ labels: labelsOf(job), value: jobs })),
    },
    {
      name: "parlance_job_lease_losses_total",
      type: "counter",
      help: "How often a worker stopped answering while it ran a job that has ended since.",
      samples: ended.map(({ leaseLosses, ...job }) => ({ labels: labelsOf(job), value: leaseLosses })),
    },
    {
      name: "parlance_job_wait_seconds",
      type: "histogram",
      help: "From when a job was due to its first claim, of those that ended.",
      samples: times
        .filter(({ measure }) => measure === "wait")
        .flatMap((total) => toHistogram(total, bounds)),
    },
    {
      name: "parlance_job_run_seconds",
      type: "histogram",
      help: "From a job's first claim to its end.",
      samples: times
        .filter(({ measure }) => measure === "run")
        .flatMap((total) => toHistogram(total, bounds)),
    },
    {
      name: "parlance_dead_letters",
      help: "Failed jobs that are kept: retry them, or look why.",
      samples: deadLetters.map(({ kind, jobs }) => ({ labels: { kind }, value: jobs })),
    },
  ];
}

function toHistogram({ kind, lane, upTo, seconds }: TimeTotals, bounds: readonly number[]): Sample[] {
  const labels = { kind, lane };
  return [
    ...upTo.map((value, index) => ({
      suffix: "_bucket",
      labels: { ...labels, le: bounds[index] ?? "+Inf" },
      value,
    })),
    { suffix: "_sum", labels, value: seconds },
    { suffix: "_count", labels, value: upTo.at(-1) ?? 0 },
  ];
}

function labelsOf({ kind, lane, state }: { kind: string; lane: string; state: string }) {
  return { kind, lane, state };
}
