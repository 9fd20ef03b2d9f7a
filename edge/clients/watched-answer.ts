/**
 * An answer that passes through as it came, while somebody looks on. Each piece is handed on before it is looked at, one is taken
 * from the company when the caller asks for one, and nothing is kept here.
 */

export interface Watcher {
  piece(bytes: Uint8Array): void;
  /** Nothing more comes. */
  end(): void;
  /** The bytes stopped coming. */
  fail(error: unknown): void;
  /** The caller takes no more. */
  leave(): void;
}

export function watchAnswer(answer: Response, watcher: Watcher): Response {
  if (!answer.body) {
    watcher.end();
    return answer;
  }
  return withBody(answer, watchStream(answer.body, watcher));
}

function watchStream(body: ReadableStream<Uint8Array>, watcher: Watcher): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            controller.enqueue(value);
            watcher.piece(value);
          } else {
            controller.close();
            watcher.end();
          }
        } catch (error) {
          controller.error(error);
          watcher.fail(error);
        }
      },
      cancel(reason) {
        watcher.leave();
        return reader.cancel(reason);
      },
    },
    // Nothing is taken before it is asked for.
    { highWaterMark: 0 },
  );
}

/** How long the text of an error is waited for, and how much of it is taken. */
const errorLimits = { bytesMax: 64_000, timeoutMs: 10_000 };

/**
 * An answer and the text of its own, read whether the caller reads it or not: SDKs that try again leave the reason unread.
 * For answers that are small.
 */
export function readBeside(answer: Response): { answer: Response; text: Promise<string> } {
  if (!answer.body) return { answer, text: Promise.resolve("") };
  const [theirs, ours] = answer.body.tee();
  return { answer: withBody(answer, theirs), text: readText(ours) };
}

async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const patience = setTimeout(() => void reader.cancel().catch(() => undefined), errorLimits.timeoutMs);
  let text = "";
  try {
    for (let size = 0; size < errorLimits.bytesMax; ) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    // What came until then is told.
  } finally {
    clearTimeout(patience);
    reader.cancel().catch(() => undefined);
  }
  return text;
}

/** The same answer; one that is built has no address of its own. */
function withBody(answer: Response, body: ReadableStream<Uint8Array>): Response {
  const { status, statusText, headers, url, redirected } = answer;
  const copy = new Response(body, { status, statusText, headers });
  return Object.defineProperties(copy, { url: { value: url }, redirected: { value: redirected } });
}
