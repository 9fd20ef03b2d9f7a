/**
 * Which addresses are public. Everything is refused that the IANA registries of special-purpose addresses (RFC 6890 and
 * those that follow it) do not call globally reachable, and what carries another address inside: whoever translates it
 * would reach that one.
 */

/** In IPv4 what is not named here is public. */
const closedV4 = [
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // private
  "100.64.0.0/10", // shared by a carrier's customers
  "127.0.0.0/8", // loopback
  "169.254.0.0/16", // link-local, and where clouds tell machines their secrets
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments
  "192.0.2.0/24", // documentation
  "192.31.196.0/24", // AS112
  "192.52.193.0/24", // AMT
  "192.88.99.0/24", // 6to4 relays, deprecated
  "192.168.0.0/16", // private
  "192.175.48.0/24", // AS112
  "198.18.0.0/15", // benchmarking
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and broadcast
];

/**
 * In IPv6 only 2000::/3 is given out. Outside of it lie ::, ::1, v4-mapped and v4-compatible addresses, NAT64
 * (64:ff9b::/96 and 64:ff9b:1::/48), 100::/64, SRv6, unique local, link-local, site-local and multicast ones.
 */
const openV6 = "2000::/3";
const closedV6 = [
  "2001::/23", // Teredo, benchmarking, ORCHID and other protocol assignments
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4: an IPv4 address inside
  "2620:4f:8000::/48", // AS112
  "3fff::/20", // documentation
];

/** Whether anyone on the internet could reach this address; what is no address is not public. */
export function isPublicAddress(text: string): boolean {
  const v4 = parseV4(text);
  if (v4 !== undefined) return !closedV4Ranges.some((range) => contains(range, v4));
  const v6 = parseV6(text);
  if (v6 === undefined || !contains(openV6Range, v6)) return false;
  return !closedV6Ranges.some((range) => contains(range, v6));
}

interface Range {
  readonly first: bigint;
  /** Bits that may differ. */
  readonly freeBits: bigint;
}

function contains({ first, freeBits }: Range, address: bigint): boolean {
  return address >> freeBits === first >> freeBits;
}

function parseRange(text: string): Range {
  const [address = "", bits = ""] = text.split("/");
  const v4 = parseV4(address);
  const first = v4 ?? parseV6(address);
  if (first === undefined) throw new RangeError(`${text} is no range of addresses`);
  return { first, freeBits: BigInt((v4 === undefined ? 128 : 32) - Number(bits)) };
}

/** Four decimal numbers, as resolvers and the URL parser write them; no octal or short forms. */
function parseV4(text: string): bigint | undefined {
  if (!/^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/.test(text)) return undefined;
  const parts = text.split(".").map(Number);
  if (parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

/** The URL parser knows every form of an IPv6 address and answers the shortest. A zone (`%eth0`) makes it none. */
function parseV6(text: string): bigint | undefined {
  if (!text.includes(":") || !URL.canParse(`http://[${text}]`)) return undefined;
  const { hostname } = new URL(`http://[${text}]`);
  const [head = "", tail = ""] = hostname.slice(1, -1).split("::");
  const before = head.split(":").filter(Boolean);
  const after = tail.split(":").filter(Boolean);
  const zeros = new Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after].reduce((sum, part) => sum * 65_536n + BigInt(`0x${part}`), 0n);
}

const closedV4Ranges = closedV4.map(parseRange);
const openV6Range = parseRange(openV6);
const closedV6Ranges = closedV6.map(parseRange);
