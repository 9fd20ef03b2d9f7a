import type { MiddlewareHandler } from "hono";
import { AppError } from "../../shared/errors.ts";
import type { Bytes } from "./bytes.ts";
import type { AppEnv } from "./router.ts";

/**
 * Takes a body that was compressed with gzip (RFC 9110, 8.4): exporters send such. What it becomes may be `bytesMax` long, and is
 * never kept longer, however little was sent.
 */
export function inflateBody(bytesMax: number): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const encoding = c.req.header("content-encoding")?.trim().toLowerCase() ?? "identity";
    if (encoding === "identity" || !c.req.raw.body) return next();
    if (encoding !== "gzip") {
      throw new AppError("unsupported_media_type", "A body may be compressed with gzip, or not at all.");
    }
    const headers = new Headers(c.req.raw.headers);
    headers.delete("content-encoding");
    headers.delete("content-length");
    const body = await inflate(c.req.raw.body, bytesMax);
    c.req.raw = new Request(c.req.url, { method: c.req.method, headers, body });
    await next();
  };
}

/** Little enough that what it inflates to, a thousand times as much, may be held. */
const sliceBytes = 16 * 1024;

/** Deno inflates all that it is given at once before anything can be counted: so it is given little. */
function cutIntoSlices(stream: ReadableStream<Uint8Array>): ReadableStream<Bytes> {
  const reader = stream.getReader();
  let left = new Uint8Array(0);
  return new ReadableStream(
    {
      async pull(controller) {
        while (left.length === 0) {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          left = new Uint8Array(value);
        }
        controller.enqueue(left.subarray(0, sliceBytes));
        left = left.subarray(sliceBytes);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

async function inflate(stream: ReadableStream<Uint8Array>, bytesMax: number): Promise<Blob> {
  const parts: Bytes[] = [];
  let length = 0;
  const reader = cutIntoSlices(stream).pipeThrough(new DecompressionStream("gzip")).getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new AppError("invalid_request", "The body is not what gzip made.", { cause });
    });
    if (done) return new Blob(parts);
    length += value.byteLength;
    if (length > bytesMax) {
      // Not waited for: nothing more is asked of the stream, whatever still stands in it.
      void reader.cancel().catch(() => {});
      throw new AppError(
        "payload_too_large",
        `The body is larger than ${bytesMax} bytes when it is inflated.`,
      );
    }
    parts.push(new Uint8Array(value));
  }
}
