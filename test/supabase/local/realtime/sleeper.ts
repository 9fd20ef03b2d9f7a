import { connect, type Socket } from "node:net";
import type { StandIn } from "./stand-in.ts";

/** A client that joins a topic and then reads nothing: a websocket by hand over TCP (RFC 6455). */
export interface Sleeper {
  /** Reads again and resolves with the close frame that waits at the end. */
  wake(): Promise<{ code: number; reason: string }>;
}

export async function openSleeper(standIn: StandIn, topic: string): Promise<Sleeper> {
  const { hostname, port, host } = new URL(standIn.url);
  const socket = connect(Number(port), hostname);
  const path = `/realtime/v1/websocket?vsn=2.0.0&apikey=${standIn.keys.publishableKey}`;
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64");
  const headers = [`Host: ${host}`, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
  socket.write([`GET ${path} HTTP/1.1`, ...headers, `Sec-WebSocket-Key: ${key}`, "", ""].join("\r\n"));
  await readUntil(socket, "\r\n\r\n");
  socket.write(maskedFrame(JSON.stringify(["1", "1", `realtime:${topic}`, "phx_join", {}])));
  await readUntil(socket, '"status":"ok"');
  socket.pause();
  return { wake: () => readClose(socket) };
}

/** One text frame with a mask of zeros. */
function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

function readUntil(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let read = "";
    const take = (data: Buffer) => {
      read += data.toString("latin1");
      if (!read.includes(text)) return;
      socket.off("data", take);
      resolve();
    };
    socket.on("data", take);
    socket.once("error", reject);
  });
}

function readClose(socket: Socket): Promise<{ code: number; reason: string }> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    socket.on("data", (data: Buffer) => chunks.push(data));
    socket.once("error", reject);
    socket.once("close", () => resolve(findClose(Buffer.concat(chunks))));
    socket.resume();
  });
}

/** Walks the frames of a server, which bear no mask, to the close frame. */
function findClose(bytes: Buffer): { code: number; reason: string } {
  let offset = 0;
  while (offset + 2 <= bytes.length) {
    const short = bytes.readUInt8(offset + 1);
    const header = short === 127 ? 10 : short === 126 ? 4 : 2;
    const length =
      short === 127
        ? Number(bytes.readBigUInt64BE(offset + 2))
        : short === 126
          ? bytes.readUInt16BE(offset + 2)
          : short;
    const payload = bytes.subarray(offset + header, offset + header + length);
    if (bytes.readUInt8(offset) === 0x88)
      return { code: payload.readUInt16BE(0), reason: payload.toString("utf8", 2) };
    offset += header + length;
  }
  return { code: 1006, reason: "" };
}
