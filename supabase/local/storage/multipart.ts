import { storageErrors } from "./errors.ts";

/**
 * Reads multipart/form-data (RFC 7578) as it arrives, up to the first file, whose bytes are then a stream. Written
 * because Bun's own parser holds the whole body and drops parts with an empty name, which is the name that storage-js
 * gives to its file. What is searched for is always CRLF, two dashes and the boundary; the bytes that could be the
 * beginning of it are held back.
 */
export interface Multipart {
  /** The fields that came before the file. */
  readonly fields: ReadonlyMap<string, string>;
  readonly file: { readonly mimeType: string; readonly chunks: AsyncIterable<Uint8Array> } | undefined;
}

const headerBytesMax = 16 * 1024;
const fieldBytesMax = 1024 * 1024;
const fieldsMax = 20;

export async function openMultipart(
  chunks: AsyncIterable<Uint8Array>,
  contentType: string,
): Promise<Multipart> {
  const delimiter = Buffer.from(`\r\n--${findBoundary(contentType)}`);
  const input = createInput(chunks);
  const fields = new Map<string, string>();
  await collect(readUntil(input, delimiter), headerBytesMax);
  for (let count = 0; count <= fieldsMax; count++) {
    const headers = await readPartHeaders(input);
    if (!headers) return { fields, file: undefined };
    if (headers.isFile) {
      return { fields, file: { mimeType: headers.mimeType, chunks: readUntil(input, delimiter) } };
    }
    const value = await collect(readUntil(input, delimiter), fieldBytesMax);
    if (!fields.has(headers.name)) fields.set(headers.name, value.toString());
  }
  throw storageErrors.invalidRequest(`A form has at most ${fieldsMax} fields before its file`);
}

function findBoundary(contentType: string): string {
  const match = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (!boundary) throw storageErrors.invalidRequest("The form has no boundary");
  return boundary;
}

/** Bytes that have arrived and are not yet read. */
interface Input {
  buffered: Buffer;
  /** Waits for more; throws at the end of the body, because everything must end with a boundary. */
  more(): Promise<void>;
}

function createInput(chunks: AsyncIterable<Uint8Array>): Input {
  const iterator = chunks[Symbol.asyncIterator]();
  const input: Input = {
    // The first boundary has no line before it; with this one it looks like all the others.
    buffered: Buffer.from("\r\n"),
    async more() {
      const { done, value } = await iterator.next();
      if (done) throw storageErrors.incomplete("The form ended without its last boundary");
      input.buffered = Buffer.concat([input.buffered, value]);
    },
  };
  return input;
}

/** Yields what stands before `mark`, and leaves the input behind it. */
async function* readUntil(input: Input, mark: Buffer): AsyncGenerator<Uint8Array> {
  while (true) {
    const end = input.buffered.indexOf(mark);
    const ready = end >= 0 ? end : input.buffered.byteLength - mark.byteLength + 1;
    if (ready > 0) yield input.buffered.subarray(0, ready);
    input.buffered = input.buffered.subarray(end >= 0 ? end + mark.byteLength : Math.max(ready, 0));
    if (end >= 0) return;
    await input.more();
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limitBytes) throw storageErrors.invalidRequest("A part of the form is too long");
    pieces.push(chunk);
  }
  return Buffer.concat(pieces);
}

interface PartHeaders {
  readonly name: string;
  readonly isFile: boolean;
  readonly mimeType: string;
}

/** What follows a boundary: two dashes at the end of the form, else a line's end and the headers of a part. */
async function readPartHeaders(input: Input): Promise<PartHeaders | undefined> {
  while (input.buffered.byteLength < 2) await input.more();
  if (input.buffered.subarray(0, 2).toString("latin1") === "--") return undefined;
  const text = (await collect(readUntil(input, Buffer.from("\r\n\r\n")), headerBytesMax)).toString();
  const disposition = /^content-disposition:\s*form-data\b(.*)$/im.exec(text)?.[1];
  if (disposition === undefined) throw storageErrors.invalidRequest("A part of the form has no name");
  return {
    name: /;\s*name="([^"\r\n]*)"/i.exec(disposition)?.[1] ?? "",
    isFile: /;\s*filename\*?=/i.test(disposition),
    mimeType: /^content-type:[ \t]*(.+?)[ \t]*\r?$/im.exec(text)?.[1] ?? "application/octet-stream",
  };
}
