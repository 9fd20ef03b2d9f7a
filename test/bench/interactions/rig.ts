/** The app over HTTP on a fresh Postgres 17, its client in the same process, and the clocks of the bench. */

import { credentialsOf, openTestApp, type TestApp, type TestUser } from "../../helpers/app.ts";
import { type CpuSample, findPostmaster, sampleCpu } from "../queue/cpu.ts";
import { percentile, round } from "../sidecar/measure.ts";

export interface BenchApp extends TestApp {
  /** Over HTTP; throws where the answer is no success. The time until the whole body is there. */
  ask(user: TestUser, method: string, path: string, body?: unknown): Promise<BenchAnswer>;
  sampleCpu(): CpuSample;
}

export interface BenchAnswer {
  readonly tookMs: number;
  readonly text: string;
}

/** Nothing is refused for its rate; the limits are asked all the same. */
const environment = {
  RATE_LIMIT_READ: "1000000",
  RATE_LIMIT_WRITE: "1000000",
  RATE_LIMIT_LOG: "1000000",
  LOG_LEVEL: "warn",
};

export async function openBenchApp(): Promise<BenchApp> {
  return serveApp(await openTestApp({ environment }));
}

async function serveApp(testApp: TestApp): Promise<BenchApp> {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => testApp.app.fetch(request),
  });
  const [backend] = await testApp.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const postmaster = findPostmaster(backend?.pid ?? 0);
  return {
    ...testApp,
    sampleCpu: () => sampleCpu(postmaster),
    async ask(user, method, path, body) {
      const headers = { ...credentialsOf(testApp.keys, user), "content-type": "application/json" };
      const content =
        body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
      const beganMs = performance.now();
      const answer = await fetch(`http://127.0.0.1:${server.port}/api${path}`, {
        method,
        headers,
        ...content,
      });
      const text = await answer.text();
      const tookMs = performance.now() - beganMs;
      if (answer.ok) return { tookMs, text };
      const logged = testApp.logLines.slice(-3).map((line) => JSON.stringify(line));
      throw new Error(`${method} ${path} was answered ${answer.status} ${text}\n${logged.join("\n")}`);
    },
    async close() {
      await server.stop(true);
      await testApp.close();
    },
  };
}

/** Half of them and ninety-nine of a hundred took no longer, in milliseconds. */
export function summarizeTimes(tookMs: readonly number[]) {
  return { p50Ms: round(percentile(tookMs, 0.5), 1), p99Ms: round(percentile(tookMs, 0.99), 1) };
}

export async function timeSeconds(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return (performance.now() - beganMs) / 1000;
}
