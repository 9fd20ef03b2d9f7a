/** Alerts on their way to people's mail: through the database, the queue, the real task and nodemailer, to a server on this machine. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Mailer } from "../../../gpu-sidecar/mail/mailer.ts";
import { createSmtpMailer } from "../../../gpu-sidecar/mail/smtp.ts";
import { createSendMailTask } from "../../../gpu-sidecar/tasks/send-mail.ts";
import { createId } from "../../../shared/ids.ts";
import { executeJob } from "../../../shared/jobs/executor.ts";
import { rescueJobs } from "../../../shared/jobs/queue.ts";
import { startRunner } from "../../../shared/jobs/runner.ts";
import { jobKinds } from "../../../shared/kinds.ts";
import { until } from "../../helpers/until.ts";
import { type AlertDatabase, openAlertDatabase } from "../../shared/interactions/alert-rig.ts";
import { decodeWords, type MailServer, mailAuthorities, openMailServer } from "../mail/mail-server.ts";

let house: AlertDatabase;
let server: MailServer;
let alice: string;
let bob: string;
beforeAll(async () => {
  house = await openAlertDatabase();
  alice = await house.addUser();
  bob = await house.addUser();
});
afterAll(() => house[Symbol.asyncDispose]());
beforeEach(async () => {
  server = await openMailServer();
  await house.setAddress(alice, "alice@example.org");
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await house.clearAlerts();
});

const createMailer = (): Mailer =>
  createSmtpMailer({
    server: { host: server.host, port: server.port, user: server.user, password: server.password },
    from: { name: "Parlance", address: "alerts@example.com" },
    authorities: mailAuthorities,
  });
const createTask = () => createSendMailTask({ sql: house.sidecar, mailer: createMailer() });

/** One try by hand, without a runner. */
async function tryOnce(): Promise<string> {
  const [job] = await house.claimMails();
  if (!job) throw new Error("no mail was due");
  const { ending, error } = await executeJob(house.sidecar, createTask(), job).ended;
  const { result } = await house.findJob(job.id);
  return error ? `${ending}: ${error.message}` : `${ending}: ${(result as { state: string }).state}`;
}

const hurry = () => house.sql`update parlance.jobs set run_after = now() where state = 'queued'`;

test("an alert that opens, goes on and ends is three mails of one thread", async () => {
  const runner = startRunner({
    sql: house.sidecar,
    workerId: createId(),
    tasks: [createTask()],
    kinds: jobKinds,
    slots: { interactive: 0, bulk: 4 },
    pollMs: 20,
    listens: false,
    drainMs: 0,
  });
  onTestFinished(() => runner.stop());
  const alertId = await house.addAlert({ ownerId: alice, severity: "critical" });
  for (const [index, event] of (["alert.opened", "alert.repeated", "alert.resolved"] as const).entries()) {
    await house.notify(alertId, event);
    await until(`${event} was mailed`, () => server.received.length === index + 1);
  }
  const subjects = server.received.map(({ headers }) => headers.subject);
  expect(subjects).toEqual([
    "[Parlance] Critical: output too long (shop, gpt-4o)",
    "[Parlance] Critical, still open: output too long (shop, gpt-4o)",
    "[Parlance] Resolved: output too long (shop, gpt-4o)",
  ]);
  expect(server.received.map(({ from, to }) => [from, ...to])).toEqual(
    new Array(3).fill(["alerts@example.com", "alice@example.org"]),
  );
  expect(new Set(server.received.map(({ headers }) => headers.references))).toEqual(
    new Set([`<${alertId}@example.com>`]),
  );
  expect(new Set(server.received.map(({ headers }) => headers["message-id"])).size).toBe(3);
  expect(server.received[0]?.text).toContain("The output had 2,412 characters.");
  await until("the jobs ended", async () =>
    (await house.listMailJobs()).every(({ state }) => state === "done"),
  );
});

test("another's alert is mailed to nobody but its owner", async () => {
  const alertId = await house.addAlert({ ownerId: bob });
  await house.notify(alertId);
  expect(await house.claimMails()).toEqual([]);
  await house.setAddress(bob, "bob@example.org");
  await house.notify(alertId, "alert.resolved");
  expect(await tryOnce()).toBe("done: sent");
  expect(server.received.map(({ to }) => to)).toEqual([["bob@example.org"]]);
});

test("names and sentences can add neither headers nor recipients nor lines", async () => {
  const nasty = "shop\r\nBcc: mallory@example.net\r\n\r\n.\r\nMAIL FROM:<mallory@example.net>";
  const alertId = await house.addAlert({
    ownerId: alice,
    app: nasty,
    model: "<!channel>\u2028To: x",
    ruleName: `größer ${nasty}`,
    explanation: `${nasty}\n.\n`,
  });
  await house.notify(alertId);
  expect(await tryOnce()).toBe("done: sent");
  const [mail, ...others] = server.received;
  expect(others).toEqual([]);
  expect(mail?.to).toEqual(["alice@example.org"]);
  expect(mail?.headers).not.toHaveProperty("bcc");
  expect(mail?.headers.to).toBe("alice@example.org");
  const subject = decodeWords(mail?.headers.subject ?? "");
  expect(subject).toMatch(/^\[Parlance\] Warning: größer shop Bcc: mallory@example\.net \. MAIL FROM/);
  expect(mail?.text.split("\n").filter((line) => /^(Bcc|To|MAIL|\.)/.test(line))).toEqual([]);
});

test("the address is that of the moment of sending; without one the mail is cancelled", async () => {
  await house.notify(await house.addAlert({ ownerId: alice }));
  await house.setAddress(alice, "alice@elsewhere.example.org");
  expect(await tryOnce()).toBe("done: sent");
  await house.notify(await house.addAlert({ ownerId: alice }));
  await house.setAddress(alice, null);
  expect(await tryOnce()).toBe("done: cancelled");
  expect(server.received.map(({ to }) => to)).toEqual([["alice@elsewhere.example.org"]]);
});

test("what is no single address is written to by nobody", async () => {
  await house.setAddress(alice, "alice@example.org, mallory@example.net");
  await house.notify(await house.addAlert({ ownerId: alice }));
  expect(await tryOnce()).toBe("failed: The settings name no address of e-mail.");
  expect(server.logins).toBe(0);
});

describe("a server that", () => {
  test("is away for a moment is tried again with the same message; it arrives once", async () => {
    server.refuse({ at: "rcpt", code: 451 }, { at: "data", code: 452 }, undefined);
    await house.notify(await house.addAlert({ ownerId: alice }));
    expect(await tryOnce()).toBe("queued: The mail server refused the message: 451.");
    await hurry();
    expect(await tryOnce()).toBe("queued: The mail server refused the message: 452.");
    await hurry();
    expect(await tryOnce()).toBe("done: sent");
    expect(server.received).toHaveLength(1);
  });

  test("does not want it is not tried again", async () => {
    server.refuse({ at: "rcpt", code: 550 });
    await house.notify(await house.addAlert({ ownerId: alice }));
    expect(await tryOnce()).toBe("failed: The mail server refused the message: 550.");
    expect(await house.claimMails()).toEqual([]);
  });
});

test("a worker that dies between the answer and the landing is followed by one that sends the same message", async () => {
  await house.notify(await house.addAlert({ ownerId: alice }));
  const [job] = await house.claimMails();
  if (!job) throw new Error("no mail was due");
  const context = { job, claim: job.claim, attempt: 1, signal: new AbortController().signal };
  await createTask().run(job.payload, context as never);
  await house.sql`update parlance.jobs set lease_expires_at = now() - interval '1 second' where id = ${job.id}`;
  expect(await rescueJobs(house.sidecar, jobKinds)).toBe(1);
  await hurry();
  expect(await tryOnce()).toBe("done: sent");
  const [first, second] = server.received.map(({ headers }) => headers["message-id"]);
  expect(first).toBe(`<${job.id}@example.com>`);
  expect(second).toBe(first);
});

test("a flood is thirty mails, the last of which says so; the rest is held back, others get theirs", async () => {
  await house.setAddress(bob, "bob@example.org");
  for (let count = 0; count < 33; count++) await house.notify(await house.addAlert({ ownerId: alice }));
  const outcomes: string[] = [];
  for (let count = 0; count < 33; count++) outcomes.push(await tryOnce());
  // One comes back every two minutes, should this take that long.
  const sent = outcomes.filter((outcome) => outcome === "done: sent").length;
  expect(sent).toBeGreaterThanOrEqual(30);
  expect(sent).toBeLessThan(33);
  expect(outcomes.filter((outcome) => outcome === "done: held-back")).toHaveLength(33 - sent);
  expect(server.received[28]?.text).not.toContain("only one e-mail in two minutes");
  expect(server.received[29]?.text).toContain("only one e-mail in two minutes");
  await house.notify(await house.addAlert({ ownerId: bob }));
  expect(await tryOnce()).toBe("done: sent");
});

test("no password and no address is in a job, an event or a message", async () => {
  server.refuse({ at: "auth", code: 454 }, undefined);
  await house.notify(await house.addAlert({ ownerId: alice }));
  await tryOnce();
  await hurry();
  expect(await tryOnce()).toBe("done: sent");
  const rows = await Promise.all([
    house.sql`select * from parlance.jobs`,
    house.sql`select * from parlance.job_events`,
    house.sql`select payload from realtime.messages`,
  ]);
  const text = JSON.stringify(rows);
  expect(text).toContain("alerts.send-mail");
  expect(text).not.toContain("alice@example.org");
  expect(text).not.toContain("a pass");
});
