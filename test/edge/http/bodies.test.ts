import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestApp, type TestApp, type Who } from "../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp({ environment: { BODY_BYTES_MAX: "2048", UPLOAD_BYTES_MAX: "8192" } });
  await house.deps.objects.ensureBucket();
});
afterAll(() => house.close());

/** A body of unknown length, and how much of it was asked for. */
function endless(partBytes = 1024) {
  const sent = { bytes: 0, isCancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent.bytes += partBytes;
      controller.enqueue(new Uint8Array(partBytes).fill(0x20));
    },
    cancel() {
      sent.isCancelled = true;
    },
  });
  return { stream, sent };
}

function send(body: BodyInit, headers: Record<string, string>, who: Who = house.alice) {
  const init = { body, headers, duplex: "half" };
  return house.call(who, "POST", "/images", init as RequestInit);
}

const json = { "content-type": "application/json" };
const upload = (bytes: number) =>
  JSON.stringify({ name: "a.jpg", mediaType: "image/jpeg", sizeBytes: 1, title: "x".repeat(200) }).padEnd(
    bytes,
  );

test("JSON up to its limit is taken, one byte more is refused by the limit's number", async () => {
  expect((await send(upload(2048), json)).status).toBe(201);
  const answer = await send(upload(2049), json);
  expect([answer.status, answer.body.code, answer.body.detail]).toEqual([
    413,
    "payload_too_large",
    expect.stringContaining("2048 bytes"),
  ]);
});

test("a body without a length is refused while it streams in, and not read to its end", async () => {
  const { stream, sent } = endless();
  const answer = await send(stream, json);
  expect([answer.status, answer.body.code]).toEqual([413, "payload_too_large"]);
  expect(sent.isCancelled).toBe(true);
  expect(sent.bytes).toBeLessThanOrEqual(8192);
});

test("a declared length is believed when it is too large, and not when it is too small", async () => {
  const { stream, sent } = endless();
  const refused = await send(stream, { ...json, "content-length": "1000000" });
  expect([refused.status, refused.body.code]).toEqual([413, "payload_too_large"]);
  expect(sent.bytes).toBeLessThanOrEqual(2048);
  const lying = await send(endless().stream, { ...json, "content-length": "10" });
  expect([lying.status, lying.body.code]).toEqual([413, "payload_too_large"]);
});

test.each(["-1", "many", "1e3", "NaN"])("a length of %j lets nothing through", async (length) => {
  const answer = await send(endless().stream, { ...json, "content-length": length });
  expect(answer.status).toBe(413);
});

test("a form may be as large as a file with its fields, and no larger", async () => {
  const form = (bytes: number) => {
    const data = new FormData();
    data.set("file", new File([new Uint8Array(bytes).fill(1)], "a.jpg", { type: "image/jpeg" }));
    return data;
  };
  const fits = await house.call(house.alice, "POST", "/images", { body: form(8192) });
  expect(fits.body.code).toBe("unsupported_media_type");
  const tooLarge = await house.call(house.alice, "POST", "/images", { body: form(10_500) });
  expect([tooLarge.status, tooLarge.body.code]).toEqual([413, "payload_too_large"]);
  const endlessForm = endless();
  const streamed = await send(endlessForm.stream, { "content-type": "multipart/form-data; boundary=x" });
  expect([streamed.status, streamed.body.code]).toEqual([413, "payload_too_large"]);
  expect(endlessForm.sent.isCancelled).toBe(true);
});

test("for who is not signed in, no more than JSON is kept of a form without a length", async () => {
  const { stream, sent } = endless();
  const answer = await send(stream, { "content-type": "multipart/form-data; boundary=x" }, "publishable");
  expect([answer.status, answer.body.code]).toEqual([413, "payload_too_large"]);
  expect(sent.bytes).toBeLessThanOrEqual(8192);
  const small = await send("{}", { "content-type": "application/json" }, "publishable");
  expect(small.status).toBe(401);
});

test("a body that breaks off is the caller's trouble, not ours", async () => {
  const stream = new ReadableStream({ pull: (controller) => controller.error(new Error("reset")) });
  const answer = await send(stream, json);
  expect([answer.status, answer.body.code]).toEqual([400, "invalid_request"]);
});
