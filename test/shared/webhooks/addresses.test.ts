import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { expect, test } from "vitest";
import { isPublicAddress } from "../../../shared/webhooks/addresses.ts";

/** The first and the last address of every range that must not be called, by what it is. */
const closed: readonly [string, string, string][] = [
  ["this network", "0.0.0.0", "0.255.255.255"],
  ["private", "10.0.0.0", "10.255.255.255"],
  ["private", "172.16.0.0", "172.31.255.255"],
  ["private", "192.168.0.0", "192.168.255.255"],
  ["carrier-grade NAT", "100.64.0.0", "100.127.255.255"],
  ["loopback", "127.0.0.0", "127.255.255.255"],
  ["link-local", "169.254.0.0", "169.254.255.255"],
  ["the metadata of clouds", "169.254.169.254", "169.254.170.2"],
  ["protocol assignments", "192.0.0.0", "192.0.0.255"],
  ["documentation", "192.0.2.0", "192.0.2.255"],
  ["documentation", "198.51.100.0", "198.51.100.255"],
  ["documentation", "203.0.113.0", "203.0.113.255"],
  ["AS112", "192.31.196.0", "192.31.196.255"],
  ["AS112", "192.175.48.0", "192.175.48.255"],
  ["AMT", "192.52.193.0", "192.52.193.255"],
  ["6to4 relays", "192.88.99.0", "192.88.99.255"],
  ["benchmarking", "198.18.0.0", "198.19.255.255"],
  ["multicast", "224.0.0.0", "239.255.255.255"],
  ["reserved", "240.0.0.0", "255.255.255.254"],
  ["broadcast", "255.255.255.255", "255.255.255.255"],
  ["unspecified and loopback", "::", "::1"],
  ["v4-compatible", "::2", "::ffff:ffff"],
  ["v4-compatible, written so", "::127.0.0.1", "::8.8.8.8"],
  ["v4-mapped", "::ffff:0:0", "::ffff:ffff:ffff"],
  ["v4-mapped, written so", "::ffff:127.0.0.1", "::ffff:8.8.8.8"],
  ["v4-translated", "::ffff:0:0:0", "::ffff:0:ffff:ffff"],
  ["NAT64", "64:ff9b::", "64:ff9b::ffff:ffff"],
  ["NAT64 of a network's own", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"],
  ["discard", "100::", "100::ffff:ffff:ffff:ffff"],
  ["Teredo", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["benchmarking", "2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff"],
  ["ORCHID", "2001:10::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["protocol assignments", "2001:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["documentation", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["documentation", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["6to4", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["AS112", "2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"],
  ["not given out", "4000::", "5fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["SRv6", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["unique local", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["link-local", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["site-local", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["multicast", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
];

test.each(closed)("%s is not public: %s to %s", (_what, first, last) => {
  expect([isPublicAddress(first), isPublicAddress(last)]).toEqual([false, false]);
});

/** The neighbours of those ranges, and what is well known. */
test.each([
  "1.0.0.0",
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "169.253.255.255",
  "169.255.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.0.1.0",
  "192.0.3.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2000::1",
  "2001:200::1",
  "2001:4860:4860::8888",
  "2001:DB9::1",
  "2003::1",
  "2606:4700:4700::1111",
  "2a00:1450:4001:81b::200e",
  "3ffe::1",
])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  "",
  "example.com",
  "1.1.1",
  "1.1.1.1.1",
  "01.1.1.1",
  "0x1.1.1.1",
  "16843009",
  "1.1.1.256",
  " 1.1.1.1",
  "1.1.1.1 ",
  "1.1.1.1/8",
  "2606:4700::1111%eth0",
  "[2606:4700::1111]",
  "2606:4700:::1111",
  "2606",
  ":",
])("%j is no address, so not a public one", (text) => {
  expect(isPublicAddress(text)).toBe(false);
});

const anyV4 = fc.ipV4();
/** As resolvers write them. Half begin as those that are given out do, a third of the other parts are zero. */
const part = fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(0xffff) });
const head = fc.oneof(fc.nat(0xffff), fc.constantFrom(0x2001, 0x2002, 0x2606, 0x2620, 0x2a00, 0x3fff));
const anyV6 = fc
  .tuple(head, part, part, part, part, part, part, part)
  .map((parts) => new ipaddr.IPv6(parts).toString());

test("what a library that knows the registries does not call unicast is not public", () => {
  const check = (address: string) => {
    if (isPublicAddress(address))
      expect([address, ipaddr.parse(address).range()]).toEqual([address, "unicast"]);
  };
  fc.assert(fc.property(fc.oneof(anyV4, anyV6), check), { numRuns: 20_000 });
});

test("what that library calls unicast is public, but for what was never given out", () => {
  const check = (address: string) => {
    const parsed = ipaddr.parse(address);
    if (parsed.range() !== "unicast" || isPublicAddress(address)) return;
    const isGivenOut = !(parsed instanceof ipaddr.IPv6) || parsed.match(ipaddr.IPv6.parse("2000::"), 3);
    expect([address, isGivenOut]).toEqual([address, false]);
  };
  fc.assert(fc.property(fc.oneof(anyV4, anyV6), check), { numRuns: 20_000 });
});

test("an address is the same however it is written", () => {
  fc.assert(
    fc.property(anyV6, (address) => {
      const parsed = ipaddr.IPv6.parse(address);
      const long = parsed.parts.map((value) => value.toString(16).padStart(4, "0")).join(":");
      expect(isPublicAddress(long)).toBe(isPublicAddress(address));
      expect(isPublicAddress(parsed.toNormalizedString().toUpperCase())).toBe(isPublicAddress(address));
    }),
  );
});
