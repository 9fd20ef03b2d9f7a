import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ImportRig, openImportRig } from "./rig.ts";

let rig: ImportRig;

beforeAll(async () => {
  rig = await openImportRig();
});

afterEach(async () => {
  await rig.sql`delete from parlance.interactions`;
  await rig.sql`delete from parlance.interaction_imports`;
});

afterAll(() => rig.close());

test("a file with the columns of the original lands, is measured and judged, and tells how it went", async () => {
  const text = `Input,Output\nWhat is it?,A cat.\n${"long ".repeat(30)},ok\n`;
  const made = await rig.take(text);
  expect(made).toMatchObject({
    state: "done",
    rowsLanded: 2,
    rowsRefused: 0,
    rowsKnown: 0,
    alerts: 1,
    bytesDone: text.length,
    sizeBytes: text.length,
    error: null,
    findings: {
      format: "csv",
      encoding: "utf-8",
      delimiter: ",",
      columns: ["Input", "Output"],
      mapping: { input: "Input", output: "Output" },
    },
  });
  expect(await rig.rows()).toMatchObject([
    { input: "What is it?", output: "A cat.", importId: made.id },
    { input: "long ".repeat(30), output: "ok", app: "default" },
  ]);
  expect(await rig.deps.files.find(`${rig.alice.id}/${made.id}`)).toBeUndefined();
  const job = await rig.call(rig.alice, "GET", `/jobs/${made.jobId}`);
  expect(job.body).toMatchObject({
    state: "done",
    kind: "interactions.import-file",
    result: { rowsLanded: 2, rowsRefused: 0, rowsKnown: 0, alerts: 1 },
  });
});

test.each([
  ["a byte order mark", "\ufeffInput,Output\na,b\n"],
  ["no newline at the end", "Input,Output\na,b"],
  ["newlines of Windows", "Input,Output\r\na,b\r\n"],
  ["newlines of old", "Input,Output\ra,b\r"],
  ["semicolons", "Input;Output\na;b\n"],
  ["tabs", "Input\tOutput\na\tb\n"],
  ["the line that Excel writes first", "sep=;\r\nInput;Output\r\na;b\r\n"],
  ["other columns, in another order", 'Id,Output,Note,Input\n1,b,"x,\ny",a\n'],
  ["columns written otherwise", " input , OUTPUT\na,b\n"],
  ["empty lines", "\n\nInput,Output\n\na,b\n\n\n"],
  ["a hundred empty lines before its header", `sep=,\n${"\n".repeat(100)}Input,Output\na,b\n`],
  ["more commas than it needs", "Input,Output\na,b,,,\n"],
  ["quotes around all of it", '"Input","Output"\n"a","b"\n'],
  ["objects", '{"input":"a","output":"b"}\n'],
  ["objects with capitals and more", '\n{"Input":"a","id":7,"Output":"b","x":{"y":[1]}}\n\n'],
])("a file with %s lands", async (_what, text) => {
  expect(await rig.take(text)).toMatchObject({ state: "done", rowsLanded: 1, rowsRefused: 0 });
  expect(await rig.rows()).toMatchObject([{ input: "a", output: "b" }]);
});

test("a newline, a delimiter and a quote within quotes are text", async () => {
  await rig.take('Input,Output\n"one\r\ntwo, ""three""",b\n');
  expect((await rig.rows())[0]?.input).toBe('one\r\ntwo, "three"');
});

test("a file with a header and nothing else is done with", async () => {
  expect(await rig.take("Input,Output\n")).toMatchObject({ state: "done", rowsLanded: 0, alerts: 0 });
});

test("all that a row may say is kept", async () => {
  const header =
    "Input,Output,app,Environment,session_id,User Label,provider,model,input_tokens,Output Tokens,latencyMs,cost_usd,tags,occurred_at";
  const row = 'a,b,shop,live,s-1,u-7,openai,gpt-4o,12,34,1500.5,0.002,"x, y",2026-01-31 13:30:00+01';
  const json = {
    prompt: [{ role: "user", content: "hi" }],
    answer: 7,
    tags: ["x", "z"],
    occurredAt: 1_760_000_000,
  };
  await rig.take(`${header}\n${row}\n`);
  await rig.take(JSON.stringify(json), { options: { mapping: { input: "prompt", output: "answer" } } });
  const [one, other] = await rig.sql`
    select
      interactions.*, groups.app, groups.environment, groups.model
    from parlance.interactions
    join parlance.interaction_groups as groups on groups.id = group_id
    order by output desc
  `;
  expect(one).toMatchObject({
    input: "a",
    app: "shop",
    environment: "live",
    sessionId: "s-1",
    userLabel: "u-7",
    provider: "openai",
    model: "gpt-4o",
    inputTokens: 12,
    outputTokens: 34,
    latencyMs: 1500.5,
    costUsd: 0.002,
    tags: ["x", "y"],
    occurredAt: "2026-01-31T12:30:00.000000Z",
  });
  expect(other).toMatchObject({
    input: '[{"role":"user","content":"hi"}]',
    output: "7",
    tags: ["x", "z"],
    occurredAt: "2025-10-09T08:53:20.000000Z",
  });
});

test("what rows do not say is as the options say, and when it was is when the file came", async () => {
  const options = { defaults: { app: "bot", environment: "test", model: "m", tags: ["old"] } };
  const made = await rig.take("Input,Output,app,tags\na,b,,new\nc,d,other,\n", { options });
  expect(await rig.rows()).toMatchObject([
    { app: "bot", model: "m", tags: ["new", "old"], occurredAt: made.createdAt.replace(/\d{3}Z$/, "000Z") },
    { app: "other", model: "m", tags: ["old"] },
  ]);
});

test("bad rows are listed with their reasons, and the good ones between them land", async () => {
  const rows = [
    "good 1,b",
    "too few",
    "too,many,fields",
    "good 2,b",
    '"open,b',
    "good 3,b",
    ",",
    `${"x".repeat(200_001)},long`,
    "good 4,b",
  ];
  const made = await rig.take(`Input,Output\n${rows.join("\n")}\n`);
  expect(made).toMatchObject({ state: "done", rowsLanded: 4, rowsRefused: 5 });
  expect((await rig.rows()).map(({ input }) => input)).toEqual(["good 1", "good 2", "good 3", "good 4"]);
  expect(await rig.refusals(made.id)).toEqual([
    { rowNumber: 2, reason: "It has 1 field, and the header has 2.", row: "too few" },
    { rowNumber: 3, reason: "It has 3 fields, and the header has 2.", row: "too,many,fields" },
    { rowNumber: 5, reason: "It opens a quote that is never closed.", row: '"open,b' },
    { rowNumber: 7, reason: "All of its fields are empty.", row: "," },
    { rowNumber: 8, reason: expect.stringMatching(/^input: .*200000/), row: "x".repeat(10_000) },
  ]);
});

test.each([
  ["latencyMs", "soon", /^latencyMs: /],
  ["latencyMs", "-1", /^latencyMs: /],
  ["inputTokens", "1.5", /^inputTokens: /],
  ["costUsd", "1e999", /^costUsd: /],
  ["app", "x".repeat(65), /^app: /],
  ["tags", Array.from({ length: 21 }, (_, index) => index).join(), /^tags: /],
  ["occurredAt", "yesterday", /^occurredAt: is not a time/],
  ["occurredAt", "2026-02-30", /^occurredAt: is not a time/],
  ["occurredAt", "1969-12-31T23:59:59Z", /^occurredAt: is not a time/],
  ["occurredAt", "0000-01-01T00:00:00Z", /^occurredAt: is not a time/],
  ["occurredAt", "2026-01-01T25:00:00Z", /^occurredAt: /],
  ["occurredAt", "9999-01-01T00:00:00Z", /^occurredAt: must be a year from 1900 to 2999/],
  ["occurredAt", "2999-01-01T00:00:00Z", /^occurredAt: is more than a day from now/],
])("a row whose %s is %j is refused", async (column, value, reason) => {
  const made = await rig.take(`Input,Output,${column}\na,b,"${value}"\nc,d,\n`);
  expect(made).toMatchObject({ state: "done", rowsLanded: 1, rowsRefused: 1 });
  expect(await rig.refusals(made.id)).toMatchObject([
    { rowNumber: 1, reason: expect.stringMatching(reason) },
  ]);
});

test("lines of JSON that are none are refused one by one", async () => {
  const lines = [
    '{"input":"a","output":"b"}',
    "{",
    "[1]",
    '"x"',
    '{"input":"a"}',
    '{"input":"c","output":null}',
  ];
  const made = await rig.take(lines.join("\n"), { fileName: "a.jsonl" });
  expect(made).toMatchObject({ state: "done", rowsLanded: 1, rowsRefused: 5 });
  expect((await rig.refusals(made.id)).map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/^It is not JSON/),
    "It is not a JSON object.",
    "It is not a JSON object.",
    expect.stringMatching(/^output: /),
    expect.stringMatching(/^output: /),
  ]);
});

test.each<[string, string, RegExp]>([
  ["a time that is an object", '"occurredAt":{"toString":0}', /^occurredAt: is not a time/],
  ["a tag that is an object", '"tags":[{"toString":0}]', /^tags\.0: /],
  ["an object for tags", '"tags":{"toString":0}', /^tags\.0: /],
  ["tags in text that are objects", '"tags":"[{\\"toString\\":0}]"', /^tags\.0: /],
  ["a number that is an object", '"latencyMs":{"valueOf":0}', /^latencyMs: /],
  ["deeply nested tags", `"tags":${"[".repeat(90_000)}${"]".repeat(90_000)}`, /^tags\.0: /],
  ["a deeply nested label", `"app":${"[".repeat(90_000)}${"]".repeat(90_000)}`, /^It could not be read\.$/],
])("%s refuses its row and no other", async (_what, property, reason) => {
  const lines = ['{"input":"a","output":"b"}', `{"input":"c","output":"d",${property}}`];
  const made = await rig.take(lines.join("\n"), { fileName: "a.jsonl" });
  expect(made).toMatchObject({ state: "done", rowsLanded: 1, rowsRefused: 1 });
  expect(await rig.refusals(made.id)).toMatchObject([
    { rowNumber: 2, reason: expect.stringMatching(reason) },
  ]);
});

test("what Postgres does not keep is kept as a mark, in texts, labels and refused rows", async () => {
  const made = await rig.take("Input,Output,app,latencyMs\na\0b,\0,x\0y,\ntoo\0few\n");
  expect(made).toMatchObject({ state: "done", rowsLanded: 1, rowsRefused: 1 });
  expect(await rig.rows()).toMatchObject([{ input: "a\ufffdb", output: "\ufffd", app: "x\ufffdy" }]);
  expect(await rig.refusals(made.id)).toMatchObject([{ row: "too\ufffdfew" }]);
});

test("what a parser says of a character that Postgres does not keep is told with a mark", async () => {
  const made = await rig.take('{"input":"a","output":"b"}\n{"input":\0}\n\u{1f600}\n', {
    fileName: "a.jsonl",
  });
  expect(made).toMatchObject({ state: "done", rowsLanded: 1, rowsRefused: 2 });
  const marked = expect.stringMatching(/^It is not JSON: .*\ufffd/);
  expect(await rig.refusals(made.id)).toEqual([
    { rowNumber: 2, reason: marked, row: '{"input":\ufffd}' },
    { rowNumber: 3, reason: marked, row: "\u{1f600}" },
  ]);
});

test.each([
  ["a NUL", "Input,Output,x\0y\na,b,c\n", "x\ufffdy"],
  [
    "a character that is cut",
    `Input,Output,${"x".repeat(199)}\u{1f600}\na,b,c\n`,
    `${"x".repeat(199)}\ufffd`,
  ],
  ["a NUL that is escaped", '{"input":"a","output":"b","x\\u0000y":1}\n', "x\ufffdy"],
  ["half of a character", '{"input":"a","output":"b","\\ud83d":1}\n', "\ufffd"],
])("a file with %s in the name of a column lands", async (_what, text, column) => {
  expect(await rig.take(text)).toMatchObject({
    state: "done",
    rowsLanded: 1,
    findings: { columns: [expect.anything(), expect.anything(), column] },
  });
});

test("of more apps than there may be, the rows of those that there is no room for are refused", async () => {
  const rows = Array.from({ length: 1100 }, (_, index) => `row ${index},x,app-${index}\n`);
  const made = await rig.take(`Input,Output,app\n${rows.join("")}`, { as: rig.bob }, { rowsMax: 300 });
  expect(made).toMatchObject({ state: "done", rowsLanded: 1000, rowsRefused: 100 });
  expect((await rig.refusals(made.id))[0]?.reason).toMatch(/1000 combinations/);
});

test("ten thousand rows land in parts, each in its place", async () => {
  const rows = Array.from({ length: 10_000 }, (_, index) => `in ${index},"out\n${index}"\n`);
  const made = await rig.take(`Input,Output\n${rows.join("")}bad\n`, undefined, { partBytes: 20_000 });
  expect(made).toMatchObject({ state: "done", rowsLanded: 10_000, rowsRefused: 1 });
  expect(await rig.refusals(made.id)).toMatchObject([{ rowNumber: 10_001, row: "bad" }]);
  const inputs = new Set((await rig.rows()).map(({ input, output }) => `${input} ${output}`));
  expect(inputs.size).toBe(10_000);
});

describe("is refused at once", () => {
  const gzip = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);
  const zip = Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 6, 0);
  const noise = Uint8Array.from({ length: 5000 }, (_, index) => (index * 7919) % 251);

  test.each<[string, string | Uint8Array, number, RegExp]>([
    ["an empty file", "", 400, /empty/],
    ["a file of spaces", " \n\n ", 400, /empty/],
    ["a file without a column", "Prompt,Output\na,b\n", 400, /no column `input`.*"Prompt", "Output"/],
    ["a file without both", "a;b\n1;2\n", 400, /no column `input` and no column `output`.*"a", "b"/],
    ["a gzip file", gzip, 415, /gzip.*Unpack/],
    ["an Excel workbook", zip, 415, /Excel.*CSV/],
    ["what is no text", noise, 415, /not a text file/],
    ["zeros", new Uint8Array(1000), 415, /not a text file/],
    ["a JSON array", '[{"input":"a","output":"b"}]', 400, /one object a line/],
    ["objects of something else", '{"prompt":"a"}\n{"prompt":"b"}\n', 400, /no column `input`.*"prompt"/],
    ["a million columns", `${"a,".repeat(1_000_000)}\nx\n`, 400, /longer than 65536 bytes/],
    ["a thousand and one columns", `Input,Output${",a".repeat(999)}\nx\n`, 400, /1001 columns; 1000/],
    ["newlines and nothing else", "\n".repeat(70_000), 400, /100 blank lines/],
    ["a hundred and one empty lines", `${"\n".repeat(101)}Input,Output\na,b\n`, 400, /100 blank lines/],
    ["a header that is not closed", 'Input,"Output\na,b\n', 400, /opens a quote|longer than|no header/],
  ])("%s", async (_what, content, status, message) => {
    const answer = await rig.send(content);
    expect(answer.status, answer.text).toBe(status);
    expect(answer.body.detail).toMatch(message);
    const [kept] = await rig.sql`select count(*)::int as count from parlance.interaction_imports`;
    expect(kept?.count).toBe(0);
  });

  test.each<[string, string | Record<string, unknown>, RegExp]>([
    ["options that are no JSON", "{", /JSON object/],
    ["options of another kind", [1] as never, /./],
    ["an option that is not known", { colour: "red" }, /colour/],
    ["a delimiter of two characters", { delimiter: "||" }, /./],
    ["a field that is not known", { mapping: { colour: "a" } }, /./],
    ["options that are too long", { mapping: { input: "x".repeat(30_000) } }, /./],
  ])("%s", async (_what, options, message) => {
    const answer = await rig.send("Input,Output\na,b\n", { options });
    expect(answer.status, answer.text).toBe(400);
    expect(JSON.stringify(answer.body.errors)).toMatch(message);
  });

  test("a column that is named and is not there", async () => {
    const answer = await rig.send("Input,Output\na,b\n", { options: { mapping: { app: "Programme" } } });
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toMatch(/no column "Programme" for `app`/);
  });

  test("a form without a file, and one that is too large", async () => {
    expect((await rig.call(rig.alice, "POST", "/interactions/bulk", { body: new FormData() })).status).toBe(
      400,
    );
    const small = rig.withSettings({ UPLOAD_BYTES_MAX: "2000" });
    const body = new FormData();
    body.set("file", new File([`Input,Output\n${"a,b\n".repeat(1000)}`], "a.csv"));
    const answer = await small.call(rig.alice, "POST", "/interactions/bulk", { body });
    expect(answer.status).toBe(413);
    expect(answer.body.detail).toMatch(/2000 bytes.*POST \/interactions\/imports/);
  });
});
