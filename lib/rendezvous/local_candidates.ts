/**
 * Which of this machine's addresses go into a code: as few as can work, because people type them.
 *
 * Not here: addresses that others see (STUN, port mapping), those a person names
 * (`manual_candidates.ts`), and asking the system for its interfaces.
 */
import {
  addressScope,
  type IpAddress,
  ipAddressToBytes,
  isSameSocketAddress,
  parseIpAddress,
  type SocketAddress,
} from "../nat/address.ts";
import { type Candidate, MAX_CANDIDATES } from "../nat/candidate.ts";

/** One address of one interface, as `Deno.networkInterfaces()` lists them. */
export interface LocalInterface {
  /** Name of the interface; one with several addresses is listed several times. */
  readonly name: string;
  /** IPv4 or IPv6 address. */
  readonly address: string;
}

/** What {@linkcode chooseLocalCandidates} goes by besides the interfaces. */
export interface LocalCandidateOptions {
  /**
   * What the sockets are bound to, at most one of each family. `0.0.0.0` and `::` stand for every
   * address of their family.
   */
  readonly bound: readonly SocketAddress[];
  /** Puts a loopback address in, too: for two processes on one machine. */
  readonly allowLoopback: boolean;
  /** At most {@linkcode MAX_CANDIDATES} that go first, whatever the interfaces are. */
  readonly manual?: readonly Candidate[];
}

interface LocalAddress {
  readonly interfaceName: string;
  readonly ip: IpAddress;
  readonly port: number;
}

/**
 * Interfaces that lead to containers and virtual machines on this machine only, by the names that
 * Docker, Podman, libvirt, LXC, Kubernetes, VirtualBox, VMware, Hyper-V and Apple give them.
 * Tunnels (`tun`, `utun`, `wg`) are not among them: both peers are often in the same VPN.
 */
const VIRTUAL_INTERFACE =
  /^(?:docker|br-|veth|virbr|vnet|lxc|lxd|cni|flannel|cali|podman|kube|vbox|vmnet|vmware|vethernet|bridge|awdl|llw|dummy)/i;

/**
 * Chooses the candidates of a code. The first of these that exists is taken, whole: IPv4 of real
 * interfaces; global IPv6; unique local IPv6; link-local IPv4; IPv4 of virtual interfaces; their IPv6. Of
 * IPv6 only one address an interface, since the others lead to the same place and each costs 27
 * characters. Link-local IPv6 is never taken: it means nothing without a zone.
 *
 * @param interfaces In any order; entries that hold no address are passed over.
 * @returns At most {@linkcode MAX_CANDIDATES}, in an order that does not depend on that of
 * `interfaces`; empty when this machine has no address of use.
 */
export function chooseLocalCandidates(
  interfaces: readonly LocalInterface[],
  options: LocalCandidateOptions,
): Candidate[] {
  const addresses = boundAddresses(interfaces, options.bound).sort(compareAddresses);
  const manual = options.manual ?? [];
  const loopback = options.allowLoopback
    ? addresses.filter(({ ip }) => addressScope(ip) === "loopback").slice(0, 1)
    : [];
  const chosen: Candidate[] = [];
  for (const candidate of manual) add(chosen, candidate, MAX_CANDIDATES);
  for (const address of onePerInterface(bestTier(addresses))) {
    add(chosen, hostCandidate(address), MAX_CANDIDATES - loopback.length);
  }
  for (const address of loopback) add(chosen, hostCandidate(address), MAX_CANDIDATES);
  return chosen;
}

/** What can be reached through the sockets. */
function boundAddresses(
  interfaces: readonly LocalInterface[],
  bound: readonly SocketAddress[],
): LocalAddress[] {
  return bound.flatMap(({ family, host, port }) => {
    if (addressScope({ family, host }) !== "unspecified") {
      return [{ interfaceName: "", ip: { family, host }, port }];
    }
    return interfaces.flatMap(({ name, address }) => {
      const ip = parseIpAddress(address);
      return ip?.family === family ? [{ interfaceName: name, ip, port }] : [];
    });
  });
}

function bestTier(addresses: readonly LocalAddress[]): LocalAddress[] {
  const best = Math.min(...addresses.map(tierOf));
  return best === Infinity ? [] : addresses.filter((address) => tierOf(address) === best);
}

/** Lower is better; Infinity is never taken. */
function tierOf({ interfaceName, ip }: LocalAddress): number {
  const scope = addressScope(ip);
  const isVirtual = VIRTUAL_INTERFACE.test(interfaceName);
  switch (scope) {
    case "unspecified":
    case "loopback":
    case "multicast":
    case "broadcast":
      return Infinity;
    case "link_local":
      if (ip.family === 6) return Infinity;
      return isVirtual ? 4 : 3;
    case "global":
    case "private":
    case "shared":
    case "unique_local":
    case "reserved":
      if (isVirtual) return ip.family === 4 ? 4 : 5;
      if (ip.family === 4) return 0;
      return scope === "unique_local" ? 2 : 1;
    default:
      return scope satisfies never;
  }
}

/** Leaves the first IPv6 address of each interface, and every IPv4 address. */
function onePerInterface(addresses: readonly LocalAddress[]): LocalAddress[] {
  const seen = new Set<string>();
  return addresses.filter(({ interfaceName, ip }) => {
    if (ip.family === 4) return true;
    const isFirst = !seen.has(interfaceName);
    seen.add(interfaceName);
    return isFirst;
  });
}

/** IPv4 first, then what more peers can reach, then by interface and number. */
function compareAddresses(a: LocalAddress, b: LocalAddress): number {
  return a.ip.family - b.ip.family ||
    Number(addressScope(b.ip) === "global") - Number(addressScope(a.ip) === "global") ||
    compareText(a.interfaceName, b.interfaceName) ||
    compareBytes(ipAddressToBytes(a.ip), ipAddressToBytes(b.ip));
}

/** By code unit, so that the order is the same in every locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const index = a.findIndex((byte, index) => byte !== b[index]);
  return index < 0 ? 0 : a[index]! - b[index]!;
}

function hostCandidate({ ip, port }: LocalAddress): Candidate {
  return { kind: "host", address: { family: ip.family, host: ip.host, port } };
}

/** Adds a candidate unless its address is there already or there are `maxCount`. */
function add(chosen: Candidate[], candidate: Candidate, maxCount: number): void {
  if (chosen.length >= maxCount) return;
  if (chosen.some(({ address }) => isSameSocketAddress(address, candidate.address))) return;
  chosen.push(candidate);
}
