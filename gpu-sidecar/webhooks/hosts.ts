import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isPublicAddress } from "../../shared/webhooks/addresses.ts";
import { hostOf, type WebhookTargets } from "../../shared/webhooks/targets.ts";
import { CallFault, faultOf } from "./faults.ts";

/** Every address of a host, as the system resolves names. */
export type ResolveHost = (host: string) => Promise<LookupAddress[]>;

export const resolveHost: ResolveHost = (host) => lookup(host, { all: true });

export interface HostRules {
  readonly resolve: ResolveHost;
  readonly targets: WebhookTargets;
  /** Instead of what the internet calls public. */
  readonly isPublic?: (address: string) => boolean;
}

/**
 * The addresses that may be called for a URL, looked up once: the call goes to exactly these, so that a name which means
 * something else a moment later changes nothing. One address that is not public closes the whole host; what a name means
 * may change until the next try, an address in the URL does not.
 */
export async function findAddresses(url: URL, rules: HostRules): Promise<LookupAddress[]> {
  const host = hostOf(url);
  const family = isIP(host);
  const addresses = family === 0 ? await resolve(host, rules) : [{ address: host, family }];
  if (addresses.length === 0) throw new CallFault("The host has no address.", { retryable: true });
  const isPublic = rules.isPublic ?? isPublicAddress;
  if (rules.targets === "any" || addresses.every(({ address }) => isPublic(address))) return addresses;
  // Which address it is would tell strangers of the network that this runs in.
  throw new CallFault("The host is not one of the public internet.", { retryable: family === 0 });
}

async function resolve(host: string, rules: HostRules): Promise<LookupAddress[]> {
  try {
    return await rules.resolve(host);
  } catch (error) {
    throw faultOf(error);
  }
}
