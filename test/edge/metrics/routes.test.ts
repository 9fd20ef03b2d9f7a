import { afterAll, beforeAll, expect, test } from "vitest";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { createId } from "../../../shared/ids.ts";
import { embedQuery, ingestImage } from "../../../shared/images/kinds.ts";
import { addJob, claimJobs, completeJobs } from "../../../shared/jobs/queue.ts";
import { openTestApp, type TestApp } from "../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp();
});
afterAll(() => house.close());

/** What is scraped now: the text is kept for seconds, so each asks an app of its own. */
async function scrape(): Promise<Map<string, number>> {
  const answer = await house.withSettings({}).call("secret", "GET", "/metrics");
  expect([answer.status, answer.headers.get("content-type")]).toEqual([
    200,
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
  const lines = answer.text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

test.each(["nobody", "publishable", "alice"] as const)("%s may not read them", async (who) => {
  const answer = await house.call(who === "alice" ? house.alice : who, "GET", "/metrics");
  expect([401, 403]).toContain(answer.status);
  expect(answer.text).not.toContain("parlance_");
});

test("an admin may", async () => {
  expect((await house.call(house.admin, "GET", "/metrics")).status).toBe(200);
});

test("jobs are told by kind, lane and state, with the age of the oldest", async () => {
  const added = await transactAs(house.sql, serviceCaller, async (transaction) => [
    await addJob(transaction, embedQuery, { payload: { spaceId: 1, query: "a" }, ownerId: null }),
    await addJob(transaction, ingestImage, { payload: { imageId: createId() }, ownerId: house.alice.id }),
  ]);
  const [claimed] = await claimJobs(house.sql, {
    workerId: createId(),
    kinds: [embedQuery],
    lane: "interactive",
    jobsMax: 1,
    leaseSeconds: 30,
  });
  if (!claimed) throw new Error("nothing was claimed");
  const busy = await scrape();
  const query = 'kind="images.embed-query",lane="interactive"';
  const ingest = 'kind="images.ingest-image",lane="bulk"';
  expect(busy.get(`parlance_jobs_open{${query},state="running"}`)).toBe(1);
  expect(busy.get(`parlance_jobs_open{${ingest},state="queued"}`)).toBe(1);
  expect(busy.get(`parlance_job_oldest_seconds{${ingest},state="queued"}`)).toBeGreaterThan(0);
  await house.sql`
    update parlance.jobs
    set created_at = created_at - interval '2 seconds', run_after = run_after - interval '2 seconds'
    where id = ${claimed.id}
  `;
  await completeJobs(house.sql, [{ ...claimed, result: {} }]);
  const after = await scrape();
  expect(after.get(`parlance_jobs_ended_total{${query},state="done"}`)).toBe(1);
  expect(after.get(`parlance_job_wait_seconds_bucket{${query},le="1"}`)).toBe(0);
  expect(after.get(`parlance_job_wait_seconds_bucket{${query},le="3600"}`)).toBe(1);
  expect(after.get(`parlance_job_wait_seconds_sum{${query}}`)).toBeGreaterThanOrEqual(2);
  expect(after.get(`parlance_job_run_seconds_count{${query}}`)).toBe(1);
  expect(after.has(`parlance_jobs_open{${query},state="running"}`)).toBe(false);
  await house.sql`delete from parlance.jobs where id = any (${added}::uuid[])`;
});

test("pictures, vectors by space and workers are counted", async () => {
  const workerId = createId();
  await house.sql`
    select parlance.report_worker(
      ${workerId}, 'sidecar', 'cuda:0', 'cuda', '{images.embed-query}'::text[], '{palette}'::text[],
      '{palette}'::text[], 12345, '{}'::jsonb, 'running'
    )
  `;
  await house.sql`
    insert into parlance.images (id, owner_id, name) values (gen_random_uuid(), ${house.alice.id}, 'counted')
  `;
  const figures = await scrape();
  expect(figures.get('parlance_images{state="uploading"}')).toBe(1);
  expect(figures.get('parlance_images{state="ready"}')).toBe(0);
  expect(figures.get('parlance_space_vectors{space="palette",model="palette",current="true"}')).toBe(0);
  const worker = `{worker="${workerId}",device="cuda:0",provider="cuda",state="running"}`;
  expect(figures.get(`parlance_worker_memory_bytes${worker}`)).toBe(12345);
  expect(figures.get(`parlance_worker_models_loaded${worker}`)).toBe(1);
  expect(figures.has(`parlance_worker_last_seen_seconds${worker}`)).toBe(true);
});

test("graphics cards, processes and recall are told; what a driver does not say is left out", async () => {
  const gpu = {
    index: 0,
    uuid: "GPU-1",
    name: 'Card "One"',
    driver: "580.1",
    memory_total_bytes: 1000,
    memory_used_bytes: 400,
    gpu_percent: 37,
    memory_percent: null,
    temperature_celsius: null,
    power_watts: 71.5,
  };
  const slots = [{ name: "0", device: "cuda:0", state: "crash-looping", deaths: 5 }];
  await house.sql`
    select parlance.report_supervisor(
      ${createId()}, 'host-1', 'nvml', '', '', ${house.sql.json(slots)}, ${house.sql.json([gpu])}
    )
  `;
  // Another container of the same host, which sees one card too.
  await house.sql`
    select parlance.report_supervisor(
      ${createId()}, 'host-1', 'nvml', '', '', '[]', ${house.sql.json([{ ...gpu, uuid: "GPU-2", gpu_percent: 11 }])}
    )
  `;
  await house.sql`
    insert into parlance.recall_measures
      (id, space_id, filter_class, path, k, searches, recall_sum, recall_min, served_ms, exact_ms)
    values
      (${createId()}, 1, 'none', 'index', 10, 10, 9.5, 0.7, 2, 20),
      (${createId()}, 1, 'none', 'index', 10, 30, 30, 1, 2, 20)
  `;
  const figures = await scrape();
  const card = '{host="host-1",gpu="0",uuid="GPU-1",name="Card \\"One\\""}';
  expect(figures.get(`parlance_gpu_memory_used_bytes${card}`)).toBe(400);
  expect(figures.get(`parlance_gpu_use_percent${card}`)).toBe(37);
  expect(figures.get(`parlance_gpu_use_percent${card.replace("GPU-1", "GPU-2")}`)).toBe(11);
  expect(figures.get(`parlance_gpu_power_watts${card}`)).toBeCloseTo(71.5, 3);
  expect([...figures.keys()].filter((name) => name.includes("temperature"))).toEqual([]);
  expect(figures.get('parlance_sidecar_processes{host="host-1",state="crash-looping"}')).toBe(1);
  const recall = '{space="palette",filter_class="none",path="index",window="1d"}';
  expect(figures.get(`parlance_search_recall_at_10${recall}`)).toBeCloseTo(39.5 / 40, 10);
  expect(figures.get(`parlance_search_recall_at_10_worst${recall}`)).toBe(0.7);
  expect(figures.get(`parlance_search_recall_searches${recall}`)).toBe(40);
});

test("whoever asks again within seconds is given the same text, and a failure is not kept", async () => {
  const app = house.withSettings({});
  const [one, other] = await Promise.all([
    app.call("secret", "GET", "/metrics"),
    app.call("secret", "GET", "/metrics"),
  ]);
  expect(one.text).toBe(other.text);
});
