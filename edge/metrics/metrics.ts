import type { Metric, Sample } from "./exposition.ts";
import type {
  EndedJobs,
  GpuFigures,
  ImagesByState,
  OpenJobs,
  RecallFigures,
  SlotFigures,
  SpaceFigures,
  WorkerFigures,
} from "./store.ts";
import { quantiles } from "./store.ts";

export interface Figures {
  readonly openJobs: readonly OpenJobs[];
  readonly endedJobs: readonly EndedJobs[];
  readonly images: readonly ImagesByState[];
  readonly spaces: readonly SpaceFigures[];
  readonly workers: readonly WorkerFigures[];
  readonly gpus: readonly GpuFigures[];
  readonly slots: readonly SlotFigures[];
  readonly recall: readonly RecallFigures[];
}

/** The rows as metrics. What is counted over the last hour bears `window="1h"`: it rises and falls. */
export function toMetrics(figures: Figures): Metric[] {
  return [...jobMetrics(figures), ...libraryMetrics(figures), ...machineMetrics(figures)];
}

function jobMetrics({ openJobs, endedJobs }: Figures): Metric[] {
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
  ];
}

function libraryMetrics({ images, spaces, recall }: Figures): Metric[] {
  return [
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
      name: "parlance_search_recall_at_10",
      help: "Share of the ten nearest pictures that searches found, of those asked again exactly within the window.",
      samples: recall.map((row) => ({ labels: recallLabels(row), value: row.recall })),
    },
    {
      name: "parlance_search_recall_at_10_worst",
      help: "The least of these shares.",
      samples: recall.map((row) => ({ labels: recallLabels(row), value: row.worst })),
    },
    {
      name: "parlance_search_recall_searches",
      help: "Searches that were asked again exactly within the window.",
      samples: recall.map((row) => ({ labels: recallLabels(row), value: row.searches })),
    },
  ];
}

function machineMetrics({ workers, gpus, slots }: Figures): Metric[] {
  return [
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
    {
      name: "parlance_sidecar_processes",
      help: "Processes of the sidecars by state; crash-looping ones need a look.",
      samples: slots.map(({ host, state, slots: value }) => ({ labels: { host, state }, value })),
    },
    gpuMetric(gpus, "parlance_gpu_memory_total_bytes", "Memory of each graphics card.", "memoryTotalBytes"),
    gpuMetric(gpus, "parlance_gpu_memory_used_bytes", "Memory in use, by whomever.", "memoryUsedBytes"),
    gpuMetric(gpus, "parlance_gpu_use_percent", "Share of the time in which a card computes.", "gpuPercent"),
    gpuMetric(gpus, "parlance_gpu_temperature_celsius", "Temperature of each card.", "temperatureCelsius"),
    gpuMetric(gpus, "parlance_gpu_power_watts", "Power that each card draws.", "powerWatts"),
  ];
}

/** What a driver does not tell is left out. */
function gpuMetric(
  gpus: readonly GpuFigures[],
  name: string,
  help: string,
  field: "memoryTotalBytes" | "memoryUsedBytes" | "gpuPercent" | "temperatureCelsius" | "powerWatts",
): Metric {
  // Containers of one host may each call their own card 0; the uuid tells them apart.
  const samples = gpus.flatMap(({ host, index, uuid, name: card, [field]: value }) =>
    value === null ? [] : [{ labels: { host, gpu: index, uuid, name: card }, value }],
  );
  return { name, help, samples };
}

function recallLabels({ space, filterClass, path }: RecallFigures) {
  return { space, filter_class: filterClass, path, window: "1d" };
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
