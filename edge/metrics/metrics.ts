import type { Metric, Sample } from "./exposition.ts";
import type { EndedJobs, ImagesByState, OpenJobs, SpaceFigures, WorkerFigures } from "./store.ts";
import { quantiles } from "./store.ts";

export interface Figures {
  readonly openJobs: readonly OpenJobs[];
  readonly endedJobs: readonly EndedJobs[];
  readonly images: readonly ImagesByState[];
  readonly spaces: readonly SpaceFigures[];
  readonly workers: readonly WorkerFigures[];
}

/** The rows as metrics. What is counted over the last hour bears `window="1h"`: it rises and falls. */
export function toMetrics({ openJobs, endedJobs, images, spaces, workers }: Figures): Metric[] {
  return [
    {
      name: "parlance_jobs_open",
      help: "Jobs that wait or run.",
      samples: openJobs.map(({ jobs, ...job }) => ({ labels: labelsOf(job), value: jobs })),
    },
    {
      name: "parlance_job_oldest_seconds",
      help: "Age of the oldest job that waits or runs.",
      samples: openJobs.map(({ oldestSeconds, ...job }) => ({ labels: labelsOf(job), value: oldestSeconds })),
    },
    {
      name: "parlance_jobs_ended",
      help: "Jobs that ended within the window.",
      samples: endedJobs.map(({ jobs, ...job }) => ({
        labels: { ...labelsOf(job), window: "1h" },
        value: jobs,
      })),
    },
    {
      name: "parlance_job_wait_seconds",
      help: "From when a job was added to its first claim, of those that ended within the window.",
      samples: endedJobs.flatMap((job) => toQuantiles(job, job.waitSeconds)),
    },
    {
      name: "parlance_job_run_seconds",
      help: "From a job's first claim to its end, of those that ended within the window.",
      samples: endedJobs.flatMap((job) => toQuantiles(job, job.runSeconds)),
    },
    {
      name: "parlance_images",
      help: "Pictures by state.",
      samples: images.map((row) => ({ labels: { state: row.state }, value: row.images })),
    },
    {
      name: "parlance_space_vectors",
      help: "Vectors of pictures by embedding space; the current one searches.",
      samples: spaces.map(({ space, model, isCurrent, vectors }) => ({
        labels: { space, model, current: isCurrent },
        value: vectors,
      })),
    },
    {
      name: "parlance_worker_memory_bytes",
      help: "Resident memory of each worker.",
      samples: workers.map((worker) => ({ labels: workerLabels(worker), value: worker.memoryBytes })),
    },
    {
      name: "parlance_worker_models_loaded",
      help: "Models that each worker has in memory.",
      samples: workers.map((worker) => ({ labels: workerLabels(worker), value: worker.loaded })),
    },
    {
      name: "parlance_worker_last_seen_seconds",
      help: "Since each worker last said that it lives; above 20 it counts as gone.",
      samples: workers.map((worker) => ({ labels: workerLabels(worker), value: worker.lastSeenSeconds })),
    },
  ];
}

function labelsOf({ kind, lane, state }: { kind: string; lane: string; state: string }) {
  return { kind, lane, state };
}

function workerLabels({ id, device, provider, state }: WorkerFigures) {
  return { worker: id, device, provider, state };
}

function toQuantiles(job: EndedJobs, seconds: EndedJobs["waitSeconds"]): Sample[] {
  return quantiles.flatMap((quantile, index) => {
    const value = seconds?.[index];
    if (value === null || value === undefined) return [];
    return { labels: { ...labelsOf(job), window: "1h", quantile }, value };
  });
}
