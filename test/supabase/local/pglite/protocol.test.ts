import fc from "fast-check";
import { expect, test } from "vitest";
import * as protocol from "../../../../supabase/local/pglite/protocol.ts";
import { Turn } from "../../../../supabase/local/pglite/turn.ts";

const letter = fc.constantFrom("P", "B", "D", "E", "H", "S", "Q", "X");
const message = fc.tuple(letter, fc.uint8Array({ maxLength: 40 }));

test("however a stream of messages is cut, the same messages come out, and nothing is left", () => {
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 20 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 30 })),
      (sent, sizes) => {
        const bytes = protocol.concatBytes(sent.map(([type, body]) => protocol.encodeMessage(type, body)));
        const received: [string, Uint8Array][] = [];
        let rest: Uint8Array = new Uint8Array();
        for (let offset = 0; offset < bytes.length; ) {
          const end = offset + (sizes.next().value ?? 1);
          const split = protocol.splitMessages(protocol.concatBytes([rest, bytes.subarray(offset, end)]));
          received.push(
            ...split.messages.map(({ type, body }): [string, Uint8Array] => [type, Uint8Array.from(body)]),
          );
          rest = split.rest;
          offset = end;
        }
        expect(received).toEqual(sent);
        expect(rest).toHaveLength(0);
      },
    ),
  );
});

test("a startup message gives back its parameters, and is not read before it is whole", () => {
  const bytes = protocol.encodeStartup({ user: "anna", TimeZone: "UTC" });
  expect(protocol.readStartup(bytes.subarray(0, -1))).toBeUndefined();
  const behind = protocol.encodeQuery("select 1");
  expect(protocol.readStartup(protocol.concatBytes([bytes, behind]))).toEqual({
    code: protocol.protocolVersion,
    parameters: { user: "anna", TimeZone: "UTC" },
    rest: new Uint8Array(behind),
  });
});

test("an error gives back its fields", () => {
  const [error] = protocol.splitMessages(protocol.encodeError("FATAL", "28000", "no, Ünna")).messages;
  expect(protocol.readErrorFields(error?.body ?? new Uint8Array())).toEqual({
    S: "FATAL",
    V: "FATAL",
    C: "28000",
    M: "no, Ünna",
  });
});

test.each<[string, string, boolean]>([
  ["nothing was said", "", true],
  ["a query was answered", "Q>I", true],
  ["a query is not answered yet", "Q", false],
  ["a transaction is open", "Q>T", false],
  ["a transaction has failed", "Q>T Q>E", false],
  ["a transaction has ended", "Q>T Q>T Q>I", true],
  ["a statement waits for its Sync", "Q>I PD", false],
  ["its Sync is not answered yet", "PBDES", false],
  ["its Sync was answered", "PD BES>I", true],
  ["one of two batches was answered", "PBES PBES>I", false],
  ["both were", "PBES PBES>I >I", true],
  ["a statement follows the last Sync", "PBES P>I", false],
])("when %s (%s), the turn being over is %s", (_name, said, over) => {
  const turn = new Turn();
  for (const [index, character] of [...said].entries()) {
    if (said[index - 1] === ">") turn.hearReady(character);
    else if (/[A-Z]/.test(character)) turn.say(character);
  }
  expect(turn.over).toBe(over);
});
