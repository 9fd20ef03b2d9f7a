import { gzipSync } from "node:zlib";
import { Hono } from "hono";
import { afterEach, expect, test, vi } from "vitest";
import { inflateBody } from "../../../edge/http/inflate.ts";
import type { AppEnv } from "../../../edge/http/router.ts";
import { AppError } from "../../../shared/errors.ts";

afterEach(() => vi.unstubAllGlobals());

/** What a decompressor is given, by its parts: some inflate a whole part before anything of it can be read. */
function watchParts(): number[] {
  const parts: number[] = [];
  const Real = DecompressionStream;
  class Watched {
    readonly readable: ReadableStream;
    readonly writable: WritableStream;
    constructor(format: "gzip") {
      const watch = new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
        transform: (part, controller) => {
          parts.push(part.byteLength);
          controller.enqueue(new Uint8Array(part));
        },
      });
      this.writable = watch.writable;
      this.readable = watch.readable.pipeThrough(new Real(format));
    }
  }
  vi.stubGlobal("DecompressionStream", Watched);
  return parts;
}

async function send(bytes: Uint8Array, bytesMax: number): Promise<string> {
  const app = new Hono<AppEnv>();
  app.post("/", inflateBody(bytesMax), async (c) => c.text(await c.req.text()));
  app.onError((error, c) => c.text(error instanceof AppError ? error.code : String(error)));
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(bytes));
      controller.close();
    },
  });
  const headers = { "content-encoding": "gzip" };
  const answer = await app.request("/", { method: "POST", body, headers, duplex: "half" } as RequestInit);
  return answer.text();
}

test("a body is inflated little by little, and no further than it may", async () => {
  const parts = watchParts();
  const bomb = gzipSync(new Uint8Array(256 * 2 ** 20), { level: 1 });
  expect(await send(bomb, 2 ** 20)).toBe("payload_too_large");
  expect(Math.max(...parts)).toBeLessThanOrEqual(16 * 1024);
  expect(parts.length).toBeLessThan(10);
});

test("a body of many slices is what it was before", async () => {
  const text = Array.from({ length: 200_000 }, (_, index) => Math.imul(index, 2_654_435_761)).join(" ");
  const bytes = gzipSync(text);
  expect(bytes.length).toBeGreaterThan(100_000);
  expect(await send(bytes, 10 ** 7)).toBe(text);
});
