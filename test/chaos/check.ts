/**
 * What must be true when a round is over, as a list of what is not. `checkEnded` looks at pictures and jobs,
 * `checkSwept` at what is left in storage after a sweep that finds everything old enough.
 */
import type { Facts, ImageFact, JobFact } from "./facts.ts";
import type { Told } from "./sender.ts";

const variants = ["original", "display", "thumbnail"] as const;

/** With these a whole picture may fail: it was in the hands of too many that died. */
const tooManyDeaths = ["lease_expired", "upstream_failed", "deadline_exceeded", "unavailable"];

export function checkEnded(facts: Facts, tolds: readonly Told[]): string[] {
  return [
    ...tolds.flatMap((told) => checkUpload(facts, told)),
    ...facts.images.flatMap((image) => checkImage(facts, image)),
    ...facts.jobs.flatMap((job) => checkJob(facts, job)),
  ];
}

/** What the client was told is so. */
function checkUpload({ images }: Facts, told: Told): string[] {
  const { upload, accepted, refusedWith, isGone, problems, content } = told;
  const rows = images.filter((image) => image.tag === upload.tag);
  const [image] = rows;
  const say = (problem: string) => `${upload.tag} (${upload.way}, ${upload.content}): ${problem}`;
  const found = problems.map(say);
  if (rows.length > 1) found.push(say(`is there ${rows.length} times`));
  if (isGone && image) found.push(say(`was deleted and is ${image.state}`));
  if (accepted && !isGone && image?.id !== accepted.image.id) found.push(say("was accepted and is lost"));
  if (accepted && image && !["ready", "failed"].includes(image.state)) {
    found.push(say(`was accepted and is ${image.state}`));
  }
  if (refusedWith !== undefined && image && image.state !== "failed") {
    found.push(say(`was refused with ${refusedWith} and is ${image.state}`));
  }
  if (refusedWith !== undefined && !mayBeRefused(told)) found.push(say(`was refused with ${refusedWith}`));
  if (image?.state === "ready") found.push(...checkContent(image, told).map(say));
  if (image?.state === "failed" && image.mediaType !== null)
    found.push(...checkFailure(image, told).map(say));
  if (image?.state === "ready" && image.sha256 !== content.sha256) found.push(say("its hash is another's"));
  return found;
}

function mayBeRefused({ upload, refusedWith }: Told): boolean {
  if (upload.content === "text") return ["unsupported_media_type", "conflict"].includes(refusedWith ?? "");
  return false;
}

function checkContent(image: ImageFact, { upload, content }: Told): string[] {
  if (upload.content !== "whole") return ["is ready"];
  const isAsSent =
    image.width === content.width &&
    image.height === content.height &&
    image.mediaType === content.mediaType &&
    image.sizeBytes === content.bytes.length;
  return isAsSent ? [] : [`is not as it was sent: ${JSON.stringify(image)}`];
}

/** A picture that was accepted and failed. */
function checkFailure(image: ImageFact, { upload }: Told): string[] {
  const expected = upload.content === "truncated" ? ["image_undecodable", ...tooManyDeaths] : tooManyDeaths;
  return expected.includes(image.errorCode ?? "") ? [] : [`failed with ${image.errorCode}`];
}

/** Each picture in itself. */
function checkImage({ jobs, objects, endings }: Facts, image: ImageFact): string[] {
  const say = (problem: string) => `picture ${image.tag} (${image.state}): ${problem}`;
  const found: string[] = [];
  const isOver = image.state === "ready" || image.state === "failed";
  const endingsCount = endings.images.get(image.id) ?? 0;
  const vectorsWritten = endings.vectors.get(image.id) ?? 0;
  if (image.state === "processing") found.push(say("did not end"));
  if (isOver && endingsCount !== 1) found.push(say(`ended ${endingsCount} times`));
  if (image.state === "ready") {
    const missing = variants.filter((variant) => !hasObject(objects, image, variant));
    if (missing.length > 0) found.push(say(`has no ${missing.join(", ")}`));
    if (variants.some((variant) => !image.variants.includes(variant))) found.push(say("lacks a variant"));
    if (image.vectorLengths.length !== 1) found.push(say(`has ${image.vectorLengths.length} vectors`));
    if (image.vectorLengths.some((length) => Math.abs(length - 1) > 1e-5)) found.push(say("no unit vector"));
    if (vectorsWritten !== 1) found.push(say(`its vector was written ${vectorsWritten} times`));
  } else {
    if (image.vectorLengths.length > 0 || vectorsWritten > 0) found.push(say("has a vector"));
    if (image.sha256 !== null) found.push(say("has an origin"));
  }
  if (image.state === "failed" && !(image.errorCode && image.errorMessage))
    found.push(say("gives no reason"));
  const own = jobs.filter((job) => job.imageId === image.id);
  const wasAccepted = image.mediaType !== null;
  if (own.length !== (wasAccepted ? 1 : 0)) found.push(say(`has ${own.length} jobs`));
  return found;
}

function hasObject(objects: Facts["objects"], image: ImageFact, variant: string): boolean {
  return objects.some((object) => object.name === pathOf(image, variant));
}

const pathOf = (image: ImageFact, variant: string) => `${image.ownerId ?? "house"}/${image.id}/${variant}`;

/** How a job goes on after each event. */
const nextEvents: Readonly<Record<string, readonly string[]>> = {
  "": ["job.queued"],
  "job.queued": ["job.started", "job.cancelled"],
  "job.requeued": ["job.started", "job.cancelled"],
  "job.started": ["job.progressed", "job.cancelling", "job.requeued", "job.done", "job.failed"],
  "job.progressed": [
    "job.progressed",
    "job.cancelling",
    "job.requeued",
    "job.done",
    "job.failed",
    "job.cancelled",
  ],
  "job.cancelling": ["job.progressed", "job.cancelled", "job.done"],
};

/** Each job in itself, and beside its picture. */
function checkJob({ images, endings }: Facts, job: JobFact): string[] {
  const image = images.find(({ id }) => id === job.imageId);
  const say = (problem: string) => `job of ${image?.tag ?? job.imageId} (${job.state}): ${problem}`;
  const found: string[] = [];
  const history = job.events.join(" ");
  const isOver = ["done", "failed", "cancelled"].includes(job.state);
  const endingsCount = endings.jobs.get(job.id) ?? 0;
  if (!isOver) found.push(say(`did not end: ${history}`));
  if (isOver && endingsCount !== 1) found.push(say(`ended ${endingsCount} times`));
  if (job.sequences.some((sequence, index) => sequence !== index + 1))
    found.push(say("its events have holes"));
  if (job.eventSequence !== job.events.length) found.push(say("it counts other events than it has"));
  for (const [index, event] of job.events.entries()) {
    const before = job.events[index - 1] ?? "";
    if (!nextEvents[before]?.includes(event)) found.push(say(`${event} follows ${before}: ${history}`));
  }
  if (isOver && job.events.at(-1) !== `job.${job.state}`)
    found.push(say(`its last event is another: ${history}`));
  const starts = job.events.filter((event) => event === "job.started").length;
  if (starts !== job.attempts) found.push(say(`${job.attempts} attempts, ${starts} starts`));
  const expected = image && { ready: "done", failed: "failed" }[image.state];
  if (image && job.state !== expected) found.push(say(`its picture is ${image.state}`));
  if (image?.state === "failed" && image.errorCode !== job.errorCode) {
    found.push(say(`${job.errorCode}, its picture ${image.errorCode}`));
  }
  return found;
}

/** Storage holds what the rows name, and nothing else; the disk holds what storage names, and nothing else. */
export function checkSwept({ images, objects, files }: Facts): string[] {
  const named = new Set(images.flatMap((image) => listPaths(image)));
  const stored = new Set(objects.map((object) => object.name));
  const versions = new Set(objects.map((object) => object.version));
  return [
    ...images
      .filter((image) => image.state === "uploading")
      .map((image) => `${image.tag} is uploading still`),
    ...[...stored].filter((path) => !named.has(path)).map((path) => `no row names the object ${path}`),
    ...[...named].filter((path) => !stored.has(path)).map((path) => `the object ${path} is lost`),
    ...files.filter((file) => !versions.has(file)).map((file) => `no object names the file ${file}`),
    ...[...versions].filter((file) => !files.includes(file)).map((file) => `the file ${file} is lost`),
  ];
}

/** An upload that was never accepted names nothing, an accepted one its original, a ready one all three. */
function listPaths(image: ImageFact): string[] {
  if (image.state === "ready") return variants.map((variant) => pathOf(image, variant));
  return image.mediaType === null ? [] : [pathOf(image, "original")];
}
