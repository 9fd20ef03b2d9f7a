/**
 * The few words of the PostgreSQL wire protocol 3.0 that the gate must understand
 * (https://www.postgresql.org/docs/17/protocol-message-formats.html). Everything else passes through unread.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const protocolVersion = 196608;
export const sslRequest = 80877103;
export const gssRequest = 80877104;

/** A whole message with its header: one byte of type, four of length, then the body. */
export interface Message {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly body: Uint8Array;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 && parts[0] ? parts[0] : new Uint8Array(Buffer.concat(parts));
}

function uint32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset);
}

/** The whole messages at the start of `bytes`, and what is left of the last one. */
export function splitMessages(bytes: Uint8Array): { messages: Message[]; rest: Uint8Array } {
  const messages: Message[] = [];
  let offset = 0;
  while (bytes.length - offset >= 5) {
    const end = offset + 1 + uint32(bytes, offset + 1);
    if (end > bytes.length) break;
    messages.push({
      type: String.fromCharCode(bytes[offset] ?? 0),
      bytes: bytes.subarray(offset, end),
      body: bytes.subarray(offset + 5, end),
    });
    offset = end;
  }
  return { messages, rest: bytes.subarray(offset) };
}

export interface Startup {
  readonly code: number;
  readonly parameters: Readonly<Record<string, string>>;
  readonly rest: Uint8Array;
}

/** The first message of a connection, which alone has no type byte; undefined until it is whole. */
export function readStartup(bytes: Uint8Array): Startup | undefined {
  if (bytes.length < 8) return undefined;
  const length = uint32(bytes, 0);
  if (bytes.length < length) return undefined;
  const words = decoder.decode(bytes.subarray(8, length)).split("\0");
  const parameters: Record<string, string> = {};
  for (let index = 0; index + 1 < words.length && words[index]; index += 2) {
    parameters[words[index] ?? ""] = words[index + 1] ?? "";
  }
  return { code: uint32(bytes, 4), parameters, rest: bytes.subarray(length) };
}

/** The zero-terminated string at `offset` of a body, and the offset behind it. */
export function readString(body: Uint8Array, offset = 0): { text: string; next: number } {
  const end = body.indexOf(0, offset);
  if (end < 0) return { text: decoder.decode(body.subarray(offset)), next: body.length };
  return { text: decoder.decode(body.subarray(offset, end)), next: end + 1 };
}

export function encodeMessage(type: string, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + body.length);
  bytes[0] = type.charCodeAt(0);
  new DataView(bytes.buffer).setUint32(1, 4 + body.length);
  bytes.set(body, 5);
  return bytes;
}

export const syncMessage = encodeMessage("S", new Uint8Array());

/** A simple query: one or more statements in one text, answered by one ReadyForQuery. */
export function encodeQuery(sql: string): Uint8Array {
  return encodeMessage("Q", encoder.encode(`${sql}\0`));
}

export function encodeParse(name: string, sql: string): Uint8Array {
  return encodeMessage("P", encoder.encode(`${name}\0${sql}\0\0\0`));
}

export function encodeStartup(parameters: Readonly<Record<string, string>>): Uint8Array {
  const words = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`);
  const body = encoder.encode(`${words.join("")}\0`);
  const bytes = new Uint8Array(8 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length);
  view.setUint32(4, protocolVersion);
  bytes.set(body, 8);
  return bytes;
}

/** An ErrorResponse with its SQLSTATE; FATAL is the last word of a connection. */
export function encodeError(severity: "ERROR" | "FATAL", code: string, message: string): Uint8Array {
  return encodeMessage("E", encoder.encode(`S${severity}\0V${severity}\0C${code}\0M${message}\0\0`));
}

/** ReadyForQuery: I idle, T in a transaction, E in a failed one. */
export function encodeReady(status: "I" | "T" | "E"): Uint8Array {
  return encodeMessage("Z", encoder.encode(status));
}

/** The fields of an ErrorResponse or NoticeResponse by their letter (C is the SQLSTATE, M the message). */
export function readErrorFields(body: Uint8Array): Record<string, string> {
  const fields: Record<string, string> = {};
  let offset = 0;
  while (offset < body.length && body[offset] !== 0) {
    const { text, next } = readString(body, offset + 1);
    fields[String.fromCharCode(body[offset] ?? 0)] = text;
    offset = next;
  }
  return fields;
}

/** Calls `visit` for each message of `bytes` without copying; made for answers of many rows. */
export function scanMessages(
  bytes: Uint8Array,
  visit: (type: string, start: number, end: number) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  while (offset + 5 <= bytes.length) {
    const end = offset + 1 + view.getUint32(offset + 1);
    visit(String.fromCharCode(bytes[offset] ?? 0), offset, end);
    offset = end;
  }
}
