/** Whether there seem to be two NATs in a row: a home router behind a carrier's, mostly. */
import { addressScope, type IpAddress } from "../address.ts";
import type { MappingClass } from "../mapping_class.ts";

/** What the hint is taken from. */
export interface DoubleNatEvidence {
  /** What the router says its address outside is, if it said anything. */
  readonly router: IpAddress | undefined;
  /** How servers see this machine in the router's family. */
  readonly reflexive: IpAddress | undefined;
  /** Addresses of this machine's interfaces. */
  readonly local: readonly IpAddress[];
  /** How the NAT in front maps. */
  readonly mapping: MappingClass;
}

/** True or false when something speaks for it, undefined when nothing does. */
export function hintsAtDoubleNat(evidence: DoubleNatEvidence): boolean | undefined {
  const { router, reflexive, local, mapping } = evidence;
  if (router !== undefined) {
    if (isShared(router) || addressScope(router) === "private") return true;
    return reflexive && reflexive.host !== router.host;
  }
  const outward = local.filter((address) =>
    address.family === 4 && !["loopback", "link_local"].includes(addressScope(address))
  );
  // Only when all are: some VPNs number their own interface out of 100.64.0.0/10.
  if (outward.length > 0 && outward.every(isShared)) return true;
  return mapping === "none" ? false : undefined;
}

function isShared(address: IpAddress): boolean {
  return addressScope(address) === "shared";
}
