import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findCudaMajor, readNeededLibraries } from "../../../gpu-sidecar/devices/elf.ts";
import { findRuntimeFolder } from "../../../gpu-sidecar/devices/facts.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parlance-elf-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A library that needs these: a header, the entries, their texts, and the table of the three sections. */
function makeLibrary(needed: readonly string[]): Uint8Array {
  const texts = new TextEncoder().encode(`\0${needed.map((name) => `${name}\0`).join("")}`);
  const entriesAt = 64;
  const textsAt = entriesAt + 16 * (needed.length + 1);
  const tableAt = textsAt + texts.length;
  const bytes = new Uint8Array(tableAt + 3 * 64);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setBigUint64(40, BigInt(tableAt), true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 3, true);
  let textAt = 1;
  needed.forEach((name, index) => {
    view.setBigInt64(entriesAt + index * 16, 1n, true);
    view.setBigUint64(entriesAt + index * 16 + 8, BigInt(textAt), true);
    textAt += new TextEncoder().encode(name).length + 1;
  });
  bytes.set(texts, textsAt);
  const putSection = (index: number, type: number, at: number, size: number, link: number) => {
    const start = tableAt + index * 64;
    view.setUint32(start + 4, type, true);
    view.setBigUint64(start + 24, BigInt(at), true);
    view.setBigUint64(start + 32, BigInt(size), true);
    view.setUint32(start + 40, link, true);
  };
  putSection(1, 6, entriesAt, 16 * (needed.length + 1), 2);
  putSection(2, 3, textsAt, texts.length, 0);
  return bytes;
}

async function read(bytes: Uint8Array): Promise<string[] | undefined> {
  const path = join(folder, "library.so");
  await writeFile(path, bytes);
  return readNeededLibraries(path);
}

const provider = ["libcublasLt.so.13", "libcublas.so.13", "libcudart.so.13", "libc.so.6"];

test("what a library needs is read in its order", async () => {
  expect(await read(makeLibrary(provider))).toEqual(provider);
  expect(await read(makeLibrary([]))).toEqual([]);
});

// The package brings this library for Linux on every machine.
test("the real library of ONNX Runtime needs what the dynamic linker says", () => {
  const path = join(findRuntimeFolder(), "../../linux/x64/libonnxruntime.so.1");
  expect(readNeededLibraries(path)).toEqual(expect.arrayContaining(["libm.so.6", "libc.so.6"]));
});

describe("a file that is no library", () => {
  test.each([
    ["is empty", new Uint8Array(0)],
    ["is a text", new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\n".repeat(9))],
    [
      "is an ELF of 32 bits",
      new Uint8Array(64).fill(0).map((_, at) => [0x7f, 0x45, 0x4c, 0x46, 1, 1][at] ?? 0),
    ],
    ["ends in its header", makeLibrary(provider).subarray(0, 63)],
    ["ends before its table", makeLibrary(provider).subarray(0, 200)],
  ])("and %s needs nothing that can be told", async (_what, bytes) => {
    expect(await read(bytes)).toBeUndefined();
  });

  test("but looks like one, with any bytes wrong, is read in vain and does no harm", async () => {
    const whole = makeLibrary(provider);
    const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(flips, async (changes) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const needed = await read(bytes);
        expect(needed === undefined || needed.every((name) => name.length <= bytes.length)).toBe(true);
      }),
    );
  });
});

test.each([
  [provider, 13],
  [["libcudart.so.12", "libcublas.so.12"], 12],
  [["libcublasLt.so.11"], 11],
  [["libc.so.6", "libcudnn.so.9"], undefined],
  [[], undefined],
])("of %j, the CUDA is %s", (needed, major) => {
  expect(findCudaMajor(needed)).toBe(major);
});
