/** What can be judged of a webhook's address before its host is looked up: asked when it is named and at every call. */
import { isPublicAddress } from "./addresses.ts";

/** `public` is for everyone's sake; `any` is for trying things out: http and addresses that are not public. */
export const webhookTargets = ["public", "any"] as const;
export type WebhookTargets = (typeof webhookTargets)[number];

/** Ports of services that take orders from whoever connects, or whose operators take a call for an attack. */
const closedPorts = new Set([
  7, 9, 19, 20, 21, 22, 23, 25, 53, 69, 79, 110, 111, 119, 123, 135, 137, 138, 139, 143, 161, 179, 389, 445,
  465, 512, 513, 514, 515, 587, 636, 873, 989, 990, 993, 995, 1433, 1521, 2049, 2375, 3306, 3389, 5432, 5900,
  6379, 9200, 11211, 27017,
]);

/** Names that mean something on one machine or network only (RFC 6761, 6762, 8375, ICANN's `internal`), or nothing. */
const localName =
  /^[^.]+$|(?:^|\.)(?:localhost|local|internal|home\.arpa|lan|invalid|test|onion)$|(?:^|\.)(?:\.|$)/;

/** Why this address is not called, in words that end a sentence about `url`; undefined where nothing speaks against it. */
export function findTargetFault(text: string, targets: WebhookTargets): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || text.length > 2000) return "must be a URL of at most 2000 characters";
  // The URL parser drops some of these: what is shown would not be what is called.
  if (/[\s\p{Cc}]/u.test(text)) return "must not hold spaces or control characters";
  if (url.protocol !== "https:" && !(url.protocol === "http:" && targets === "any")) {
    return "must begin with https://";
  }
  if (url.username !== "" || url.password !== "") return "must not hold a name or password";
  if (url.hash !== "") return "must not hold a fragment (#…)";
  if (closedPorts.has(Number(url.port || 443))) return `must not have the port ${url.port}`;
  if (targets === "any") return undefined;
  const host = hostOf(url);
  const isAddress = /^[\d.]+$|:/.test(host);
  if (isAddress ? !isPublicAddress(host) : localName.test(host))
    return "must name a host of the public internet";
  return undefined;
}

/** The host as a resolver takes it: without the brackets of an IPv6 address and the dot of the root. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}
