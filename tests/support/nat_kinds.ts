/**
 * The kinds of network that pairs of peers are tried between, and how to build one in a simulated
 * internet. Their names are those of docs/nat.md.
 */
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { MappingClass } from "../../lib/nat/mapping_class.ts";
import { ConntrackBox } from "./conntrack_box.ts";
import { NatBox, type NatBoxOptions } from "./nat_box.ts";
import type { SimInternet, SimNetwork } from "./sim_internet.ts";

/** Where one peer is. */
export interface NatKind {
  /** As in docs/nat.md. */
  readonly name: string;
  /** What it is, in the terms of RFC 4787. */
  readonly behaviour: string;
  /** What an observer with two STUN servers can know of it. */
  readonly mappingClass: MappingClass;
  /** The IP that connects it to the world. */
  readonly family: 4 | 6;
  /** Builds it around a public address. */
  readonly build: (internet: SimInternet, publicHost: string) => Place;
}

/** A place for a host. */
export interface Place {
  /** The network it joins. */
  readonly network: SimNetwork;
  /** Its address there. */
  readonly host: string;
  /** Asks the router for an outside port, where it gives any; returns the outside address. */
  readonly openPort?: (inside: SocketAddress) => SocketAddress;
}

/** Ports in the block that a carrier gives one customer. */
const BLOCK_PORTS = 1024;

function behindNat(
  internet: SimInternet,
  publicHost: string,
  options: Omit<NatBoxOptions, "externalHost">,
): Place {
  const router = new NatBox({ externalHost: publicHost, ...options }, internet.world.prng.fork());
  return { network: internet.behind(router), host: "192.168.1.2" };
}

function nat(
  name: string,
  behaviour: string,
  mappingClass: MappingClass,
  options: Omit<NatBoxOptions, "externalHost">,
): NatKind {
  const build: NatKind["build"] = (internet, publicHost) =>
    behindNat(internet, publicHost, options);
  return { name, behaviour, mappingClass, family: 4, build };
}

const HARD: Omit<NatBoxOptions, "externalHost"> = {
  mapping: "address_and_port_dependent",
  filtering: "address_and_port_dependent",
  ports: "random",
};

/** Plain routers between a phone and its carrier's NAT, which is the fifth. */
const ROUTERS_BEFORE_PHONE_NAT = 4;
/** And between a home router and the carrier's NAT, which is the fourth hop from the host. */
const ROUTERS_BEFORE_FAR_CARRIER = 2;

/** A phone: nothing but a carrier's NAT, and that far away. */
function phone(
  name: string,
  behaviour: string,
  mappingClass: MappingClass,
  options: Omit<NatBoxOptions, "externalHost">,
): NatKind {
  const build: NatKind["build"] = (internet, externalHost) => {
    const carrier = new NatBox({ externalHost, ...options }, internet.world.prng.fork());
    const link = { delayMs: 2 };
    const network = internet.behind(carrier, internet.core, link, ROUTERS_BEFORE_PHONE_NAT);
    return { network, host: "100.64.3.7" };
  };
  return { name, behaviour, mappingClass, family: 4, build };
}

/** A home router, and a carrier's NAT behind so many plain routers. */
function behindCarrier(
  internet: SimInternet,
  publicHost: string,
  routersBefore: number,
): Place {
  const prng = internet.world.prng;
  const carrier = new NatBox({ externalHost: publicHost, ports: "random" }, prng.fork());
  const network = internet.behind(carrier, internet.core, { delayMs: 2 }, routersBefore);
  const router = new NatBox({ externalHost: "100.64.3.7" }, prng.fork());
  return { network: internet.behind(router, network), host: "192.168.1.2" };
}

/** Every kind with an IPv4 address. */
export const NAT_KINDS: readonly NatKind[] = [
  {
    name: "none",
    behaviour: "a public address, nothing in front",
    mappingClass: "none",
    family: 4,
    build: (internet, publicHost) => ({ network: internet.core, host: publicHost }),
  },
  {
    name: "firewall",
    behaviour: "a public address behind a stateful firewall",
    mappingClass: "none",
    family: 4,
    build: buildFirewall,
  },
  nat("full-cone", "EIM, endpoint-independent filtering", "endpoint_independent", {
    filtering: "endpoint_independent",
  }),
  nat("addr-restricted", "EIM, address-dependent filtering", "endpoint_independent", {
    filtering: "address_dependent",
  }),
  nat("port-restricted", "EIM, address- and port-dependent filtering", "endpoint_independent", {}),
  nat("eim-random", "the same, and ports are random", "endpoint_independent", { ports: "random" }),
  {
    name: "double",
    behaviour: "port-restricted behind a carrier's port-restricted NAT",
    mappingClass: "endpoint_independent",
    family: 4,
    build: (internet, publicHost) => behindCarrier(internet, publicHost, 0),
  },
  {
    name: "far-carrier",
    behaviour: "the same, and the carrier's NAT is the fourth hop",
    mappingClass: "endpoint_independent",
    family: 4,
    build: (internet, publicHost) =>
      behindCarrier(internet, publicHost, ROUTERS_BEFORE_FAR_CARRIER),
  },
  phone(
    "phone",
    "only a carrier's NAT, the fifth hop: EIM, address- and port-dependent filtering",
    "endpoint_independent",
    { ports: "random" },
  ),
  {
    name: "linux",
    behaviour: "connection tracking that accepts INPUT",
    mappingClass: "endpoint_independent",
    family: 4,
    build: (internet, publicHost) => {
      const prng = internet.world.prng.fork();
      const router = new ConntrackBox({ externalHost: publicHost, input: "accept" }, prng);
      return { network: internet.behind(router), host: "192.168.1.2" };
    },
  },
  nat("sym-addr", "ADM, address-dependent filtering, random ports", "address_dependent", {
    mapping: "address_dependent",
    filtering: "address_dependent",
    ports: "random",
  }),
  nat("sym-seq", "APDM, ports one after the other", "port_dependent_stepping", {
    ...HARD,
    ports: "sequential",
  }),
  nat("symmetric", "APDM, random ports", "port_dependent_random", HARD),
  phone(
    "sym-phone",
    "only a carrier's NAT, the fifth hop: symmetric",
    "port_dependent_random",
    HARD,
  ),
  {
    name: "sym-block",
    behaviour: `APDM, random ports of a block of ${BLOCK_PORTS}`,
    mappingClass: "port_dependent_random",
    family: 4,
    build: (internet, publicHost) => {
      const firstPort = internet.world.prng.integer(1, 62) * BLOCK_PORTS;
      const lastPort = firstPort + BLOCK_PORTS - 1;
      return behindNat(internet, publicHost, { ...HARD, firstPort, lastPort });
    },
  },
];

/** A kind that nothing gets out of. */
export const UDP_BLOCKED: NatKind = nat("UDP blocked", "nothing gets out", "unknown", {
  maxMappings: 0,
});

/** A firewall in front of public IPv6 addresses. */
export const IPV6_FIREWALL: NatKind = {
  name: "IPv6 firewall",
  behaviour: "public IPv6 behind a stateful firewall",
  mappingClass: "none",
  family: 6,
  build: buildFirewall,
};

/**
 * The kind with a name.
 *
 * @throws {RangeError} If there is none.
 */
export function natKind(name: string): NatKind {
  const kind = [...NAT_KINDS, UDP_BLOCKED, IPV6_FIREWALL].find((kind) => kind.name === name);
  if (kind === undefined) throw new RangeError(`Cannot find NAT kind ${name}`);
  return kind;
}

function buildFirewall(internet: SimInternet, publicHost: string): Place {
  const firewall = new NatBox({ externalHost: undefined }, internet.world.prng.fork());
  return { network: internet.behind(firewall), host: publicHost };
}
