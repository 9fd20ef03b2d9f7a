/** A fill whose sidecar is killed again and again; the moments come from a seed. */
import { afterEach, expect, test } from "vitest";
import { addFill } from "../../../shared/images/space-kinds.ts";
import { seededRandom } from "../../helpers/pictures.ts";
import { until } from "../../helpers/until.ts";
import { createLibraryUrl, type Library, openInference, openLibrary } from "../library.ts";
import { addSpace, differenceOf, embedAlone, listVectors, storePictures } from "../stored-pictures.ts";

const script = new URL("../../../gpu-sidecar/slot.ts", import.meta.url).pathname;
const seed = 20_261_121;
const picturesCount = 150;
const kills = 10;
/** A busy machine takes long to start a process. */
const patience = { timeoutMs: 30_000 };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Storage that hands out so many copies and then keeps silent, so that a fill cannot end before it is killed. */
function serveStorage(url: string) {
  let left = 0;
  let handedOut = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      if (left <= 0) return new Promise<Response>(() => {});
      left -= 1;
      const { pathname, search } = new URL(request.url);
      const response = await fetch(`${url}${pathname}${search}`, { headers: request.headers });
      handedOut += 1;
      return new Response(await response.arrayBuffer(), {
        status: response.status,
        headers: { "content-type": "image/jpeg" },
      });
    },
  });
  closing.push(() => server.stop(true));
  return {
    url: `http://127.0.0.1:${server.port}`,
    handOut(count: number): void {
      left = count;
      handedOut = 0;
    },
    handedOut: () => handedOut,
  };
}

function startSidecar(library: Library, storageUrl: string) {
  const child = Bun.spawn([process.execPath, script], {
    env: {
      PATH: process.env.PATH ?? "",
      SUPABASE_URL: storageUrl,
      SUPABASE_SECRET_KEY: library.house.keys.secretKey,
      SIDECAR_DB_URL: createLibraryUrl(library, "parlance_sidecar"),
      DEVICES: "cpu",
      LEASE_SECONDS: "3",
    },
    stdio: ["ignore", "ignore", "ignore"],
  });
  const kill = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  closing.push(kill);
  return { kill };
}

// Processes need a database that they can reach.
test.runIf(process.env.TEST_DATABASE_URL)(
  "a fill that is killed ten times is complete, without doubles, each vector as it is alone",
  async () => {
    const library = await openLibrary();
    closing.push(() => library.close());
    const { sql } = library.house;
    const pictures = await storePictures(library, picturesCount, { seed });
    const spaceId = await addSpace(library);
    const jobId = await addFill(sql, { id: spaceId, model: "palette" });
    const storage = serveStorage(library.house.config.supabaseUrl);
    const random = seededRandom(seed);
    const countVectors = async () => (await listVectors(library, spaceId)).length;
    const findJob = async () => {
      const [job] = await sql<{ state: string; attempts: number; done: number; total: number | null }[]>`
        select state, attempts, progress_done as done, progress_total as total from parlance.jobs where id = ${jobId}
      `;
      return job;
    };
    const written: number[] = [];

    for (let round = 1; round <= kills; round++) {
      const before = await countVectors();
      const served = 1 + Math.floor(random() * Math.min(64, picturesCount - before - 1));
      storage.handOut(served);
      const sidecar = startSidecar(library, storage.url);
      await until(`round ${round} has its ${served} copies`, () => storage.handedOut() >= served, patience);
      // Enough for a batch: some are killed after it was written, the others while they decode, embed or write.
      if (served > 32 && random() < 0.6) {
        await until(`round ${round} has written`, async () => (await countVectors()) > before, patience);
      }
      await new Promise((resolve) => setTimeout(resolve, random() * 300));
      await sidecar.kill();
      expect(await findJob()).toMatchObject({ state: "running", attempts: round });
      written.push(await countVectors());
      // What the lease and the pause before the next try would take.
      await sql`update parlance.jobs set lease_expires_at = now() - interval '1 second' where id = ${jobId}`;
      await sql`select parlance.expire_jobs(10)`;
      await sql`update parlance.jobs set run_after = now() where id = ${jobId}`;
    }
    // Several rounds must have written something, and none all of it, or the kills have shown nothing.
    expect(new Set(written).size).toBeGreaterThan(2);
    expect(written.at(-1)).toBeLessThan(picturesCount);

    storage.handOut(Number.POSITIVE_INFINITY);
    startSidecar(library, storage.url);
    await until("the fill is done", async () => (await findJob())?.state === "done", patience);
    expect(await findJob()).toEqual({
      state: "done",
      attempts: kills + 1,
      done: picturesCount,
      total: picturesCount,
    });
    const told = await sql<{ done: number; total: number | null }[]>`
      select (event -> 'progress' ->> 'done')::integer as done, (event -> 'progress' ->> 'total')::integer as total
      from parlance.list_job_events(${jobId}, 0, 1000) as event
    `;
    expect(told.filter(({ done, total }) => total !== null && done > total)).toEqual([]);

    const vectors = await listVectors(library, spaceId);
    expect(vectors.map(({ imageId }) => imageId)).toEqual(pictures.map(({ id }) => id).sort());
    const inference = openInference();
    closing.push(() => inference.close());
    const jpegs = new Map(pictures.map(({ id, jpeg }) => [id, jpeg]));
    for (const { imageId, embedding } of vectors) {
      const alone = await embedAlone(inference, jpegs.get(imageId) ?? new Uint8Array());
      expect(differenceOf(embedding, alone)).toBeLessThan(1e-5);
    }
  },
  120_000,
);
