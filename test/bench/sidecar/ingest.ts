import { preparePicture } from "../../../gpu-sidecar/image/prepare.ts";
import { createPictureEmbedder } from "../../../gpu-sidecar/models/batcher.ts";
import { createInference, type Inference } from "../../../gpu-sidecar/models/inference.ts";
import { runWorker } from "../../../gpu-sidecar/worker.ts";
import { createId } from "../../../shared/ids.ts";
import { imagePath } from "../../../shared/images/contract.ts";
import { ingestImage } from "../../../shared/images/kinds.ts";
import type { IngestOutcome } from "../../../shared/images/outcomes.ts";
import { startRunner } from "../../../shared/jobs/runner.ts";
import { jobKinds } from "../../../shared/kinds.ts";
import { createLog } from "../../../shared/log.ts";
import { type Library, openLibrary } from "../../gpu-sidecar/library.ts";
import { cores, type Measured, Meter, measureRate, round, shareOfFreeCores } from "./measure.ts";
import type { BenchModel } from "./model.ts";

export interface IngestRow {
  what: string;
  perSecond: number;
  /** Of this process, for a picture: the sidecar, storage, and PGlite where that is the database. */
  coreMs: number;
  /** What the stages cost together, of all cores and of those that no other process took. */
  shareOfCores: number | null;
  shareOfFreeCores: number | null;
  loopLagP99Ms: number;
  foreignCores: number;
}

export interface IngestOptions {
  readonly model: BenchModel;
  readonly originals: readonly Uint8Array[];
  readonly threads: number;
  readonly slots: number;
  readonly pictures: number;
  readonly seconds: number;
}

/**
 * Pictures of 12 megapixels from the queue to the landing, by a real worker, against its stages alone: what they cost
 * together is the most that the cores could do.
 */
export async function measureIngest(options: IngestOptions): Promise<IngestRow[]> {
  const library = await openLibrary();
  const { model, threads } = options;
  const inference = createInference({ ...model, threads, preload: [model.key] });
  try {
    await inference.ready();
    await useModel(library, model);
    const stages = {
      "decode, derivatives, hashes, pixels": await measurePrepare(options),
      "model alone": await measureModel(inference, options),
      "storage: one out, two in": await measureStorage(library, options),
      "job: claimed, landed": await measureJobs(library, options),
    };
    const whole = await measureWhole(library, inference, options);
    const sumMs = Object.values(stages).reduce((sum, { coreMs }) => sum + coreMs, 0);
    return [
      ...Object.entries(stages).map(([what, measured]) => toRow(what, measured, undefined)),
      toRow("all of it, by a worker", whole, sumMs),
    ];
  } finally {
    await inference.close();
    await library.close();
  }
}

function toRow(what: string, measured: Measured, sumMs: number | undefined): IngestRow {
  return {
    what,
    perSecond: round(measured.perSecond, 1),
    coreMs: round(measured.coreMs, 1),
    shareOfCores: sumMs === undefined ? null : round((measured.perSecond * sumMs) / (1000 * cores)),
    shareOfFreeCores: sumMs === undefined ? null : round(shareOfFreeCores(measured, sumMs)),
    loopLagP99Ms: round(measured.loopLagP99Ms, 1),
    foreignCores: round(measured.foreignCores),
  };
}

/** A space of the model, which searches from now on. */
async function useModel({ house }: Library, { key, catalog }: BenchModel): Promise<void> {
  const { digest, dimensions } = catalog.get(key);
  await house.sql`
    with space as (select parlance.create_embedding_space('bench', ${key}, ${digest}, ${dimensions}) as id)
    select parlance.switch_embedding_space(id) from space
  `;
}

function measurePrepare({ model, originals, seconds }: IngestOptions): Promise<Measured> {
  const { image } = model.catalog.get(model.key);
  let turn = 0;
  const work = () => preparePicture(originals[turn++ % originals.length] ?? new Uint8Array(), image);
  return measureRate({ work, atOnce: 2 * cores }, seconds);
}

async function measureModel(inference: Inference, { model, seconds }: IngestOptions): Promise<Measured> {
  const embedder = createPictureEmbedder(inference);
  const pixels = new Float32Array(3 * model.catalog.get(model.key).image.size ** 2);
  const lane = { work: async () => embedder.embed(model.key, pixels), atOnce: 16 };
  // Once unmeasured, so that the size of the batches is learned.
  await measureRate(lane, seconds / 2);
  return measureRate(lane, seconds);
}

async function measureStorage({ store, house }: Library, options: IngestOptions): Promise<Measured> {
  const { originals, model, seconds } = options;
  const [original = new Uint8Array()] = originals;
  const { display, thumbnail } = await preparePicture(original, model.catalog.get(model.key).image);
  const image = { id: createId(), ownerId: house.alice.id };
  const { signal } = new AbortController();
  await house.deps.objects.put(imagePath(image, "original"), original, "image/jpeg");
  const work = async () => {
    await store.get(imagePath(image, "original"), signal);
    await store.put(imagePath(image, "display"), display, "image/jpeg");
    await store.put(imagePath(image, "thumbnail"), thumbnail, "image/jpeg");
  };
  return measureRate({ work, atOnce: cores }, seconds);
}

/** The protocol of the jobs alone: their work is done at once. */
async function measureJobs(library: Library, { model, slots, pictures }: IngestOptions): Promise<Measured> {
  const { dimensions } = model.catalog.get(model.key);
  const { house } = library;
  const [space] = await house.sql<{ id: number }[]>`
    select id from parlance.embedding_spaces where is_current
  `;
  const outcome: IngestOutcome = {
    mediaType: "image/jpeg",
    sizeBytes: 2_000_000,
    width: 4000,
    height: 3000,
    sha256: "0".repeat(64),
    perceptualHash: "0".repeat(16),
    variants: ["original", "display", "thumbnail"],
    takenAt: null,
    camera: null,
    exif: {},
    place: null,
    colours: ["red"],
    vector: { spaceId: space?.id ?? 0, embedding: unitVector(dimensions) },
  };
  for (let index = 0; index < pictures; index++) await library.send(undefined);
  const endings = createEndings(pictures, slots);
  const sql = house.database.connect({ role: "parlance_sidecar", max: 1 });
  const runner = startRunner({
    sql,
    workerId: createId(),
    tasks: [{ kind: ingestImage, run: async () => outcome }],
    kinds: jobKinds,
    models: () => [model.key],
    slots: { interactive: 1, bulk: slots },
    onEnded: (_job, ending) => endings.end(ending),
  });
  try {
    return await endings.measured;
  } finally {
    await runner.stop();
    await sql.end();
  }
}

async function measureWhole(
  library: Library,
  inference: Inference,
  { originals, model, slots, pictures }: IngestOptions,
): Promise<Measured> {
  for (let index = 0; index < pictures; index++) await library.send(originals[index % originals.length]);
  const endings = createEndings(pictures, slots);
  const sql = library.house.database.connect({ role: "parlance_sidecar", max: 1 });
  const log = createLog((line) => {
    const { ending } = JSON.parse(line) as { ending?: string };
    if (ending) endings.end(ending);
  });
  const worker = await runWorker({
    sql,
    store: library.store,
    inference,
    catalog: model.catalog,
    device: "cpu",
    log,
    slots: { interactive: 1, bulk: slots },
    pixelsMax: 100_000_000,
  });
  try {
    return await endings.measured;
  } finally {
    await worker.stop();
    await sql.end();
  }
}

/** The rate of what ends, without the first ones and those at the end that no longer fill the slots. */
function createEndings(count: number, slots: number) {
  const { promise, resolve, reject } = Promise.withResolvers<Measured>();
  const meter = new Meter();
  let ended = 0;
  return {
    measured: promise,
    end(ending: string) {
      ended += 1;
      if (ending !== "done") reject(new Error(`A job ended as ${ending}.`));
      if (ended > slots && ended <= count - slots) meter.count();
      if (ended === count) resolve(meter.finish());
    },
  };
}

function unitVector(dimensions: number): number[] {
  return Array.from({ length: dimensions }, (_, index) => (index === 0 ? 1 : 0));
}
