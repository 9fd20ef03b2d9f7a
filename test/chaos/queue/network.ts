/**
 * A network between a runner and Postgres that can be frozen: what is sent goes nowhere, no connection is closed, and
 * neither side is told. The kernel still acknowledges what arrives, so TCP's own keep-alive notices nothing.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

export class Network {
  readonly #listener: Server;
  readonly #pairs = new Set<Pair>();
  /** What is lost for good. */
  readonly #lost = new Set<Pair>();
  #isFrozen = false;
  #lastWords: string | undefined;

  private constructor(target: { host: string; port: number }) {
    this.#listener = createServer({ allowHalfOpen: true }, (client) =>
      this.#join({ client, server: connect({ ...target, allowHalfOpen: true }) }),
    );
  }

  static async open(targetUrl: string): Promise<Network> {
    const { hostname, port } = new URL(targetUrl);
    const network = new Network({ host: hostname, port: Number(port) });
    await new Promise<void>((resolve) => network.#listener.listen(0, "127.0.0.1", resolve));
    return network;
  }

  /** The target's URL by this way. */
  route(targetUrl: string): string {
    const address = this.#listener.address();
    const url = new URL(targetUrl);
    if (address && typeof address === "object") url.port = String(address.port);
    url.hostname = "127.0.0.1";
    return url.href;
  }

  #join(pair: Pair): void {
    const { client, server } = pair;
    this.#pairs.add(pair);
    client.on("data", (bytes) => {
      if (this.#lastWords === undefined || !bytes.includes(this.#lastWords)) return;
      this.#lastWords = undefined;
      // What it said arrives; the answer never does.
      server.write(bytes);
      this.#lose(pair);
    });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay(true);
      from.on("data", (bytes) => {
        if (!this.#lost.has(pair)) to.write(bytes);
      });
      from.on("end", () => to.end());
      from.on("error", () => this.#cut(pair));
      from.on("close", () => this.#cut(pair));
    }
    if (this.#isFrozen) this.#pause(pair);
  }

  #cut(pair: Pair): void {
    // Who is behind a network that lost a connection does not hear of its end.
    if (this.#lost.has(pair)) return;
    this.#pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  }

  #pause({ client, server }: Pair): void {
    client.pause();
    server.pause();
  }

  /** Nothing passes any more until `thaw`; also what connects meanwhile waits. */
  freeze(): void {
    this.#isFrozen = true;
    for (const pair of this.#pairs) this.#pause(pair);
  }

  /** Everything that was sent meanwhile arrives, but for what was lost. */
  thaw(): void {
    this.#isFrozen = false;
    for (const pair of this.#pairs) {
      if (this.#lost.has(pair)) continue;
      pair.client.resume();
      pair.server.resume();
    }
  }

  /** The connections of this moment are dead for good and nobody is told; whoever connects again gets through. */
  lose(): void {
    for (const pair of this.#pairs) this.#lose(pair);
  }

  /** The same for the next connection that sends this text to the server, once the server has it. */
  loseAfter(text: string): void {
    this.#lastWords = text;
  }

  #lose(pair: Pair): void {
    this.#lost.add(pair);
    this.#pause(pair);
  }

  async close(): Promise<void> {
    this.#lost.clear();
    for (const pair of [...this.#pairs]) this.#cut(pair);
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()));
  }
}
