import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Caller, transactAs } from "../../../shared/callers.ts";
import { databaseErrorCode } from "../../../shared/database.ts";
import { createId } from "../../../shared/ids.ts";
import { AlertMessage, AlertNews } from "../../../shared/interactions/alert-news.ts";
import { SendMailPayload, sendMail } from "../../../shared/interactions/mail-kind.ts";
import { completeJobs } from "../../../shared/jobs/queue.ts";
import { deliverEvent } from "../../../shared/webhooks/kind.ts";
import { type AlertDatabase, openAlertDatabase } from "./alert-rig.ts";

let house: AlertDatabase;
let alice: string;
let bob: string;
beforeAll(async () => {
  house = await openAlertDatabase();
});
afterAll(() => house[Symbol.asyncDispose]());
afterEach(() => house.clearAlerts());
const newPeople = async () => {
  alice = await house.addUser();
  bob = await house.addUser();
};
beforeAll(newPeople);

const every = ["alert.opened", "alert.repeated", "alert.resolved"];
/** Which webhooks were told of what. */
const told = async () =>
  (await house.listDeliveries()).map(({ webhookId, event, alertId }) => `${webhookId} ${event} ${alertId}`);

describe("a webhook is told of an alert", () => {
  test("by a row of the ledger and a job that carries it, once for each event", async () => {
    const { id: webhookId } = await house.addWebhook({ ownerId: alice, events: every });
    const alertId = await house.addAlert({ ownerId: alice });
    await house.notify(alertId);
    const [delivery, ...others] = await house.listDeliveries();
    expect(others).toEqual([]);
    expect(delivery).toMatchObject({
      webhookId,
      ownerId: alice,
      event: "alert.opened",
      alertId,
      jobId: null,
      sequence: null,
      state: "pending",
    });
    expect(AlertNews.strict().parse(delivery?.data)).toMatchObject({
      id: alertId,
      ruleName: "output too long",
      severity: "warning",
      state: "open",
      app: "shop",
      environment: null,
      model: "gpt-4o",
      element: "output",
      metric: "characters",
      value: 2412,
      explanation: "The output had 2,412 characters.",
      count: 1,
      firstSeenAt: "2026-11-21T10:00:00.000000Z",
    });
    expect(await house.findJob(delivery?.carrierId ?? "")).toMatchObject({
      kind: deliverEvent.name,
      lane: deliverEvent.lane,
      clock: deliverEvent.slots,
      attemptsMax: deliverEvent.attemptsMax,
      ownerId: alice,
      subjectId: webhookId,
      state: "queued",
      payload: { deliveryId: delivery?.id },
    });
    await house.notify(alertId, "alert.repeated");
    await house.notify(alertId, "alert.resolved");
    expect((await house.listDeliveries()).map(({ event }) => event)).toEqual(every);
  });

  test("that wants to hear of such events so grave, whatever kinds of jobs it names, and no other is", async () => {
    const all = await house.addWebhook({ ownerId: alice, events: every });
    const grave = await house.addWebhook({ ownerId: alice, events: every, severityMin: "warning" });
    const ofKind = await house.addWebhook({ ownerId: alice, events: every, kinds: ["images.fill-space"] });
    const opened = await house.addWebhook({ ownerId: alice, events: ["job.done", "alert.opened"] });
    await house.addWebhook({ ownerId: alice, events: every, severityMin: "critical" });
    await house.addWebhook({ ownerId: alice });
    await house.addWebhook({ ownerId: alice, events: ["alert.resolved"] });
    await house.addWebhook({ ownerId: bob, events: every });
    await house.addWebhook({ ownerId: null, events: every });
    const disabled = await house.addWebhook({ ownerId: alice, events: every });
    await house.sql`update parlance.webhooks set is_enabled = false, disabled_at = now() where id = ${disabled.id}`;
    const alertId = await house.addAlert({ ownerId: alice });
    await house.notify(alertId);
    const wanted = [all, grave, ofKind, opened].map(({ id }) => `${id} alert.opened ${alertId}`);
    expect((await told()).toSorted()).toEqual(wanted.toSorted());
  });

  test("of the house where it is the house's", async () => {
    const { id } = await house.addWebhook({ ownerId: null, events: every });
    await house.addWebhook({ ownerId: alice, events: every });
    const alertId = await house.addAlert({ ownerId: null });
    await house.notify(alertId);
    expect(await told()).toEqual([`${id} alert.opened ${alertId}`]);
  });

  test("whose owner has as many calls waiting as may: the alert stands, the delivery has failed", async () => {
    const { id } = await house.addWebhook({ ownerId: alice, events: every });
    await house.sql`
      insert into parlance.jobs (id, kind, lane, clock, owner_id, payload, attempts_max, turn)
      select gen_random_uuid(), 'webhooks.deliver-event', 'bulk', 'calls', ${alice}, '{}', 10, number
      from generate_series(1, 20000) as number
    `;
    const alertId = await house.addAlert({ ownerId: alice });
    await house.notify(alertId);
    await house.sql`delete from parlance.jobs where clock = 'calls'`;
    expect(await told()).toEqual([`${id} alert.opened ${alertId}`]);
    expect(await house.listDeliveries()).toMatchObject([
      {
        state: "failed",
        errorMessage: "As many of your jobs are waiting as may.",
        finishedAt: expect.any(String),
      },
    ]);
    const [alert] =
      await house.sql`select notifications from parlance.interaction_alerts where id = ${alertId}`;
    expect(alert?.notifications).toBe(1);
  });
});

describe("an e-mail is written", () => {
  test("where the settings name an address for alerts so grave, with what its kind says", async () => {
    await house.setAddress(alice, "alice@example.com", "warning");
    await house.setAddress(bob, "bob@example.com");
    await house.notify(await house.addAlert({ ownerId: alice, severity: "info" }));
    expect(await house.listMailJobs()).toEqual([]);
    const alertId = await house.addAlert({ ownerId: alice });
    await house.notify(alertId);
    const [mail, ...others] = await house.listMailJobs();
    expect(others).toEqual([]);
    expect(SendMailPayload.parse(mail?.payload)).toMatchObject({
      event: "alert.opened",
      alert: { id: alertId },
    });
    const job = await house.findJob(mail?.id ?? "");
    expect(job).toMatchObject({
      lane: sendMail.lane,
      clock: sendMail.slots,
      attemptsMax: sendMail.attemptsMax,
      deadlineSeconds: (sendMail.deadlineMs ?? 0) / 1000,
      ownerId: alice,
      subjectId: alertId,
    });
    expect(job.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(JSON.stringify(job.payload)).not.toContain("@");
  });

  test("once for what is the same, also after it was sent; again for another count, event or reminder", async () => {
    await house.setAddress(alice, "alice@example.com");
    const alertId = await house.addAlert({ ownerId: alice });
    const tell = (event: string) => house.sql`select parlance.tell_alert(${alertId}, ${event}, null)`;
    await tell("alert.opened");
    await tell("alert.opened");
    const mails = (await house.claimMails()).map((mail) => ({ ...mail, result: {} }));
    await completeJobs(house.sidecar, mails);
    await tell("alert.opened");
    expect((await house.listMailJobs()).map(({ state }) => state)).toEqual(["done"]);
    await house.sql`update parlance.interaction_alerts set count = 2`;
    await tell("alert.opened");
    await tell("alert.resolved");
    expect(await house.listMailJobs()).toHaveLength(3);
    // Reminders of what is missing come without being counted.
    await house.notify(alertId, "alert.repeated");
    await house.notify(alertId, "alert.repeated");
    expect(await house.listMailJobs()).toHaveLength(5);
  });

  test("of the house to the house's address", async () => {
    await house.setAddress(null, "ops@example.com");
    await house.notify(await house.addAlert({ ownerId: null }));
    expect((await house.listMailJobs()).map(({ ownerId }) => ownerId)).toEqual([null]);
  });

  test("by nobody whose mails wait in thousands; the alert is told all the same", async () => {
    await house.setAddress(alice, "alice@example.com");
    await house.addWebhook({ ownerId: alice, events: every });
    await house.sql`
      insert into parlance.jobs (id, kind, lane, clock, owner_id, payload, attempts_max, turn)
      select gen_random_uuid(), ${sendMail.name}, 'bulk', 'calls', ${alice}, '{}', 10, number
      from generate_series(1, ${sendMail.queuedPerOwnerMax ?? 0}) as number
    `;
    await house.notify(await house.addAlert({ ownerId: alice }));
    expect(await house.listMailJobs()).toHaveLength(sendMail.queuedPerOwnerMax ?? 0);
    expect(await house.listDeliveries()).toMatchObject([{ state: "pending" }]);
  });

  test("and its end is told to no webhook", async () => {
    await house.addWebhook({ ownerId: alice, events: ["job.done", "job.failed"] });
    await house.setAddress(alice, "alice@example.com");
    await house.notify(await house.addAlert({ ownerId: alice }));
    const [mail] = await house.claimMails();
    await house.sidecar`select parlance.fail_job(${mail?.id ?? ""}, ${mail?.claim ?? 0}, 'x', 'x', false)`;
    expect((await house.listMailJobs()).map(({ state }) => state)).toEqual(["failed"]);
    expect(await house.listDeliveries()).toEqual([]);
  });
});

describe("whoever listens", () => {
  test("hears of the alert on the owner's topic, and nobody else does", async () => {
    await newPeople();
    const alertId = await house.addAlert({ ownerId: alice });
    await house.notify(alertId, "alert.resolved");
    const [message, ...others] = await house.listMessages(`user:${alice}`);
    expect(others).toEqual([]);
    expect(AlertMessage.parse(message?.payload)).toMatchObject({
      event: "alert.resolved",
      alert: { id: alertId, ruleName: "output too long" },
    });
    expect(await house.listMessages(`user:${bob}`)).toEqual([]);
  });

  test("hears of the house's on its topic", async () => {
    const alertId = await house.addAlert({ ownerId: null });
    await house.notify(alertId);
    const messages = await house.listMessages("house");
    expect(messages.map(({ payload }) => payload.alert)).toContainEqual(
      expect.objectContaining({ id: alertId }),
    );
  });

  test("hears once that there are more than twenty in one transaction", async () => {
    await newPeople();
    const ids = await Promise.all(Array.from({ length: 30 }, () => house.addAlert({ ownerId: alice })));
    await house.sql.begin(async (transaction) => {
      for (const id of ids) await transaction`select parlance.notify_alert(${id}, 'alert.opened')`;
    });
    const messages = await house.listMessages(`user:${alice}`);
    for (const { payload } of messages) AlertMessage.parse(payload);
    const events = messages.map(({ event }) => event).toSorted();
    expect(events).toEqual([...new Array<string>(20).fill("alert.opened"), "alerts.changed"]);
    await house.notify(ids[0] ?? "", "alert.resolved");
    expect(await house.listMessages(`user:${alice}`)).toHaveLength(22);
  });
});

test("what is rolled back is told to nobody", async () => {
  await newPeople();
  await house.addWebhook({ ownerId: alice, events: every });
  await house.setAddress(alice, "alice@example.com");
  const alertId = await house.addAlert({ ownerId: alice });
  const rolling = house.sql.begin(async (transaction) => {
    await transaction`select parlance.notify_alert(${alertId}, 'alert.opened')`;
    throw new Error("not now");
  });
  await expect(rolling).rejects.toThrow("not now");
  expect([await told(), await house.listMailJobs(), await house.listMessages(`user:${alice}`)]).toEqual([
    [],
    [],
    [],
  ]);
});

test("whose alert it is, which and how grave says its row, whatever the caller says", async () => {
  const alices = await house.addWebhook({ ownerId: alice, events: every });
  await house.addWebhook({ ownerId: alice, events: every, severityMin: "critical" });
  await house.addWebhook({ ownerId: bob, events: every });
  const alertId = await house.addAlert({ ownerId: alice });
  const data = { id: createId(), ownerId: bob, severity: "critical", explanation: "x".repeat(100_000) };
  await house.sql`select parlance.tell_alert(${alertId}, 'alert.opened', ${house.sql.json(data)})`;
  expect(await told()).toEqual([`${alices.id} alert.opened ${alertId}`]);
  const [delivery] = await house.listDeliveries();
  expect(delivery?.data).toMatchObject({ id: alertId, severity: "warning", explanation: "x".repeat(1000) });
});

test("an alert that is not there is told to nobody; an event that there is not is refused", async () => {
  await house.addWebhook({ ownerId: alice, events: every });
  await house.sql`select parlance.tell_alert(${createId()}, 'alert.opened', '{}')`;
  expect(await told()).toEqual([]);
  const alertId = await house.addAlert({ ownerId: alice });
  const telling = house.sql`select parlance.tell_alert(${alertId}, 'alert.exploded', '{}')`;
  await expect(telling).rejects.toThrow("there is no event alert.exploded of alerts");
});

describe("who may", () => {
  const user = (id: string): Caller =>
    ({ role: "authenticated", claims: { sub: id, role: "authenticated" } }) as never;
  const statements = [
    "select parlance.tell_alert(gen_random_uuid(), 'alert.opened', '{}')",
    "select parlance.send_alert(null, 'alert.opened', now(), '{}')",
    "select parlance.deliver_alert(null, 'alert.opened', now(), '{}')",
    "select parlance.mail_alert(null, 'alert.opened', now(), '{}')",
  ];

  test.each(statements)("no user and no sidecar: %s", async (statement) => {
    const code = (running: Promise<unknown>) => running.then(() => "ran", databaseErrorCode);
    expect(await code(house.sidecar.unsafe(statement))).toBe("42501");
    expect(await code(transactAs(house.sql, user(alice), (sql) => sql.unsafe(statement)))).toBe("42501");
  });

  test("a sidecar asks for an address only of a mail that it holds", async () => {
    await house.setAddress(alice, "alice@example.com");
    await house.notify(await house.addAlert({ ownerId: alice }));
    const [mail] = await house.claimMails();
    const begin = (claim: number) =>
      house.sidecar`select * from parlance.begin_alert_mail(${mail?.id ?? ""}, ${claim})`;
    expect(await begin((mail?.claim ?? 0) + 1)).toEqual([]);
    expect(await begin(mail?.claim ?? 0)).toMatchObject([{ address: "alice@example.com", mayBeSent: true }]);
    await expect(house.sidecar`select * from parlance.interaction_settings`).rejects.toMatchObject({
      code: "42501",
    });
    const jobId = createId();
    const forged = [
      { id: jobId, kind: "test.paint-wall", lane: "bulk", payload: {}, attempts_max: 1, owner_id: alice },
    ];
    await house.sidecar`select parlance.add_jobs(${house.sidecar.json(forged)})`;
    expect(await house.sidecar`select * from parlance.begin_alert_mail(${jobId}, 1)`).toEqual([]);
  });
});
