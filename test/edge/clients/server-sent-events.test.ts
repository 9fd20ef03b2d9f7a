import fc from "fast-check";
import { expect, test } from "vitest";
import { ServerSentEvents } from "../../../edge/clients/server-sent-events.ts";

/** The events of a text, whose bytes come in pieces that end at `cuts`. */
function read(text: string, cuts: readonly number[] = []): unknown[] {
  const events: unknown[] = [];
  const reader = new ServerSentEvents({
    readEvent: (event) => events.push(event),
    readDone: () => events.push("done"),
  });
  const bytes = new TextEncoder().encode(text);
  let from = 0;
  for (const to of cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b)) {
    reader.push(bytes.subarray(from, to));
    from = to;
  }
  reader.push(bytes.subarray(from));
  reader.end();
  return events;
}

const cuts = fc.array(fc.nat(5_000), { maxLength: 30 });

test("events are read however their bytes are cut and their lines end", () => {
  const lineEnd = fc.constantFrom("\n", "\r", "\r\n");
  const noise = fc.constantFrom("", ": still here", "event: message", "id: 7", "retry: 100", "dat", "data");
  const events = fc.array(
    fc.record({ value: fc.dictionary(fc.string(), fc.string({ unit: "binary" })), noise }),
    {
      maxLength: 10,
    },
  );
  fc.assert(
    fc.property(events, lineEnd, cuts, (given, end, at) => {
      const written = given.map(
        ({ value, noise: line }) =>
          `${line === "" ? "" : line + end}data: ${JSON.stringify(value)}${end}${end}`,
      );
      // A lone half of a surrogate pair is escaped by JSON.stringify, so that nothing is lost in UTF-8.
      expect(read(`${written.join("")}data: [DONE]${end}${end}`, at)).toEqual([
        ...given.map(({ value }) => value),
        "done",
      ]);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ["data without a space", 'data:{"a":1}\n\n', [{ a: 1 }]],
  ["data of several lines", 'data: {"a":\ndata: 1}\n\n', [{ a: 1 }]],
  ["a byte order mark", '\uFEFFdata: {"a":1}\n\n', [{ a: 1 }]],
  ["an event that lacks its empty line", 'data: {"a":1}', [{ a: 1 }]],
  ["an event that is no JSON, and one after it", 'data: {"a"\n\ndata: 2\n\n', [2]],
  ["nothing but comments", ": one\n\n: two\n\n", []],
  ["nothing", "", []],
])("%s", (_, text, events) => {
  expect(read(text)).toEqual(events);
});

test("an event of many megabytes takes no more than its limit, and does not hide the next", () => {
  const picture = "A".repeat(5_000_000);
  const [first, second] = read(`data: {"b64":"${picture}"}\n\ndata: {"a":1}\n\n`, [2_000_000, 4_000_000]) as [
    { b64: string },
    unknown,
  ];
  expect(first.b64.length).toBeLessThan(700_000);
  expect(first.b64).toMatch(/… \[\d+ characters left out\]$/);
  expect(second).toEqual({ a: 1 });
});
