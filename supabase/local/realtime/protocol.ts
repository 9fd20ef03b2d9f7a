import { z } from "zod";

/**
 * The frames of @supabase/realtime-js 2.119, read and written without any I/O. Protocol 2.0.0:
 *
 *   text              [join_ref, ref, topic, event, payload]
 *   3, client ──▶     3 │ joinRef n │ ref n │ topic n │ event n │ meta n │ enc │ joinRef ref topic event meta payload
 *   4, ◀── server     4 │ topic n │ event n │ meta n │ enc │ topic event meta payload
 *
 * Every n is one byte: the length in UTF-8. enc is 1 for JSON and 0 for bytes; meta is empty or a JSON object.
 * Protocol 1.0.0 has text alone, {topic, event, payload, ref, join_ref}, and cannot carry bytes.
 */
export type Version = "1.0.0" | "2.0.0";

export type Encoding = "json" | "binary";

/** A broadcast on its way to subscribers. The payload is never parsed: what was sent is what arrives. */
export interface Broadcast {
  readonly event: string;
  readonly encoding: Encoding;
  readonly payload: Uint8Array;
  /** `id` for what came from the database, `replayed` for what came from its past. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

export interface ClientFrame {
  readonly joinRef: string | null;
  readonly ref: string | null;
  readonly topic: string;
  readonly event: string;
  /** What a text frame carries; a broadcast in binary has it read already. */
  readonly payload: unknown;
  readonly broadcast?: Broadcast;
}

export interface ServerFrame {
  readonly joinRef: string | null;
  readonly ref: string | null;
  readonly topic: string;
  readonly event: string;
  readonly payload: unknown;
}

/** A frame that no client of this protocol sends. */
export class ProtocolError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ProtocolError";
  }
}

const userBroadcastPush = 3;
const userBroadcast = 4;
const lengthMax = 255;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

const Reference = z.string().nullable();
const TextArray = z.tuple([Reference, Reference, z.string(), z.string(), z.unknown()]);
const TextObject = z.object({
  join_ref: Reference.default(null),
  ref: Reference.default(null),
  topic: z.string(),
  event: z.string(),
  payload: z.unknown().optional(),
});
const Metadata = z.record(z.string(), z.unknown());

/** Undefined for a version that nobody speaks here. An absent one means 1.0.0, as on the real server. */
export function parseVersion(vsn: string | null): Version | undefined {
  if (vsn === null) return "1.0.0";
  return vsn === "1.0.0" || vsn === "2.0.0" ? vsn : undefined;
}

/** Throws ProtocolError for what is truncated, malformed, or of a kind that only servers send. */
export function decodeFrame(version: Version, data: string | Uint8Array): ClientFrame {
  if (typeof data === "string") return version === "2.0.0" ? decodeTextArray(data) : decodeTextObject(data);
  if (version === "1.0.0") throw new ProtocolError("Protocol 1.0.0 has no binary frames.");
  return decodeUserBroadcastPush(data);
}

export function encodeFrame(version: Version, frame: ServerFrame): string {
  const { joinRef, ref, topic, event, payload } = frame;
  return version === "2.0.0"
    ? JSON.stringify([joinRef, ref, topic, event, payload])
    : JSON.stringify({ topic, event, payload, ref, join_ref: joinRef });
}

/**
 * A broadcast as `topic` (with its `realtime:`) gets it. Names longer than a binary frame can say go as text, which
 * clients accept as well. Undefined where the version cannot carry bytes.
 */
export function encodeBroadcast(
  version: Version,
  topic: string,
  broadcast: Broadcast,
): string | Uint8Array | undefined {
  const binary = version === "2.0.0" ? encodeUserBroadcast(topic, broadcast) : undefined;
  return binary ?? encodeTextBroadcast(version, topic, broadcast);
}

/** The payload of a broadcast from the JSON value of a text frame or of a request. */
export function encodePayload(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value ?? {}));
}

/** Throws ProtocolError for bytes that are not JSON in UTF-8: every subscriber would fail on them. */
export function checkJson(bytes: Uint8Array): void {
  parseJson(decodeText(bytes));
}

function decodeTextArray(text: string): ClientFrame {
  const value = parseJson(text);
  const found = TextArray.safeParse(Array.isArray(value) ? value.slice(0, 5) : value);
  if (!found.success) throw new ProtocolError("A text frame is [join_ref, ref, topic, event, payload].");
  const [joinRef, ref, topic, event, payload] = found.data;
  return { joinRef, ref, topic, event, payload };
}

function decodeTextObject(text: string): ClientFrame {
  const found = TextObject.safeParse(parseJson(text));
  if (!found.success) throw new ProtocolError("A text frame is {topic, event, payload, ref, join_ref}.");
  const { join_ref: joinRef, ref, topic, event, payload } = found.data;
  return { joinRef, ref, topic, event, payload };
}

function decodeUserBroadcastPush(bytes: Uint8Array): ClientFrame {
  const [kind, joinRefLength, refLength, topicLength, eventLength, metaLength, encoding] = bytes;
  if (kind !== userBroadcastPush) throw new ProtocolError(`A client sends no frame of kind ${kind}.`);
  if (encoding !== 0 && encoding !== 1) throw new ProtocolError("The encoding of a payload is 0 or 1.");
  const reader = { bytes, offset: 7 };
  const joinRef = readText(reader, joinRefLength);
  const ref = readText(reader, refLength);
  const topic = readText(reader, topicLength);
  const event = readText(reader, eventLength);
  const metaText = readText(reader, metaLength);
  const payload = bytes.subarray(reader.offset);
  if (encoding === 1) checkJson(payload);
  return {
    joinRef: joinRef || null,
    ref: ref || null,
    topic,
    event: "broadcast",
    payload: undefined,
    broadcast: {
      event,
      encoding: encoding === 1 ? "json" : "binary",
      payload,
      ...(metaText ? { meta: parseMetadata(metaText) } : {}),
    },
  };
}

function encodeUserBroadcast(topic: string, broadcast: Broadcast): Uint8Array | undefined {
  const names = [topic, broadcast.event, broadcast.meta ? JSON.stringify(broadcast.meta) : ""].map((text) =>
    encoder.encode(text),
  );
  if (names.some((name) => name.length > lengthMax)) return undefined;
  const header = [userBroadcast, ...names.map((name) => name.length), broadcast.encoding === "json" ? 1 : 0];
  const length = names.reduce((sum, name) => sum + name.length, header.length);
  const frame = new Uint8Array(length + broadcast.payload.length);
  frame.set(header);
  let offset = header.length;
  for (const part of [...names, broadcast.payload]) {
    frame.set(part, offset);
    offset += part.length;
  }
  return frame;
}

/** Written around the payload's own text, so that numbers and the order of keys survive. */
function encodeTextBroadcast(version: Version, topic: string, broadcast: Broadcast): string | undefined {
  if (broadcast.encoding === "binary") return undefined;
  const meta = broadcast.meta ? `,"meta":${JSON.stringify(broadcast.meta)}` : "";
  const event = JSON.stringify(broadcast.event);
  const payload = `{"type":"broadcast","event":${event},"payload":${decodeText(broadcast.payload)}${meta}}`;
  return version === "2.0.0"
    ? `[null,null,${JSON.stringify(topic)},"broadcast",${payload}]`
    : `{"topic":${JSON.stringify(topic)},"event":"broadcast","payload":${payload},"ref":null,"join_ref":null}`;
}

function readText(reader: { bytes: Uint8Array; offset: number }, length: number | undefined): string {
  const end = reader.offset + (length ?? 0);
  if (length === undefined || end > reader.bytes.length)
    throw new ProtocolError("The frame ends before its header says.");
  const text = decodeText(reader.bytes.subarray(reader.offset, end));
  reader.offset = end;
  return text;
}

function parseMetadata(text: string): Record<string, unknown> {
  const found = Metadata.safeParse(parseJson(text));
  if (!found.success) throw new ProtocolError("The metadata of a frame is a JSON object.");
  return found.data;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ProtocolError("The frame holds bytes that are not UTF-8.", { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError("The frame holds text that is not JSON.", { cause });
  }
}
