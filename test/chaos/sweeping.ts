/** The sweep of the house, made to find work. */
import { createId } from "../../shared/ids.ts";
import { imageBucket } from "../../shared/images/contract.ts";
import { sweepImages } from "../../shared/images/kinds.ts";
import { addJob } from "../../shared/jobs/queue.ts";
import { sweepFiles } from "../../supabase/local/storage/files.ts";
import { until } from "../helpers/until.ts";
import type { House } from "./house.ts";

/** Runs it until it is done; then that of the disk, as a start runs it. */
export async function sweep(house: House): Promise<void> {
  const jobId = await addSweep(house);
  await until("the sweep is done", async () => {
    await tick(house);
    const [job] = await house.sql<{ state: string }[]>`select state from parlance.jobs where id = ${jobId}`;
    return job?.state === "done";
  });
  await sweepFiles(house.sql, house.objectsFolder, { olderThanMs: 0 });
}

const orphansMax = 30;

/** Leaves old objects that no row names, and starts a sweep without waiting for it. */
export async function startSweepOfOrphans(house: House): Promise<void> {
  const paths = Array.from({ length: orphansMax }, () => `house/${createId()}/original`);
  await Promise.all(paths.map((path) => storeOrphan(house, path)));
  await makeOld(house, paths);
  await addSweep(house);
  // It is about to be killed.
  tick(house).catch(() => {});
}

async function storeOrphan(house: House, path: string): Promise<void> {
  const url = `${house.publicUrl}/storage/v1/object/${imageBucket}/${path}`;
  const headers = { apikey: house.secretKey, "content-type": "image/jpeg" };
  const answer = await fetch(url, {
    method: "POST",
    headers,
    body: path,
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`storage did not take an orphan: ${await answer.text()}`);
}

/** Makes these objects three hours old, or all of them. */
export async function makeOld({ sql }: House, paths?: readonly string[]): Promise<void> {
  await sql.begin(async (transaction) => {
    // Without the trigger that dates a change.
    await transaction`set local session_replication_role = replica`;
    await transaction`
      update storage.objects
      set created_at = now() - interval '3 hours', updated_at = now() - interval '3 hours'
      where ${paths === undefined} or name = any (${[...(paths ?? [])]}::text[])
    `;
  });
}

function addSweep({ sql }: House): Promise<string> {
  return addJob(sql, sweepImages, { payload: {}, ownerId: null });
}

async function tick(house: House): Promise<void> {
  const headers = { apikey: house.secretKey };
  const init = { method: "POST", headers, signal: AbortSignal.timeout(20_000) };
  await fetch(`${house.apiUrl}/jobs/ticks`, init);
}
