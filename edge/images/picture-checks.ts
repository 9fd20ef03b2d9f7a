/** What is refused of a picture before anyone looks into it: by its size, and by its first bytes. */
import { AppError } from "../../shared/errors.ts";
import { type ImageMediaType, sniffMediaType } from "../../shared/images/media-types.ts";
import type { JobError } from "../../shared/jobs/contract.ts";
import type { Deps } from "../deps.ts";

export interface Refusal extends JobError {
  code: "invalid_request" | "payload_too_large" | "unsupported_media_type";
}

export const notAPicture: Refusal = {
  code: "unsupported_media_type",
  message: "The content is none of jpeg, png, webp, avif, gif, tiff and heic.",
};

export function tooLarge({ config }: Pick<Deps, "config">): Refusal {
  return {
    code: "payload_too_large",
    message: `A picture may have ${config.uploadBytesMax} bytes at most.`,
  };
}

export function checkSize(deps: Pick<Deps, "config">, sizeBytes: number, field: string): void {
  if (sizeBytes === 0) {
    const fields = [{ field, message: "must hold at least one byte" }];
    throw new AppError("invalid_request", "The file is empty.", { fields });
  }
  const { code, message } = tooLarge(deps);
  if (sizeBytes > deps.config.uploadBytesMax)
    throw new AppError(code, message, { fields: [{ field, message }] });
}

export function checkMediaType(start: Uint8Array): ImageMediaType {
  const mediaType = sniffMediaType(start);
  if (!mediaType) throw new AppError(notAPicture.code, notAPicture.message);
  return mediaType;
}
