import { createClient } from "@supabase/supabase-js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Broadcast,
  decodeFrame,
  encodeBroadcast,
  encodeFrame,
  ProtocolError,
  parseVersion,
} from "../../../../supabase/local/realtime/protocol.ts";

/** The client's own half of the protocol: what it writes we read, what we write it reads. */
const { serializer } = createClient("http://127.0.0.1:1", "sb_publishable_x").realtime;

const encoder = new TextEncoder();
/** Unicode text of at most 255 bytes, surrogates whole. */
const shortText = fc
  .string({ unit: "grapheme", maxLength: 80 })
  .filter((text) => encoder.encode(text).length <= 255);
const json = fc.jsonValue().filter((value) => value !== null);
const bytes = fc.uint8Array({ maxLength: 2_000 });
const versions = fc.constantFrom("1.0.0" as const, "2.0.0" as const);

function clientEncode(message: Parameters<typeof serializer.encode>[0]): string | Uint8Array {
  const encoded: unknown = serializer.encode(message, (result) => result);
  if (typeof encoded === "string") return encoded;
  if (encoded instanceof ArrayBuffer) return new Uint8Array(encoded);
  throw new Error("The client wrote neither text nor bytes.");
}

function clientDecode(frame: string | Uint8Array): unknown {
  return serializer.decode(
    typeof frame === "string" ? frame : frame.slice().buffer,
    (result: unknown) => result,
  );
}

function parse(broadcast: Broadcast | undefined): unknown {
  return JSON.parse(new TextDecoder().decode(broadcast?.payload));
}

/** A binary frame of the client, byte for byte. */
function push(
  options: { lengths?: number[]; encoding?: number; rest?: string | Uint8Array } = {},
): Uint8Array {
  const { lengths = [1, 1, 1, 1, 0], encoding = 1, rest = "12te{}" } = options;
  const tail = typeof rest === "string" ? encoder.encode(rest) : rest;
  return new Uint8Array([3, ...lengths, encoding, ...tail]);
}

describe("what the client sends", () => {
  test("a JSON broadcast of the client is read as it was meant", () => {
    fc.assert(
      fc.property(shortText, shortText, shortText, json, (topic, event, ref, payload) => {
        const sent = clientEncode({
          join_ref: "1",
          ref,
          topic,
          event: "broadcast",
          payload: { type: "broadcast", event, payload },
        });
        const frame = decodeFrame("2.0.0", sent);
        expect(frame).toMatchObject({ joinRef: "1", ref: ref || null, topic, event: "broadcast" });
        expect(frame.broadcast).toMatchObject({ event, encoding: "json" });
        expect(parse(frame.broadcast)).toEqual(JSON.parse(JSON.stringify(payload)));
      }),
    );
  });

  test("a binary broadcast of the client keeps every byte, and its metadata", () => {
    fc.assert(
      fc.property(shortText, bytes, fc.option(fc.nat()), (event, payload, ttl) => {
        const persist = ttl === null ? {} : { persist: { ttl } };
        const sent = clientEncode({
          join_ref: "1",
          ref: "2",
          topic: "realtime:t",
          event: "broadcast",
          payload: { type: "broadcast", event, payload: payload.slice().buffer, ...persist },
        });
        const { broadcast } = decodeFrame("2.0.0", sent);
        expect(broadcast).toEqual({
          event,
          encoding: "binary",
          payload: expect.anything(),
          ...(ttl === null ? {} : { meta: persist }),
        });
        expect([...(broadcast?.payload ?? [])]).toEqual([...payload]);
      }),
    );
  });

  test("a text frame of either version survives a round trip", () => {
    fc.assert(
      fc.property(
        versions,
        fc.record({
          joinRef: fc.option(fc.string()),
          ref: fc.option(fc.string()),
          topic: fc.string(),
          event: fc.string(),
          payload: fc.object().map((value): unknown => JSON.parse(JSON.stringify(value))),
        }),
        (version, frame) => {
          expect(decodeFrame(version, encodeFrame(version, frame))).toEqual(frame);
        },
      ),
    );
  });

  test("a frame cut short anywhere in its header or names is refused", () => {
    const whole = push({ lengths: [2, 2, 5, 3, 2], rest: "1122topicevt{}" });
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => decodeFrame("2.0.0", whole.subarray(0, length))).toThrow(ProtocolError);
    }
    expect(() => decodeFrame("2.0.0", whole)).toThrow(ProtocolError); // JSON is announced and nothing follows.
  });

  test("bytes of chance are read or refused, and nothing else happens", () => {
    fc.assert(
      fc.property(versions, fc.oneof(bytes, fc.string()), (version, data) => {
        try {
          decodeFrame(version, data);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ["a kind that only servers send", new Uint8Array([4, 1, 1, 0, 1, 116, 101, 123, 125])],
    ["a kind that nobody knows", new Uint8Array([9, 0, 0, 0, 0, 0, 1])],
    ["an encoding that nobody knows", push({ encoding: 2 })],
    ["an empty frame", new Uint8Array()],
    ["a payload that is announced as JSON and is not", push({ rest: "12te{" })],
    ["a topic that is not UTF-8", push({ rest: new Uint8Array([49, 50, 0xff, 101, 123, 125]) })],
    ["a payload that is not UTF-8", push({ rest: new Uint8Array([49, 50, 116, 101, 34, 0xc3, 34]) })],
    ["metadata that is not an object", push({ lengths: [1, 1, 1, 1, 2], rest: "12te[]{}" })],
    ["metadata that is not JSON", push({ lengths: [1, 1, 1, 1, 2], rest: "12te{x{}" })],
    ["text that is not JSON", "[1,"],
    ["an array that is too short", '["1","2","topic","event"]'],
    ["a topic that is not text", '["1","2",3,"event",{}]'],
    ["an object where an array belongs", '{"topic":"t","event":"e","payload":{},"ref":"1"}'],
  ])("version 2.0.0 refuses %s", (_, data) => {
    expect(() => decodeFrame("2.0.0", data)).toThrow(ProtocolError);
  });

  test("version 1.0.0 refuses an array and every binary frame", () => {
    expect(() => decodeFrame("1.0.0", '["1","2","t","e",{}]')).toThrow(ProtocolError);
    expect(() => decodeFrame("1.0.0", push())).toThrow(ProtocolError);
  });

  test("a version that nobody speaks is no version, and none at all is the oldest", () => {
    expect(["1.0.0", "2.0.0", null, "3.0.0", "", "2"].map(parseVersion)).toEqual([
      "1.0.0",
      "2.0.0",
      "1.0.0",
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("what the server sends", () => {
  const meta = fc.option(fc.record({ id: fc.uuid(), replayed: fc.boolean() }), { nil: undefined });

  test("a broadcast of the server reaches the client whole, however long its names are", () => {
    const anyText = fc.string({ unit: "grapheme", maxLength: 400 });
    fc.assert(
      fc.property(anyText, anyText, json, meta, (topic, event, payload, meta) => {
        const frame = encodeBroadcast("2.0.0", topic, {
          event,
          encoding: "json",
          payload: encoder.encode(JSON.stringify(payload)),
          ...(meta ? { meta } : {}),
        });
        if (frame === undefined) throw new Error("Nothing was written.");
        const fits = [topic, event].every((text) => encoder.encode(text).length <= 255);
        expect(typeof frame).toBe(fits ? "object" : "string");
        expect(clientDecode(frame)).toEqual({
          join_ref: null,
          ref: null,
          topic,
          event: "broadcast",
          payload: {
            type: "broadcast",
            event,
            payload: JSON.parse(JSON.stringify(payload)),
            ...(meta ? { meta } : {}),
          },
        });
      }),
    );
  });

  test("bytes reach the client as bytes", () => {
    fc.assert(
      fc.property(bytes, (payload) => {
        const frame = encodeBroadcast("2.0.0", "realtime:t", { event: "e", encoding: "binary", payload });
        expect(clientDecode(frame ?? "")).toMatchObject({
          payload: { type: "broadcast", event: "e", payload: payload.slice().buffer },
        });
      }),
    );
  });

  test("bytes that no frame can carry are not sent as anything else", () => {
    const broadcast: Broadcast = { event: "e", encoding: "binary", payload: new Uint8Array([1]) };
    expect(encodeBroadcast("1.0.0", "realtime:t", broadcast)).toBeUndefined();
    expect(encodeBroadcast("2.0.0", "t".repeat(256), broadcast)).toBeUndefined();
  });

  test("numbers beyond a double and the order of keys survive in every form", () => {
    const text = '{"b": 12345678901234567890.10, "a": 1}';
    const broadcast: Broadcast = { event: "e", encoding: "json", payload: encoder.encode(text) };
    for (const frame of [
      encodeBroadcast("1.0.0", "realtime:t", broadcast),
      encodeBroadcast("2.0.0", "realtime:t", broadcast),
      encodeBroadcast("2.0.0", "t".repeat(256), broadcast),
    ]) {
      expect(typeof frame === "string" ? frame : new TextDecoder().decode(frame)).toContain(text);
    }
  });

  test("version 1.0.0 is an object that the client of that version reads", () => {
    const frame = encodeBroadcast("1.0.0", 'realtime:a "b"', {
      event: "e",
      encoding: "json",
      payload: encoder.encode("[1]"),
      meta: { id: "x" },
    });
    expect(JSON.parse(String(frame))).toEqual({
      topic: 'realtime:a "b"',
      event: "broadcast",
      payload: { type: "broadcast", event: "e", payload: [1], meta: { id: "x" } },
      ref: null,
      join_ref: null,
    });
  });
});
