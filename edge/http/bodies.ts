import type { Context, MiddlewareHandler } from "hono";
import { AppError } from "../../shared/errors.ts";
import type { EdgeConfig } from "../config.ts";
import type { Bytes } from "./bytes.ts";
import type { AppEnv } from "./router.ts";

type Limits = Pick<EdgeConfig, "bodyBytesMax" | "uploadBytesMax" | "logBytesMax">;

/** Where programs send many texts at once. */
const logPathPattern = /\/(?:interactions|otlp\/v1\/traces)$/;

/**
 * Refuses a body above its limit before it is kept whole: by its declared length at once, else while it streams in.
 * A form may be as large as an upload with its other fields, the log of interactions takes many texts at once; everything
 * else may be as large as JSON may be.
 */
export function limitBody(limits: Limits): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const bytesMax = bodyLimitOf(c, limits);
    const declared = c.req.header("content-length");
    if (declared !== undefined && !(Number(declared) <= bytesMax)) throw tooLarge(bytesMax);
    // The server holds a body to the length that it declares, so a large form need not be kept twice.
    const isCounted = declared !== undefined && isForm(c);
    if (c.req.raw.body && !isCounted) replaceBody(c, await readBody(c, keptBytesMax(c, bytesMax, limits)));
    await next();
  };
}

/** The whole body, which stays readable for whoever comes after. Never more than the limit of its kind. */
export async function keepBody(c: Context<AppEnv>, limits: Limits): Promise<Bytes> {
  if (!c.req.raw.body) return new Uint8Array(0);
  const bytes = await readBody(c, bodyLimitOf(c, limits));
  replaceBody(c, bytes);
  return bytes;
}

function isForm(c: Context<AppEnv>): boolean {
  return /^multipart\/form-data\b/i.test(c.req.header("content-type") ?? "");
}

function bodyLimitOf(c: Context<AppEnv>, limits: Limits): number {
  if (isForm(c)) return limits.uploadBytesMax + limits.bodyBytesMax;
  return logPathPattern.test(c.req.path) ? limits.logBytesMax : limits.bodyBytesMax;
}

/** Who is not signed in may not upload: there is no reason to keep that much for them. */
function keptBytesMax(c: Context<AppEnv>, bytesMax: number, limits: Limits): number {
  const { kind } = c.var.identity;
  return kind === "user" || kind === "secret" ? bytesMax : Math.min(bytesMax, limits.bodyBytesMax);
}

function tooLarge(bytesMax: number): AppError {
  return new AppError("payload_too_large", `The body is larger than ${bytesMax} bytes.`);
}

function replaceBody(c: Context<AppEnv>, body: Bytes): void {
  c.req.raw = new Request(c.req.raw, { body });
}

async function readBody(c: Context<AppEnv>, bytesMax: number): Promise<Bytes> {
  const reader = (c.req.raw.body as ReadableStream<Uint8Array>).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch(stopReading);
    if (done) return join(parts, length);
    length += value.length;
    if (length > bytesMax) {
      await reader.cancel().catch(() => {});
      throw tooLarge(bytesMax);
    }
    parts.push(value);
  }
}

/** The caller went away, or sent what is no HTTP. */
function stopReading(cause: unknown): never {
  throw new AppError("invalid_request", "The body broke off.", { cause });
}

function join(parts: readonly Uint8Array[], length: number): Bytes {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
