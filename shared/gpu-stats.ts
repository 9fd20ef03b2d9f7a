/** Graphics cards and the processes on them, as sidecars report them and as operators read them. */
import { z } from "zod";

/** What read the cards. */
export const GpuSource = z.enum(["nvml", "nvidia-smi", "none"]);
export type GpuSource = z.infer<typeof GpuSource>;

const percent = z.number().min(0).max(100).nullable();

/** What a card does at one moment; null where the driver does not say. */
const values = {
  memoryUsedBytes: z.int().min(0).nullable(),
  gpuPercent: percent.describe("Share of the time in which something computed."),
  memoryPercent: percent.describe("Share of the time in which memory was read or written."),
  temperatureCelsius: z.number().nullable(),
  powerWatts: z.number().min(0).nullable(),
};

/** A card as its sidecar sees it now. */
export const GpuReading = z.object({
  /** Its place on the bus: N of cuda:N. */
  index: z.int().min(0).max(255),
  uuid: z.string().min(1).max(100),
  name: z.string().min(1).max(200),
  driver: z.string().max(100).nullable(),
  memoryTotalBytes: z.int().min(0).nullable(),
  ...values,
});
export type GpuReading = z.infer<typeof GpuReading>;

/** `crash-looping`: it died again and again within a short time; it is still tried, slowly. */
export const SlotState = z.enum(["starting", "running", "waiting", "crash-looping", "ended"]);
export type SlotState = z.infer<typeof SlotState>;

/** One process of a sidecar. */
export const Slot = z.object({
  slot: z.string().describe("Its device, with #2, #3, … where there are several on one."),
  device: z.string(),
  state: SlotState,
  deaths: z.int().min(0).describe("How often it ended without being told to."),
  lastEnd: z.string().nullable().describe("How it ended the last time: a signal or an exit code."),
});
export type Slot = z.infer<typeof Slot>;

/** The processes of one sidecar, and what reads the cards of its machine. */
export const Supervisor = z.object({
  id: z.uuid(),
  host: z.string(),
  gpuSource: GpuSource,
  gpuNote: z.string().describe("Which library or program reads the cards; for `none`, why nothing does."),
  deviceNote: z.string().describe("Why these devices."),
  slots: z.array(Slot),
  startedAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime(),
  isStale: z.boolean(),
});
export type Supervisor = z.infer<typeof Supervisor>;

export const GpuSample = z.object({ at: z.iso.datetime(), ...values });
export type GpuSample = z.infer<typeof GpuSample>;

/** A card with its newest values and how it came there. */
export const GpuDevice = GpuReading.extend({
  host: z.string(),
  lastSeenAt: z.iso.datetime(),
  isStale: z.boolean().describe("Nobody has reported it for a minute."),
  history: z.array(GpuSample).max(120).describe("Oldest first; means over equal spans of time."),
});
export type GpuDevice = z.infer<typeof GpuDevice>;

export const GpuStats = z.object({
  source: GpuSource.describe("`none`: no sidecar that was seen lately finds a graphics card."),
  items: z.array(GpuDevice),
  supervisors: z.array(Supervisor),
});
export type GpuStats = z.infer<typeof GpuStats>;
