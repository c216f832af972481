/** Links: the networks that a machine is on, one for each interface and family. Pure. */
import { addressScope, type IpAddress, ipAddressToBytes, parseIpAddress } from "../nat/address.ts";
import { MAX_LINKS } from "./limits.ts";

/** One address of one interface, as `Deno.networkInterfaces()` lists them. */
export interface LanInterface {
  readonly name: string;
  readonly address: string;
  readonly netmask: string;
  /** Number of the interface, with addresses of IPv6 that mean something on one link only. */
  readonly scopeid: number | null;
}

/** A network within reach. */
export interface LanLink {
  /** Tells it from others; the same as long as its addresses are. */
  readonly key: string;
  readonly family: 4 | 6;
  readonly interfaceName: string;
  /** The interface's number; of IPv6 only. */
  readonly scope: number;
  /** This machine's own addresses of the family on it; at least one. */
  readonly networks: readonly { readonly address: IpAddress; readonly netmask: IpAddress }[];
  /** This machine's addresses on the interface, of both families: where shares are. */
  readonly hosts: readonly IpAddress[];
}

/** Addresses of an interface that are announced; more are seldom, and each costs 100 bytes. */
const MAX_HOSTS = 4;

/** The links of a machine: at most {@linkcode MAX_LINKS}, none of them loopback. */
export function linksOf(interfaces: readonly LanInterface[]): LanLink[] {
  const links: LanLink[] = [];
  for (const name of new Set(interfaces.map(({ name }) => name))) {
    const own = interfaces.filter((one) => one.name === name).flatMap(readInterface);
    for (const family of [4, 6] as const) {
      const networks = own.filter(({ address }) => address.family === family);
      const scope = networks.find(({ scope }) => scope > 0)?.scope ?? 0;
      // Multicast of IPv6 goes through an interface by its number.
      if (networks.length === 0 || (family === 6 && scope === 0)) continue;
      const hosts = own.map(({ address }) => address).slice(0, MAX_HOSTS);
      const key = `${family} ${name} ${scope} ${own.map(({ address }) => address.host).join(" ")}`;
      links.push({ key, family, interfaceName: name, scope, networks, hosts });
    }
  }
  return links.slice(0, MAX_LINKS);
}

function readInterface(
  { address: text, netmask: mask, scopeid }: LanInterface,
): { address: IpAddress; netmask: IpAddress; scope: number }[] {
  const address = parseIpAddress(text);
  const netmask = parseIpAddress(mask);
  if (address === undefined || netmask === undefined || address.family !== netmask.family) {
    return [];
  }
  return addressScope(address) === "loopback" ? [] : [{ address, netmask, scope: scopeid ?? 0 }];
}

/**
 * Whether an address is on a link, as far as can be told: what comes from elsewhere has no business in
 * multicast DNS (RFC 6762, section 11).
 */
export function isOnLink(link: LanLink, from: IpAddress): boolean {
  if (from.family !== link.family) return false;
  if (from.family === 6 && addressScope(from) === "link_local") return true;
  const bytes = ipAddressToBytes(from);
  return link.networks.some(({ address, netmask }) => {
    const own = ipAddressToBytes(address);
    const mask = ipAddressToBytes(netmask);
    return bytes.every((byte, index) => ((byte ^ own[index]!) & mask[index]!) === 0);
  });
}
