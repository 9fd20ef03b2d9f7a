import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createImportTask } from "../../../../edge/interactions/imports/run.ts";
import { createImportSweep } from "../../../../edge/interactions/imports/sweeping.ts";
import { createId } from "../../../../shared/ids.ts";
import { importFile } from "../../../../shared/interactions/import-kinds.ts";
import { importBytesMax } from "../../../../shared/interactions/imports.ts";
import type { TestAnswer, Who } from "../../../helpers/app.ts";
import { taskContext } from "../../../helpers/task-context.ts";
import { type ImportRig, openImportRig } from "./rig.ts";

let rig: ImportRig;

beforeAll(async () => {
  rig = await openImportRig();
  await rig.deps.files.ensureBucket();
});

beforeEach(async () => {
  await rig.sql`delete from parlance.interactions`;
  await rig.sql`delete from parlance.interaction_imports`;
});

afterAll(() => rig.close());

const json = (body: unknown): RequestInit => ({
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" },
});

const begin = (announced: Record<string, unknown>, who: Who = rig.alice) =>
  rig.call(who, "POST", "/interactions/imports", json({ fileName: "big.csv", ...announced }));

const put = (answer: TestAnswer, body: string) =>
  fetch(answer.body.upload.url, { method: "PUT", body, headers: { "content-type": "text/csv" } });

const complete = (id: string, who: Who = rig.alice) =>
  rig.call(who, "POST", `/interactions/imports/${id}/completion`);

const text = "Input,Output\na,b\nbad\n";

describe("a signed upload", () => {
  test("is completed and read; completed again, it is the same import", async () => {
    const started = await begin({ sizeBytes: text.length, options: { defaults: { app: "x" } } });
    expect(started.status, started.text).toBe(201);
    const { id } = started.body.import;
    expect(started.headers.get("location")).toBe(`imports/${id}`);
    expect(started.body.import).toMatchObject({
      state: "uploading",
      findings: null,
      jobId: null,
      fileName: "big.csv",
    });
    expect((await complete(id)).body).toMatchObject({ code: "conflict" });
    expect((await put(started, text)).status).toBe(200);
    const done = await complete(id);
    expect(done.status, done.text).toBe(202);
    expect(done.body).toMatchObject({ id, state: "queued", jobId: id, findings: { format: "csv" } });
    expect((await complete(id)).body.jobId).toBe(id);
    await rig.work();
    expect(await rig.show(id)).toMatchObject({ state: "done", rowsLanded: 1, rowsRefused: 1 });
    expect((await complete(id)).body).toMatchObject({ state: "done" });
    expect(await rig.rows()).toMatchObject([{ input: "a", app: "x" }]);
  });

  test.each([
    ["has another size", text, { sizeBytes: 5 }, 400, /bytes were sent where 5 were announced/],
    ["is no text", `PK\x03\x04${"x".repeat(20)}`, { sizeBytes: 24 }, 415, /Excel/],
    ["lacks a column", "Prompt,Output\na,b\n", { sizeBytes: 18 }, 400, /no column `input`/],
  ])("that %s fails for good, and its file goes", async (_what, body, announced, status, message) => {
    const started = await begin(announced);
    const { id } = started.body.import;
    await put(started, body);
    const answer = await complete(id);
    expect(answer.status).toBe(status);
    expect(answer.body.detail).toMatch(message);
    expect(await rig.show(id)).toMatchObject({
      state: "failed",
      error: { message: expect.stringMatching(message) },
    });
    expect((await complete(id)).status).toBe(409);
    expect(await rig.deps.files.find(`${rig.alice.id}/${id}`)).toBeUndefined();
  });

  test.each([
    ["of nothing", { sizeBytes: 0 }],
    ["beyond a gibibyte", { sizeBytes: importBytesMax + 1 }],
    ["without a name", { sizeBytes: 5, fileName: " " }],
    ["with a name of two lines", { sizeBytes: 5, fileName: "a\nb" }],
    ["with options that are not known", { sizeBytes: 5, options: { colour: "red" } }],
  ])("%s is refused", async (_what, announced) => {
    expect((await begin(announced)).status).toBe(400);
  });

  test("that was begun fifty times and never sent is refused once more", async () => {
    for (let count = 0; count < 50; count++) {
      await rig.sql`
        insert into parlance.interaction_imports (id, owner_id, file_name, path, options, state)
        values (${createId()}, ${rig.alice.id}, 'a', 'b', '{}', 'uploading')
      `;
    }
    const answer = await begin({ sizeBytes: 5 });
    expect(answer.body.code).toBe("quota_exceeded");
    expect((await begin({ sizeBytes: 5 }, rig.bob)).status).toBe(201);
  });
});

test("a form that is sent again with its key is one import", async () => {
  const send = () => {
    const content = "\r\nInput,Output\r\na,b\r\n";
    const body = `--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n${content}--x--\r\n`;
    const headers = { "idempotency-key": "one", "content-type": "multipart/form-data; boundary=x" };
    return rig.call(rig.alice, "POST", "/interactions/bulk", { body, headers });
  };
  const first = await send();
  expect(first.status, first.text).toBe(202);
  expect((await send()).body).toEqual(first.body);
  // As after a crash between what it did and its answer.
  await rig.sql`delete from parlance.idempotency_keys`;
  expect((await send()).body.id).toBe(first.body.id);
  const page = await rig.call(rig.alice, "GET", "/interactions/imports");
  expect(page.body.items.map(({ id }: { id: string }) => id)).toEqual([first.body.id]);
});

test("a form for which the queue has no room leaves neither an import nor its file", async () => {
  const { name, queuedPerOwnerMax = 0 } = importFile;
  await rig.sql`
    insert into parlance.jobs (id, kind, lane, clock, owner_id, payload, attempts_max, turn)
    select gen_random_uuid(), ${name}, 'bulk', 'calls', ${rig.bob.id}, '{}', 1, number
    from generate_series(1, ${queuedPerOwnerMax}::integer) as number
  `;
  const [put, remove] = [vi.spyOn(rig.deps.files, "put"), vi.spyOn(rig.deps.files, "remove")];
  try {
    const answer = await rig.send(text, { as: rig.bob });
    expect([answer.status, answer.body.code]).toEqual([429, "quota_exceeded"]);
    const [path = ""] = put.mock.calls[0] ?? [];
    expect(remove.mock.calls).toEqual([[[path]]]);
    expect(await rig.deps.files.find(path)).toBeUndefined();
    const page = await rig.call(rig.bob, "GET", "/interactions/imports");
    expect(page.body.items).toEqual([]);
  } finally {
    put.mockRestore();
    remove.mockRestore();
    await rig.sql`delete from parlance.jobs where owner_id = ${rig.bob.id} and state = 'queued'`;
  }
});

test("imports are listed newest first, page by page", async () => {
  const ids: string[] = [];
  for (let count = 0; count < 5; count++) ids.unshift((await rig.send(text)).body.id);
  const found: string[] = [];
  let cursor = "";
  do {
    const page = await rig.call(
      rig.alice,
      "GET",
      `/interactions/imports?limit=2${cursor && `&cursor=${cursor}`}`,
    );
    expect(page.status).toBe(200);
    found.push(...page.body.items.map(({ id }: { id: string }) => id));
    cursor = page.body.nextCursor ?? "";
  } while (cursor);
  expect(found).toEqual(ids);
  expect((await rig.call(rig.alice, "GET", "/interactions/imports?cursor=x")).body.code).toBe(
    "invalid_cursor",
  );
});

test("refused rows are a file that no spreadsheet runs", async () => {
  const evil = ["=HYPERLINK(1)", "+1+1", "@SUM(A1)", "-2+3", "\t=1"];
  const { id } = await rig.take(`Input,Output\n${evil.join("\n")}\n"x""y","z\nz",more\nfine,1\n`);
  const answer = await rig.call(rig.alice, "GET", `/interactions/imports/${id}/refusals`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(answer.headers.get("content-disposition")).toBe(`attachment; filename="refusals-${id}.csv"`);
  const [header, ...lines] = answer.text.replace("\ufeff", "").trimEnd().split("\r\n");
  expect(header).toBe("row,reason,content");
  const reason = '"It has 1 field, and the header has 2."';
  expect(lines.slice(0, 5)).toEqual([
    `1,${reason},"'=HYPERLINK(1)"`,
    `2,${reason},"'+1+1"`,
    `3,${reason},"'@SUM(A1)"`,
    `4,${reason},"'-2+3"`,
    `5,${reason},"'\t=1"`,
  ]);
  expect(lines[5]).toBe('6,"It has 3 fields, and the header has 2.","""x""""y"",""z\nz"",more"');
});

test("many refused rows come page by page", async () => {
  const { id, rowsRefused } = await rig.take(`Input,Output\n${"bad\n".repeat(2500)}`);
  expect(rowsRefused).toBe(2500);
  const answer = await rig.call(rig.alice, "GET", `/interactions/imports/${id}/refusals`);
  const numbers = answer.text
    .trimEnd()
    .split("\r\n")
    .slice(1)
    .map((line) => Number(line.split(",")[0]));
  expect(numbers).toEqual(Array.from({ length: 2500 }, (_, index) => index + 1));
});

describe("an import that is deleted", () => {
  test("is gone with its file and its refusals; what landed stays", async () => {
    const { id } = await rig.take(text);
    expect((await rig.call(rig.alice, "DELETE", `/interactions/imports/${id}`)).status).toBe(204);
    expect((await rig.call(rig.alice, "GET", `/interactions/imports/${id}`)).status).toBe(404);
    expect(await rig.refusals(id)).toEqual([]);
    expect((await rig.rows()).length).toBe(1);
    expect((await rig.call(rig.alice, "DELETE", `/interactions/imports/${id}`)).status).toBe(404);
  });

  test("while it waits is never read", async () => {
    const { body } = await rig.send(text);
    expect((await rig.call(rig.alice, "DELETE", `/interactions/imports/${body.id}`)).status).toBe(204);
    await rig.work();
    expect(await rig.rows()).toEqual([]);
    expect((await rig.call(rig.alice, "GET", `/jobs/${body.jobId}`)).body.state).toBe("cancelled");
  });

  test("while it is read lands no more", async () => {
    const { body } = await rig.send(`Input,Output\n${"a,b\n".repeat(100)}`);
    const task = createImportTask(rig.deps, { rowsMax: 10 });
    let checkpoints = 0;
    await rig.work({
      kind: task.kind,
      run: (payload, context) =>
        task.run(payload, {
          ...context,
          checkpoint: async (cursor, write) => {
            checkpoints += 1;
            if (checkpoints === 4) await rig.call(rig.alice, "DELETE", `/interactions/imports/${body.id}`);
            return context.checkpoint(cursor, write);
          },
        }),
    });
    expect((await rig.rows()).length).toBe(30);
    expect((await rig.call(rig.alice, "GET", `/jobs/${body.jobId}`)).body.state).not.toBe("done");
  });
});

describe("others", () => {
  const paths = (id: string): [string, string][] => [
    ["GET", `/interactions/imports/${id}`],
    ["GET", `/interactions/imports/${id}/refusals`],
    ["POST", `/interactions/imports/${id}/completion`],
    ["DELETE", `/interactions/imports/${id}`],
  ];

  test("do not see an import", async () => {
    const { id } = await rig.take(text);
    for (const [method, path] of paths(id)) {
      expect((await rig.call(rig.bob, method, path)).status, path).toBe(404);
      expect((await rig.call("nobody", method, path)).status, path).toBe(401);
      expect((await rig.call("publishable", method, path)).status, path).toBe(401);
    }
    expect((await rig.call(rig.bob, "GET", "/interactions/imports")).body.items).toEqual([]);
    expect((await rig.call(rig.bob, "GET", "/interactions/imports?scope=house")).status).toBe(403);
    expect((await rig.call(rig.admin, "GET", `/interactions/imports/${id}`)).status).toBe(200);
    expect(await rig.show(id)).toMatchObject({ state: "done" });
  });

  test("import nothing without signing in", async () => {
    expect((await rig.send(text, { as: "nobody" })).status).toBe(401);
    expect((await begin({ sizeBytes: 5 }, "publishable")).status).toBe(401);
  });

  test("with the secret key import for the house, which admins see", async () => {
    const { body } = await rig.send(text, { as: "secret" });
    expect(body).toMatchObject({ ownerId: null });
    await rig.work();
    const page = await rig.call(rig.admin, "GET", "/interactions/imports?scope=house");
    expect(page.body.items).toMatchObject([{ id: body.id, state: "done", rowsLanded: 1 }]);
    expect((await rig.call(rig.alice, "GET", `/interactions/imports/${body.id}`)).status).toBe(404);
  });
});

describe("what rows of the past make fire", () => {
  test("is told to nobody", async () => {
    await rig.sql`delete from realtime.messages`;
    await rig.take(`Input,Output\n${"x".repeat(200)},b\n`);
    const messages = await rig.sql`select event from realtime.messages where event like 'alert%'`;
    expect(messages.length).toBe(0);
    const alerts =
      await rig.sql`select state, resolution, count from parlance.interaction_alerts where owner_id = ${rig.alice.id}`;
    expect(alerts).toMatchObject([{ state: "resolved", resolution: "imported", count: 1 }]);
  });

  test("is what stands out from what was before it, and not from what came after", async () => {
    const at = (hour: number) => new Date(Date.UTC(2026, 9, 1) + hour * 3_600_000).toISOString();
    const rows = Array.from({ length: 400 }, (_, hour) => `${"x".repeat(20 + (hour % 7))},b,${at(hour)}\n`);
    rows[10] = `${"y".repeat(90)},b,${at(10)}\n`;
    rows[300] = `${"z".repeat(90)},b,${at(300)}\n`;
    // Not in the order of time.
    const shuffled = rows
      .map((row, index) => [(index * 149) % 400, row] as const)
      .sort(([one], [other]) => one - other);
    const { id } = await rig.take(
      `Input,Output,occurredAt\n${shuffled.map(([, row]) => row).join("")}`,
      undefined,
      {
        rowsMax: 50,
      },
    );
    const fired = await rig.sql`
      select left(interactions.input, 1) as letter, alerts.rule_name, firings.score, alerts.evidence
      from parlance.interaction_alerts as alerts
      join parlance.alert_firings as firings on firings.alert_id = alerts.id
      join parlance.interactions on interactions.id = firings.interaction_id
      where alerts.import_id = ${id} and alerts.rule_name = 'input of unusual length'
      order by letter desc
    `;
    // The tenth had too little history.
    expect(fired.map(({ letter }) => letter)).toContain("z");
    expect(fired.map(({ letter }) => letter)).not.toContain("y");
    expect(fired[0]).toMatchObject({ evidence: { type: "outlier", method: "z-score" } });
  });
});

describe("rows of one hour of a file", () => {
  const firedOf = (id: string) => rig.sql`
    select left(interactions.input, 1) as letter
    from parlance.interaction_alerts as alerts
    join parlance.alert_firings as firings on firings.alert_id = alerts.id
    join parlance.interactions on interactions.id = firings.interaction_id
    where alerts.import_id = ${id} and alerts.rule_name = 'input of unusual length'
  `;
  const take = async (rows: readonly (readonly [input: string, minutes: number])[], beginMs: number) => {
    const at = (minutes: number) => new Date(beginMs + minutes * 60_000).toISOString();
    const text = rows.map(([input, minutes]) => `${input},b,${at(minutes)}\n`).join("");
    return (await rig.take(`Input,Output,occurredAt\n${text}`)).id;
  };
  const ordinary = (hour: number) =>
    Array.from({ length: 40 }, (_, index) => ["x".repeat(20 + (index % 7)), hour * 60 + index] as const);
  const hourMs = 3_600_000;
  const present = () => Math.floor(Date.now() / hourMs) * hourMs;

  test("are no history of each other", async () => {
    const days = 40 * 24;
    for (const beginMs of [present() - 20 * hourMs, present() - days * hourMs, present()]) {
      await rig.sql`delete from parlance.interaction_hours`;
      const id = await take([...ordinary(0), ["y".repeat(90), 41]], beginMs);
      expect(await rig.show(id)).toMatchObject({ rowsLanded: 41 });
      expect(await firedOf(id)).toEqual([]);
    }
  });

  test("that are far off do not widen the bounds that they are held against", async () => {
    await rig.sql`delete from parlance.interaction_hours`;
    const far = Array.from({ length: 30 }, (_, index) => ["z".repeat(90), 60 + index] as const);
    const id = await take([...ordinary(0), ...far], present() - 20 * hourMs);
    expect(await firedOf(id)).toEqual(Array(30).fill({ letter: "z" }));
  });
});

test("the sweep ends uploads that never came and removes files that nobody needs, and no others", async () => {
  const files = rig.deps.files;
  const late = (await begin({ sizeBytes: 5 })).body.import.id;
  const young = (await begin({ sizeBytes: 5 })).body.import.id;
  const waiting = (await rig.send(text)).body.id;
  const path = (id: string) => `${rig.alice.id}/${id}`;
  await rig.sql`
    update parlance.interaction_imports
    set created_at = now() - interval '3 hours'
    where id in ${rig.sql([late, waiting])}
  `;
  const [done, failed, orphan] = [createId(), createId(), createId()];
  for (const [id, state] of [
    [done, "done"],
    [failed, "failed"],
  ] as const) {
    await rig.sql`
      insert into parlance.interaction_imports (id, owner_id, file_name, path, options, state, finished_at)
      values (${id}, ${rig.alice.id}, 'a', ${path(id)}, '{}', ${state}, now())
    `;
  }
  for (const id of [late, done, failed, orphan]) {
    await files.put(path(id), new TextEncoder().encode("x"), "text/csv");
  }
  const isThere = async (id: string) => (await files.find(path(id))) !== undefined;
  const outcome = await createImportSweep(rig.deps).run({}, taskContext());
  expect(outcome).toMatchObject({ uploadsExpired: 1 });
  for (const id of [failed, late, orphan, waiting]) expect(await isThere(id), id).toBe(true);
  expect(await isThere(done)).toBe(false);
  expect(await rig.show(late)).toMatchObject({ state: "failed", error: { code: "upload_expired" } });
  expect(await rig.show(young)).toMatchObject({ state: "uploading" });
  expect((await complete(late)).body.code).toBe("upload_expired");
  await rig.sql`
    update parlance.interaction_imports
    set finished_at = now() - interval '2 days'
    where id in ${rig.sql([failed, late])}
  `;
  // Storage keeps the times of objects itself: here all of them are old.
  await createImportSweep(rig.deps, { filesMax: 2, objectSeconds: -60 }).run({}, taskContext());
  for (const id of [failed, late, orphan]) expect(await isThere(id), id).toBe(false);
  expect(await isThere(waiting)).toBe(true);
});
