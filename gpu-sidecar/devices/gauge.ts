import type { GpuReading, GpuSource } from "../../shared/gpu-stats.ts";

/** What reads the graphics cards of a machine. */
export interface Gauge {
  readonly source: GpuSource;
  /** Which library or program; for `none`, why not. */
  readonly note: string;
  /** The newest CUDA that the driver runs, such as 13.0, where that is told. */
  readonly cudaVersion?: string | undefined;
  /** The newest values of each card; throws when they cannot be had now. */
  read(): readonly GpuReading[];
  close(): void;
}

/** A gauge that could not be opened. */
export interface GaugeError {
  readonly error: string;
}
