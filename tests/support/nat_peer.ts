/**
 * One of two peers in a simulated internet: what it knows of its network, and its punching machine
 * with what that asks of its owner. What both do and when is in `nat_pair.ts`.
 */
import { parseIpAddress, type SocketAddress } from "../../lib/nat/address.ts";
import type { Candidate } from "../../lib/nat/candidate.ts";
import { Discovery } from "../../lib/nat/discovery/discovery.ts";
import type { LocalSocket } from "../../lib/nat/discovery/report.ts";
import type { MappingClass } from "../../lib/nat/mapping_class.ts";
import type { Path } from "../../lib/nat/path.ts";
import type { PathMethod } from "../../lib/nat/path_method.ts";
import { Punch, type PunchOptions } from "../../lib/nat/punch/punch.ts";
import { SPRAY_WINDOW_MS } from "../../lib/nat/punch/limits.ts";
import { chooseCodeCandidates } from "../../lib/rendezvous/code_candidates.ts";
import type { Place } from "./nat_kinds.ts";
import type { SimHost } from "./sim_internet.ts";
import type { SimWorld } from "./sim_world.ts";
import { SprayMeter } from "./spray_meter.ts";

/** How long a code waits for STUN. */
const SETTLE_MS = 2500;
/** How long a stepping NAT's newest port is waited for. */
const FRESH_PORT_MS = 400;

/** Whom everybody asks; the first has a second address. */
export const STUN_SERVERS = [
  {
    primary: { family: 4, host: "192.0.2.1", port: 3478 },
    alternate: { family: 4, host: "192.0.2.2", port: 3479 },
  },
  { primary: { family: 4, host: "192.0.2.3", port: 3478 } },
  { primary: { family: 4, host: "192.0.2.4", port: 19302 } },
  { primary: { family: 6, host: "2001:db8:53::1", port: 3478 } },
  { primary: { family: 6, host: "2001:db8:53::2", port: 3478 } },
] as const;

/** One machine, and what it knows of its network through one socket. */
export class Peer {
  /** The machine. */
  readonly host: SimHost;
  /** Where it stands. */
  readonly place: Place;
  /** The socket that carries its data. */
  readonly socket: number;
  /** What it finds out. */
  readonly discovery: Discovery;
  /** Whose time passes. */
  readonly world: SimWorld;
  readonly #startMs: number;
  #isSettled = false;
  #freshAddress: SocketAddress | undefined;

  /** Asks STUN at once. */
  constructor(world: SimWorld, place: Place, host: SimHost, socket: number) {
    this.world = world;
    this.place = place;
    this.host = host;
    this.socket = socket;
    this.#startMs = world.nowMs;
    this.discovery = new Discovery(world.now, {
      random: world.prng,
      sockets: [this.#local(socket)],
      localAddresses: [parseIpAddress(place.host)!],
    });
    host.attach(this.discovery);
    this.discovery.addServers(world.now, STUN_SERVERS.map(({ primary }) => primary));
    host.wake();
  }

  #local(index: number): LocalSocket {
    return { index, local: this.host.localAddress(index) };
  }

  /** Reads what discovery has to tell. */
  poll(): void {
    for (let event = this.discovery.pollEvent(); event; event = this.discovery.pollEvent()) {
      if (event.type === "complete") this.#isSettled = true;
      if (event.type === "port") this.#freshAddress = event.address;
      if (event.type === "sockets-wanted") {
        const lent = Array.from({ length: event.count }, () => this.#local(this.host.openSocket()));
        this.discovery.addSockets(this.world.now, lent);
      }
    }
  }

  /** Lets time pass until enough is known for a code. */
  settle(): void {
    const untilMs = this.#startMs + SETTLE_MS;
    this.world.run({ untilMs, until: () => this.#isSettled });
  }

  /** What the NAT in front is like. */
  get mapping(): MappingClass {
    return this.discovery.report.mapping;
  }

  /** What its code holds. */
  candidates(mapped: SocketAddress | undefined): Candidate[] {
    return chooseCodeCandidates({
      interfaces: [{ name: "eth0", address: this.place.host }],
      bound: [this.host.localAddress(this.socket)],
      manual: [],
      reflexive: this.discovery.report.reflexive.map(({ address }) => this.#newest(address)),
      ...(mapped ? { mapped } : {}),
      mapping: this.mapping,
      allowLoopback: false,
    });
  }

  /** Where ports follow one another, the newest is the one to look ahead from. */
  #newest(address: SocketAddress): SocketAddress {
    const { newestPort } = this.discovery.report.ports;
    const isKnown = this.mapping === "port_dependent_stepping" && newestPort !== undefined;
    return isKnown && address.family === 4 ? { ...address, port: newestPort } : address;
  }

  /** A socket on the next port, where hops can be limited and the outside port is known. */
  openGuard(canLimitHops: boolean): number | undefined {
    const { family, port } = this.host.localAddress(this.socket);
    const isFixed = this.mapping === "endpoint_independent" || this.mapping === "none";
    if (family === 6 || !canLimitHops || !isFixed) return undefined;
    return this.host.openSocket(4, port + 1);
  }

  /** Which port a fresh socket is given now. */
  freshPort(): number | undefined {
    const socket = this.host.openSocket();
    this.discovery.probePort(this.world.now, socket);
    this.host.wake();
    const untilMs = this.world.nowMs + FRESH_PORT_MS;
    this.world.run({ untilMs, until: () => this.#freshAddress !== undefined });
    this.host.closeSocket(socket);
    return this.#freshAddress?.port;
  }
}

/** A punching machine on a host, with what it asks of its owner. */
export class Punching {
  /** What it sends is counted here. */
  readonly meter: SprayMeter;
  readonly #punch: Punch;
  readonly #peer: Peer;
  readonly #onHeard: (path: Path) => void;

  /** Begins at once. */
  constructor(peer: Peer, options: PunchOptions, onHeard: (path: Path) => void) {
    const { world, host, socket } = peer;
    const { guardSocket = socket, remote: { candidates } } = options;
    this.#peer = peer;
    this.#onHeard = onHeard;
    this.#punch = new Punch(world.now, options);
    this.meter = new SprayMeter(this.#punch, candidates, [socket, guardSocket], SPRAY_WINDOW_MS);
    host.attach(this.meter);
  }

  /** Reads what the machine has to tell. */
  poll(): void {
    const { world, host } = this.#peer;
    for (let event = this.#punch.pollEvent(); event; event = this.#punch.pollEvent()) {
      if (event.type === "heard") {
        this.meter.isOver = true;
        this.#onHeard(event.path);
      } else if (event.type === "sockets-wanted") {
        const { count, family } = event;
        const sockets = Array.from({ length: count }, () => ({
          index: host.openSocket(family),
          family,
        }));
        this.#punch.addSockets(world.now, sockets);
      }
    }
  }

  /** How a path came about. */
  methodOf(path: Path): PathMethod {
    return this.#punch.methodOf(path);
  }
}
