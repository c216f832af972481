/**
 * Where the router may be. There is no call that tells, so unless the system's route table can be
 * read, the usual places are tried: routers have the first or the last address of their network.
 * Pure.
 */
import {
  addressScope,
  type IpAddress,
  ipAddressFromBytes,
  ipAddressToBytes,
  parseIpAddress,
} from "../nat/address.ts";

/** One address of one interface, as `Deno.networkInterfaces()` lists them. */
export interface LanInterface {
  /** Name of the interface. */
  readonly name: string;
  /** IPv4 or IPv6 address. */
  readonly address: string;
  /** The mask of its network, e.g. `255.255.255.0`; /24 is assumed without. */
  readonly netmask?: string;
}

/** An interface behind which there may be a NAT router. */
export interface PrivateNetwork {
  /** This machine's address in it. */
  readonly client: IpAddress;
  /** The mask of the network, as a number of 32 bits. */
  readonly mask: number;
}

/** More interfaces than this are containers and virtual machines. */
const MAX_NETWORKS = 8;
/** Lines of a route table that are looked at. */
const MAX_ROUTES = 1024;
const MASK_24 = 0xffffff00;
const ROUTE_IS_UP_BY_GATEWAY = 3;
const HEX_ADDRESS = /^[0-9A-F]{8}$/i;

/** The private IPv4 networks among `interfaces`, at most eight. */
export function privateNetworks(interfaces: readonly LanInterface[]): PrivateNetwork[] {
  const networks = interfaces.flatMap(({ address, netmask }) => {
    const client = parseIpAddress(address);
    if (client?.family !== 4) return [];
    const scope = addressScope(client);
    if (scope !== "private" && scope !== "shared") return [];
    return [{ client, mask: parseMask(netmask) ?? MASK_24 }];
  });
  return networks.slice(0, MAX_NETWORKS);
}

/** True when `address` is in the network and is not this machine's. */
export function isNeighbour({ client, mask }: PrivateNetwork, address: IpAddress): boolean {
  if (address.family !== 4 || address.host === client.host) return false;
  return ((toNumber(address) ^ toNumber(client)) & mask) === 0;
}

/**
 * Whom to ask in a network: the known routers in it, or else the first and the last address of the
 * network and, when that is a large one, of the /24 this machine is in.
 *
 * @returns At most four, none of them this machine; nobody in a network without neighbours.
 */
export function guessRouters(
  network: PrivateNetwork,
  knownRouters: readonly IpAddress[],
): IpAddress[] {
  const known = knownRouters.filter((router) => isNeighbour(network, router));
  if (known.length > 0) return known.slice(0, 4);
  const { client, mask } = network;
  const guesses = [mask, (mask | MASK_24) >>> 0].flatMap((mask) => {
    const own = toNumber(client);
    const base = (own & mask) >>> 0;
    const broadcast = (own | ~mask) >>> 0;
    // A /31 has two hosts and no broadcast address (RFC 3021), a /32 none but this machine.
    return broadcast - base > 1 ? [base + 1, broadcast - 1] : [base, broadcast];
  });
  return [...new Set(guesses)].map(fromNumber).filter((guess) => isNeighbour(network, guess));
}

/**
 * The routers of Linux's /proc/net/route, in order: lines of interface, destination, gateway, flags,
 * of which the addresses are hexadecimal and stand in the byte order of a little-endian machine.
 */
export function parseRouteTable(text: string): IpAddress[] {
  const routers: IpAddress[] = [];
  for (const line of text.split("\n").slice(1, MAX_ROUTES)) {
    const [, destination, gateway = "", flags = ""] = line.split("\t");
    if (destination !== "00000000" || !HEX_ADDRESS.test(gateway)) continue;
    if ((Number.parseInt(flags, 16) & ROUTE_IS_UP_BY_GATEWAY) !== ROUTE_IS_UP_BY_GATEWAY) continue;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, Number.parseInt(gateway, 16), true);
    const router = ipAddressFromBytes(bytes)!;
    if (!routers.some(({ host }) => host === router.host)) routers.push(router);
  }
  return routers;
}

function parseMask(text: string | undefined): number | undefined {
  const mask = text === undefined ? undefined : parseIpAddress(text);
  if (mask?.family !== 4) return undefined;
  const bits = toNumber(mask);
  // Ones, then zeros: the inverse plus one is a power of two.
  const inverse = ~bits >>> 0;
  return (inverse & (inverse + 1)) === 0 ? bits : undefined;
}

function toNumber(address: IpAddress): number {
  return new DataView(ipAddressToBytes(address).buffer).getUint32(0);
}

function fromNumber(bits: number): IpAddress {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, bits);
  return ipAddressFromBytes(bytes)!;
}
