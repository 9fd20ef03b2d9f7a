import { Webhook as Reference } from "standardwebhooks";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { builtInCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import type { PictureStore } from "../../../gpu-sidecar/storage.ts";
import { runWorker, type WorkerOptions } from "../../../gpu-sidecar/worker.ts";
import { createLog } from "../../../shared/log.ts";
import { until } from "../../helpers/until.ts";
import { drawJpeg, type Library, openInference, openLibrary } from "../library.ts";
import { openReceiver, type Receiver } from "../webhooks/receiver.ts";

let library: Library;
let receiver: Receiver;
beforeAll(async () => {
  library = await openLibrary();
  receiver = await openReceiver({ isPlain: true });
});
afterAll(async () => {
  await receiver[Symbol.asyncDispose]();
  await library.close();
});

async function start(options: Partial<WorkerOptions> = {}) {
  const sql = library.house.database.connect({ role: "parlance_sidecar", max: 1 });
  const inference = openInference();
  const worker = await runWorker({
    sql,
    inference,
    store: library.store,
    catalog: builtInCatalog,
    device: "cpu",
    log: createLog(() => {}),
    slots: { interactive: 1, bulk: 2 },
    pixelsMax: 2_000_000,
    drainMs: 0,
    webhookTargets: "any",
    ...options,
  });
  onTestFinished(async () => {
    await worker.stop();
    await inference.close();
    await sql.end({ timeout: 1 });
  });
  return worker;
}

async function addWebhook(): Promise<{ id: string; secret: string }> {
  const open = library.house.withSettings({ WEBHOOK_TARGETS: "any" });
  const body = JSON.stringify({ url: `http://127.0.0.1:${receiver.port}/` });
  const headers = { "content-type": "application/json" };
  const answer = await open.call(library.house.alice, "POST", "/webhooks", { body, headers });
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
}

test("a worker calls a webhook when a picture is ready", async () => {
  const { secret } = await addWebhook();
  await start();
  const { imageId, jobId } = await library.send(await drawJpeg());
  await until("it was called", () => receiver.received.length > 0);
  const [request] = receiver.received;
  expect(new Reference(secret).verify(request?.body ?? "", { ...request?.headers })).toMatchObject({
    type: "job.done",
    data: { id: jobId, kind: "images.ingest-image", subjectId: imageId, state: "done" },
  });
});

test("a worker calls webhooks while every slot is taken by pictures", async () => {
  const store: PictureStore = { ...library.store, get: () => new Promise(() => {}) };
  const worker = await start({ store });
  for (let count = 0; count < 3; count++) await library.send(undefined);
  await until("every slot is taken", () => worker.running === 2);
  const { id } = await addWebhook();
  const before = receiver.received.length;
  await library.house.call(library.house.alice, "POST", `/webhooks/${id}/test`);
  await until("it was called", () => receiver.received.length > before);
  expect(worker.running).toBeGreaterThanOrEqual(2);
});
