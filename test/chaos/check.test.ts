/** The check itself: it is silent about a house in order, and names each thing that is not. */
import { expect, test } from "vitest";
import { checkEnded, checkSwept } from "./check.ts";
import type { Facts, ImageFact, JobFact } from "./facts.ts";
import { planRound } from "./plan.ts";
import type { Told } from "./sender.ts";

const ready: ImageFact = {
  id: "image",
  ownerId: "owner",
  tag: "tag",
  state: "ready",
  mediaType: "image/jpeg",
  sizeBytes: 3,
  width: 4,
  height: 5,
  variants: ["original", "display", "thumbnail"],
  errorCode: null,
  errorMessage: null,
  sha256: "hash",
  vectorLengths: [1],
};

const done: JobFact = {
  id: "job",
  imageId: "image",
  state: "done",
  attempts: 2,
  errorCode: null,
  eventSequence: 5,
  events: ["job.queued", "job.started", "job.requeued", "job.started", "job.done"],
  sequences: [1, 2, 3, 4, 5],
};

const objects = ["original", "display", "thumbnail"].map((variant) => ({
  name: `owner/image/${variant}`,
  version: variant,
}));

const facts: Facts = {
  images: [ready],
  jobs: [done],
  objects,
  files: objects.map((object) => object.version),
  endings: {
    jobs: new Map([["job", 1]]),
    images: new Map([["image", 1]]),
    vectors: new Map([["image", 1]]),
  },
};

const failed: Partial<ImageFact> = {
  state: "failed",
  errorCode: "lease_expired",
  errorMessage: "Gone.",
  variants: [],
  sha256: null,
  vectorLengths: [],
};

const told: Told = {
  upload: { ...planRound(1).uploads[0], tag: "tag", way: "form", content: "whole" } as Told["upload"],
  content: {
    bytes: new Uint8Array(3),
    mediaType: "image/jpeg",
    width: 4,
    height: 5,
    sha256: "hash",
  },
  accepted: { image: { id: "image" } } as NonNullable<Told["accepted"]>,
  isGone: false,
  problems: [],
};

const withImage = (change: Partial<ImageFact>): Facts => ({ ...facts, images: [{ ...ready, ...change }] });
const withJob = (change: Partial<JobFact>): Facts => ({ ...facts, jobs: [{ ...done, ...change }] });
const { accepted: _accepted, ...notAccepted } = told;

test("a house in order is met with silence", () => {
  expect([...checkEnded(facts, [told]), ...checkSwept(facts)]).toEqual([]);
});

const cases: [what: string, facts: Facts, told: Told, problem: RegExp][] = [
  ["an accepted picture that is lost", { ...facts, images: [] }, told, /was accepted and is lost/],
  [
    "an accepted picture under another id",
    { ...facts, images: [{ ...ready, id: "other" }] },
    told,
    /is lost/,
  ],
  [
    "a picture that is there twice",
    { ...facts, images: [ready, { ...ready, id: "2" }] },
    told,
    /there 2 times/,
  ],
  [
    "an accepted picture without an end",
    withImage({ state: "processing" }),
    told,
    /accepted and is processing/,
  ],
  ["an accepted picture that is awaited", withImage({ state: "uploading" }), told, /accepted and is upload/],
  ["a deleted picture that is there", facts, { ...told, isGone: true }, /was deleted and is ready/],
  ["a refused picture that is ready", facts, { ...notAccepted, refusedWith: "conflict" }, /refused with/],
  ["another size than was sent", withImage({ width: 5 }), told, /is not as it was sent/],
  ["another content than was sent", withImage({ sha256: "other" }), told, /its hash is another's/],
  ["a whole picture that is called broken", withImage({ ...failed, errorCode: "x" }), told, /failed with x/],
  ["a failure without a reason", withImage({ ...failed, errorMessage: null }), told, /gives no reason/],
  ["a failure with a vector", withImage({ ...failed, vectorLengths: [1] }), told, /has a vector/],
  ["a failure whose job is done", withImage(failed), told, /job .* its picture is failed/],
  ["a ready picture whose job failed", withJob({ state: "failed" }), told, /its picture is ready/],
  ["two vectors", withImage({ vectorLengths: [1, 1] }), told, /has 2 vectors/],
  ["no vector", withImage({ vectorLengths: [] }), told, /has 0 vectors/],
  ["a vector that is too long", withImage({ vectorLengths: [1.01] }), told, /no unit vector/],
  ["a derivative that is missing", { ...facts, objects: objects.slice(0, 2) }, told, /has no thumbnail/],
  ["a picture without a job", { ...facts, jobs: [] }, told, /has 0 jobs/],
  ["a picture with two jobs", { ...facts, jobs: [done, { ...done, id: "2" }] }, told, /has 2 jobs/],
  ["a job without an end", withJob({ state: "running" }), told, /did not end/],
  ["events with a hole", withJob({ sequences: [1, 2, 4, 5, 6] }), told, /its events have holes/],
  [
    "an end that nobody worked for",
    withJob({ events: ["job.queued", "job.done"] }),
    told,
    /job.done follows job.queued/,
  ],
  ["an attempt that is not counted", withJob({ attempts: 1 }), told, /1 attempts, 2 starts/],
  [
    "a job that ended twice",
    { ...facts, endings: { ...facts.endings, jobs: new Map([["job", 2]]) } },
    told,
    /job .* ended 2 times/,
  ],
  [
    "a picture that landed twice",
    { ...facts, endings: { ...facts.endings, vectors: new Map([["image", 2]]) } },
    told,
    /its vector was written 2 times/,
  ],
  ["what the client ran into", facts, { ...told, problems: ["500"] }, /500/],
];

test.each(cases)("%s is noticed", (_, changed, changedTold, problem) => {
  expect(checkEnded(changed, [changedTold]).join("\n")).toMatch(problem);
});

const swept: [what: string, facts: Facts, problem: RegExp][] = [
  [
    "an object that no row names",
    { ...facts, objects: [...objects, { name: "owner/gone/original", version: "v" }] },
    /no row names the object owner\/gone\/original/,
  ],
  ["an object that is lost", { ...facts, objects: objects.slice(1) }, /owner\/image\/original is lost/],
  ["a derivative of a failed picture", withImage(failed), /no row names the object owner\/image\/display/],
  ["a file that no object names", { ...facts, files: [...facts.files, "draft"] }, /names the file draft/],
  ["a file that is lost", { ...facts, files: facts.files.slice(1) }, /the file original is lost/],
  ["an upload that waits for ever", withImage({ state: "uploading" }), /is uploading still/],
];

test.each(swept)("after a sweep %s is noticed", (_, changed, problem) => {
  expect(checkSwept(changed).join("\n")).toMatch(problem);
});
