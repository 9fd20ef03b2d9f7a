import { AppError } from "../../../shared/errors.ts";

/** What a model's files, or whoever asks for a model, got wrong; the message is for a person. */
export function refuse(message: string, cause?: unknown): AppError {
  return new AppError("invalid_request", message, { cause });
}
