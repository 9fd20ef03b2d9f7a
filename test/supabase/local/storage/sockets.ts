import { connect } from "node:net";

/** Sends bytes as they are, for what no HTTP client would send, and answers with all that came back. */
export function sendRaw(url: string, head: string, body: Uint8Array | string = ""): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let received = "";
  const socket = connect(Number(new URL(url).port), "127.0.0.1", () => {
    socket.write(`${head.trim().replaceAll(/\r?\n */g, "\r\n")}\r\nHost: stand-in.test\r\n\r\n`);
    if (body.length > 0) socket.write(body);
  });
  socket.setTimeout(10_000, () => socket.destroy(new Error("No answer came.")));
  socket.on("data", (chunk) => {
    received += chunk.toString();
  });
  socket.on("error", reject);
  socket.on("close", () => resolve(received));
  return promise;
}

/** Sends the beginning of a request and leaves before its end. */
export function sendAndLeave(url: string, head: string, body: Uint8Array | string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(Number(new URL(url).port), "127.0.0.1", () => {
    socket.write(`${head.trim().replaceAll(/\r?\n */g, "\r\n")}\r\nHost: stand-in.test\r\n\r\n`);
    socket.write(body, () => socket.destroy());
  });
  socket.on("error", reject);
  socket.on("close", () => resolve());
  return promise;
}
