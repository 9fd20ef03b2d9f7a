import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Mail } from "../../../gpu-sidecar/mail/mailer.ts";
import { builtInCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import { runWorker, type WorkerOptions } from "../../../gpu-sidecar/worker.ts";
import { createLog } from "../../../shared/log.ts";
import { until } from "../../helpers/until.ts";
import { type Library, openInference, openLibrary } from "../library.ts";

let library: Library;
beforeAll(async () => {
  library = await openLibrary();
});
afterAll(() => library.close());

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
    slots: { interactive: 1, bulk: 1 },
    pixelsMax: 2_000_000,
    drainMs: 0,
    ...options,
  });
  onTestFinished(async () => {
    await worker.stop();
    await inference.close();
    await sql.end({ timeout: 1 });
  });
  return worker;
}

const findKinds = async (id: string) => {
  const [row] = await library.house.sql<
    { kinds: string[] }[]
  >`select kinds from parlance.workers where id = ${id}`;
  return row?.kinds ?? [];
};

test("a worker without a mailer leaves mails to one that has one, which sends them", async () => {
  const { sql, alice } = library.house;
  await sql`select parlance.ensure_interaction_settings(${alice.id})`;
  await sql`
    update parlance.interaction_settings
    set alert_email = 'alice@example.org', alert_email_severity_min = 'info'
    where owner_id = ${alice.id}
  `;
  const [alert] = await sql<{ id: string }[]>`
    insert into parlance.interaction_alerts
      (owner_id, rule_name, severity, fingerprint, first_seen_at, last_seen_at, evidence)
    values (${alice.id}, 'no answers', 'critical', 'one', now(), now(), '{"explanation": "There was nothing for an hour."}')
    returning id
  `;
  await sql`select parlance.notify_alert(${alert?.id ?? ""}, 'alert.opened')`;
  const without = await start();
  expect(await findKinds(without.id)).not.toContain("alerts.send-mail");
  expect(await findKinds(without.id)).toContain("webhooks.deliver-event");
  const sent: Mail[] = [];
  const mailer = { send: async (mail: Mail) => void sent.push(mail) };
  const withOne = await start({ mailer });
  expect(await findKinds(withOne.id)).toContain("alerts.send-mail");
  await until("it was sent", () => sent.length > 0);
  expect(sent).toMatchObject([{ to: "alice@example.org", subject: "[Parlance] Critical: no answers" }]);
  await until("its job has ended", async () => {
    const [job] = await sql`select state from parlance.jobs where kind = 'alerts.send-mail'`;
    return job?.state === "done";
  });
});
