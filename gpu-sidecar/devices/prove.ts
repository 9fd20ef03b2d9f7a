import { AppError } from "../../shared/errors.ts";
import { palette } from "../models/catalog.ts";
import type { Inference } from "../models/inference.ts";

/** Runs the smallest model: the only proof that device, driver and libraries fit together. */
export async function proveDevice(inference: Inference, device: string): Promise<void> {
  try {
    await inference.embedTexts(palette.card.name, ["red"]);
  } catch (cause) {
    throw new AppError("invalid_request", `No model can be run on ${device}: ${findReason(cause)}`, {
      cause,
    });
  }
}

/** What went wrong at the bottom of it, in one line. */
function findReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return findReason(error.cause);
  return error.message
    .trim()
    .replaceAll(/\s*\n\s*/g, " ")
    .slice(0, 500);
}
