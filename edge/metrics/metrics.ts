import type { Metric } from "./exposition.ts";
import type { JobFigures } from "./job-figures.ts";
import { toJobMetrics } from "./job-metrics.ts";
import type {
  GpuFigures,
  ImagesByState,
  RecallFigures,
  SlotFigures,
  SpaceFigures,
  WorkerFigures,
} from "./store.ts";

export interface Figures {
  readonly jobs: JobFigures;
  readonly images: readonly ImagesByState[];
  readonly spaces: readonly SpaceFigures[];
  readonly workers: readonly WorkerFigures[];
  readonly gpus: readonly GpuFigures[];
  readonly slots: readonly SlotFigures[];
  readonly recall: readonly RecallFigures[];
}

/** The rows as metrics. What is measured over a time bears it as its label `window`: it rises and falls. */
export function toMetrics(figures: Figures): Metric[] {
  return [...toJobMetrics(figures.jobs), ...libraryMetrics(figures), ...machineMetrics(figures)];
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

function workerLabels({ id, device, provider, state }: WorkerFigures) {
  return { worker: id, device, provider, state };
}
