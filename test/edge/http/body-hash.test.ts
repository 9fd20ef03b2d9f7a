import fc from "fast-check";
import { expect, test } from "vitest";
import { hashBody } from "../../../edge/http/body-hash.ts";

const encode = (text: string) => new TextEncoder().encode(text);

const form = (boundary: string, parts: readonly string[]) =>
  encode(`${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join("")}--${boundary}--\r\n`);

const formType = (boundary: string) => `multipart/form-data; boundary=${boundary}`;

test("the same form under any boundary has the same hash, another form another", async () => {
  const boundary = fc.stringMatching(/^[A-Za-z0-9]{20,40}$/);
  const parts = fc.array(fc.string({ maxLength: 200 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(boundary, boundary, parts, parts, async (one, other, content, different) => {
      const hash = await hashBody(form(one, content), formType(one));
      expect(await hashBody(form(other, content), formType(other))).toBe(hash);
      const differs = JSON.stringify(content) !== JSON.stringify(different);
      if (differs) expect(await hashBody(form(one, different), formType(one))).not.toBe(hash);
    }),
    { numRuns: 100 },
  );
});

test("what is moved from one part to the next is another form", async () => {
  const hash = (parts: string[]) => hashBody(form("x", parts), formType("x"));
  expect(await hash(["ab", "c"])).not.toBe(await hash(["a", "bc"]));
  expect(await hash(["a"])).not.toBe(await hash(["a", ""]));
});

test("a boundary that is everywhere costs no more than any other", async () => {
  const body = new Uint8Array(2_000_000).fill(0x2d);
  expect(await hashBody(body, "multipart/form-data; boundary=-")).toMatch(/^[0-9a-f]{64}$/);
});

test("body, media type and query all count; parameters of the type do not", async () => {
  const hash = await hashBody(encode("{}"), "application/json");
  expect(await hashBody(encode("{}"), "application/json; charset=utf-8")).toBe(hash);
  expect(await hashBody(encode("{ }"), "application/json")).not.toBe(hash);
  expect(await hashBody(encode("{}"), "text/plain")).not.toBe(hash);
  expect(await hashBody(encode("{}"), "application/json", "?dry=1")).not.toBe(hash);
});
