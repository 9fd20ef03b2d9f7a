import { readFileSync } from "node:fs";
import onnxruntime from "onnxruntime-node/package.json" with { type: "json" };
import sharp from "sharp";

const parlance: { version: string } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
);

/** What a worker runs on, for the eyes of an operator. */
export const versions: Readonly<Record<string, string>> = {
  parlance: parlance.version,
  bun: process.versions.bun ?? "none",
  onnxruntime: onnxruntime.version,
  sharp: sharp.versions.sharp ?? "unknown",
  libvips: sharp.versions.vips,
};
