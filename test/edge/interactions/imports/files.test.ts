import { afterAll, beforeAll, expect, test } from "vitest";
import { type ImportRig, openImportRig } from "./rig.ts";

let rig: ImportRig;

beforeAll(async () => {
  rig = await openImportRig();
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
});
