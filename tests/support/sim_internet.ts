/**
 * An internet on virtual time: hosts with UDP sockets, in networks behind chains of NATs, and one
 * core where everything public meets. Pure machines (`DatagramMachine`) are attached to hosts and
 * driven as `lib/transport/pump.ts` drives them, but synchronously.
 *
 * A datagram goes up through its routers at once, takes the time of the link of the network where it
 * turns (the core, a carrier's network, a LAN), and goes down through the routers of the other side
 * when it arrives. Every router takes one hop off it, so one sent with few hops opens its own NATs
 * and dies before it reaches anybody else's. There are no ICMP messages.
 */
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { DatagramMachine } from "../../lib/nat/datagram_machine.ts";
import { earlier, type Instant, NEVER } from "../../lib/time.ts";
import type { LinkOptions } from "./link.ts";
import type { NatRouter } from "./nat_box.ts";
import type { SimLink, SimWorld } from "./sim_world.ts";

/** What most systems send with. */
const DEFAULT_HOPS = 64;
/** Room for any datagram a machine writes. */
const DATAGRAM_BYTES = 2048;
/** What systems that follow RFC 6335 give to sockets without a wish. */
const FIRST_EPHEMERAL_PORT = 32_768;
const LAST_EPHEMERAL_PORT = 60_999;

/** Anything a network can hand a datagram to. */
interface Member {
  take(datagram: Uint8Array, from: SocketAddress, to: SocketAddress, hops: number): void;
}

/** What the core is like. */
export interface SimInternetOptions {
  /** The way between any two public addresses; its delay is one direction's. */
  readonly link: LinkOptions;
  /** Routers of the core on every way (default 6). */
  readonly coreHops?: number;
}

/** Networks, their routers and their hosts. */
export class SimInternet {
  /** Where public addresses are. */
  readonly core: SimNetwork;
  /** The world this runs in. */
  readonly world: SimWorld;

  /** An internet without hosts. */
  constructor(world: SimWorld, { link, coreHops = 6 }: SimInternetOptions) {
    this.world = world;
    this.core = new SimNetwork(world, { link, routersInside: coreHops });
  }

  /**
   * A network behind a router, whose outside is in `parent`.
   *
   * @param link The way between two members of the new network (default 0.2 ms).
   * @param routersBefore Plain routers between its members and `router` (default none).
   */
  behind(
    router: NatRouter,
    parent: SimNetwork = this.core,
    link: LinkOptions = { delayMs: 0.2 },
    routersBefore = 0,
  ): SimNetwork {
    const gateway = { router, parent, routersBefore };
    return new SimNetwork(this.world, { link, routersInside: 0, gateway });
  }
}

interface Gateway {
  readonly router: NatRouter;
  readonly parent: SimNetwork;
  readonly routersBefore: number;
}

/** One network: members that reach each other directly, and perhaps a router to the rest. */
export class SimNetwork implements Member {
  readonly #world: SimWorld;
  readonly #link: SimLink;
  readonly #routersInside: number;
  readonly #gateway: Gateway | undefined;
  readonly #members = new Map<string, Member>();

  constructor(
    world: SimWorld,
    options: {
      readonly link: LinkOptions;
      readonly routersInside: number;
      readonly gateway?: Gateway;
    },
  ) {
    this.#world = world;
    this.#link = world.link(options.link);
    this.#routersInside = options.routersInside;
    this.#gateway = options.gateway;
    this.announce();
  }

  /** The way between members, to change its faults. */
  get link(): SimLink {
    return this.#link;
  }

  /** Makes the router's outside address known in the parent network; after it was renumbered. */
  announce(): void {
    const host = this.#gateway?.router.externalHost;
    if (host !== undefined) this.#gateway!.parent.join(host, this);
  }

  /**
   * A new host with an address of this network.
   *
   * @param options Further `networks` it is in, e.g. one for IPv6; whether it `canLimitHops`
   * (default yes): where it cannot, datagrams of few hops are not sent.
   */
  addHost(
    host: string,
    options: {
      readonly networks?: readonly (readonly [host: string, network: SimNetwork])[];
      readonly canLimitHops?: boolean;
    } = {},
  ): SimHost {
    const { networks = [], canLimitHops = true } = options;
    return new SimHost(this.#world, [[host, this], ...networks], canLimitHops);
  }

  /** Takes a member in, under an address. */
  join(host: string, member: Member): void {
    this.#members.set(host, member);
    // A firewall translates nothing: what is behind it is addressed from outside as it is.
    if (this.#gateway?.router.externalHost === undefined) this.#gateway?.parent.join(host, this);
  }

  /** Lets a member go: it moved to another network. */
  leave(host: string): void {
    this.#members.delete(host);
    if (this.#gateway?.router.externalHost === undefined) this.#gateway?.parent.leave(host);
  }

  /** Sends a datagram of a member; `hops` is what is left of it here. */
  send(datagram: Uint8Array, from: SocketAddress, to: SocketAddress, hops: number): void {
    const member = this.#members.get(to.host);
    if (member !== undefined) return this.#turn(datagram, from, to, hops, member);
    if (this.#gateway === undefined) return;
    const { router, parent, routersBefore } = this.#gateway;
    const left = hops - routersBefore - 1;
    if (left <= 0) return;
    if (to.host === router.externalHost) {
      const turned = router.hairpin(this.#world.nowMs, from, to);
      const target = turned && this.#members.get(turned.to.host);
      if (target) this.#turn(datagram, turned!.from, turned!.to, left, target);
      return;
    }
    const source = router.outbound(this.#world.nowMs, from, to);
    if (source !== undefined) parent.send(datagram, source, to, left);
  }

  #turn(
    datagram: Uint8Array,
    from: SocketAddress,
    to: SocketAddress,
    hops: number,
    member: Member,
  ): void {
    const left = hops - this.#routersInside;
    if (left <= 0) return;
    this.#link.send(datagram, (arrived) => member.take(arrived, from, to, left));
  }

  /** A datagram that arrived at the router's outside. */
  take(datagram: Uint8Array, from: SocketAddress, to: SocketAddress, hops: number): void {
    const { router, routersBefore } = this.#gateway!;
    const inside = router.inbound(this.#world.nowMs, from, to);
    const left = hops - routersBefore - 1;
    if (inside === undefined || left <= 0) return;
    this.#members.get(inside.host)?.take(datagram, from, inside, left);
  }
}

interface SimSocket {
  readonly local: SocketAddress;
  readonly network: SimNetwork;
}

/** A host: sockets by index, and the machines that share them. */
export class SimHost implements Member {
  /** Called when machines have done something: the place to read their events. */
  onProgress: () => void = () => {};
  /** Gets what no machine took. */
  onDatagram: (datagram: Uint8Array, socket: number, from: SocketAddress) => void = () => {};
  /** Datagrams that left. */
  sentDatagrams = 0;
  readonly #world: SimWorld;
  readonly #places: readonly {
    readonly family: 4 | 6;
    readonly host: string;
    readonly network: SimNetwork;
  }[];
  readonly #canLimitHops: boolean;
  readonly #sockets: (SimSocket | undefined)[] = [];
  readonly #byPort = new Map<string, number>();
  readonly #machines: DatagramMachine[] = [];
  readonly #out = new Uint8Array(DATAGRAM_BYTES);
  #armedFor: Instant = NEVER;
  #cancelTimer: (() => void) | undefined;
  #isDriving = false;

  constructor(
    world: SimWorld,
    places: readonly (readonly [host: string, network: SimNetwork])[],
    canLimitHops: boolean,
  ) {
    this.#world = world;
    this.#places = places.map(([host, network]) => ({
      family: host.includes(":") ? 6 : 4,
      host,
      network,
    }));
    this.#canLimitHops = canLimitHops;
    for (const [host, network] of places) network.join(host, this);
  }

  /**
   * Opens a socket.
   *
   * @param family Of which of the host's addresses it is.
   * @param port A free one if left out.
   * @returns Its index: how many were opened before.
   * @throws {RangeError} If the host has no address of that family or the port is taken.
   */
  openSocket(family: 4 | 6 = 4, port?: number): number {
    const place = this.#places.find((place) => place.family === family);
    if (place === undefined) throw new RangeError(`Cannot open socket: no IPv${family} here`);
    const { host, network } = place;
    const local = { family, host, port: port ?? this.#freePort(family) };
    const key = portKey(local);
    if (this.#byPort.has(key)) throw new RangeError(`Cannot open socket: ${key} is taken`);
    this.#byPort.set(key, this.#sockets.length);
    return this.#sockets.push({ local, network }) - 1;
  }

  /** Closes a socket; what arrives there goes nowhere. */
  closeSocket(index: number): void {
    const socket = this.#sockets[index];
    if (socket === undefined) return;
    this.#byPort.delete(portKey(socket.local));
    this.#sockets[index] = undefined;
  }

  /**
   * What a socket is bound to.
   *
   * @throws {RangeError} If it is not open.
   */
  localAddress(index: number): SocketAddress {
    const socket = this.#sockets[index];
    if (socket === undefined) throw new RangeError(`Cannot use socket ${index}: it is not open`);
    return socket.local;
  }

  /** Sends one datagram by hand; from a closed socket it goes nowhere. */
  send(index: number, datagram: Uint8Array, to: SocketAddress, hops = DEFAULT_HOPS): void {
    const socket = this.#sockets[index];
    if (socket === undefined || socket.local.family !== to.family) return;
    this.sentDatagrams++;
    socket.network.send(datagram, socket.local, to, hops);
  }

  /** Lets a machine use the sockets, beginning at once. */
  attach(machine: DatagramMachine): void {
    this.#machines.push(machine);
    this.wake();
  }

  /** Ends that. */
  detach(machine: DatagramMachine): void {
    const index = this.#machines.indexOf(machine);
    if (index >= 0) this.#machines.splice(index, 1);
  }

  take(datagram: Uint8Array, from: SocketAddress, to: SocketAddress): void {
    const index = this.#byPort.get(portKey(to));
    if (index === undefined || this.#sockets[index]!.local.host !== to.host) return;
    const path = { socket: index, remote: from };
    const now = this.#world.now;
    if (!this.#machines.some((machine) => machine.handleDatagram(now, datagram, path))) {
      this.onDatagram(datagram, index, from);
    }
    this.wake();
  }

  /** Sends what machines have to send, tells of progress, arms the timer. */
  wake(): void {
    if (this.#isDriving) return;
    this.#isDriving = true;
    do this.onProgress(); while (this.#transmit());
    this.#isDriving = false;
    this.#arm();
  }

  /** Whether anything was sent. */
  #transmit(): boolean {
    const now = this.#world.now;
    let hasSent = false;
    // By index: while one sends, another may be attached.
    for (let index = 0; index < this.#machines.length; index++) {
      const machine = this.#machines[index]!;
      for (;;) {
        const length = machine.pollTransmit(now, this.#out);
        if (length === 0) break;
        hasSent = true;
        const hops = machine.transmitHops;
        if (hops !== undefined && !this.#canLimitHops) continue;
        const { socket, remote } = machine.transmitPath;
        this.send(socket, this.#out.subarray(0, length), remote, hops);
      }
    }
    return hasSent;
  }

  #arm(): void {
    let deadline = NEVER;
    for (const machine of this.#machines) deadline = earlier(deadline, machine.pollTimeout());
    // A timer that fires too early is harmless, and cheaper than a new one each time.
    if (deadline >= this.#armedFor) return;
    this.#cancelTimer?.();
    this.#armedFor = deadline;
    this.#cancelTimer = this.#world.schedule(deadline, () => {
      this.#armedFor = NEVER;
      const now = this.#world.now;
      for (const machine of [...this.#machines]) {
        if (machine.pollTimeout() <= now) machine.handleTimeout(now);
      }
      this.wake();
    });
  }

  #freePort(family: 4 | 6): number {
    for (;;) {
      const port = this.#world.prng.integer(FIRST_EPHEMERAL_PORT, LAST_EPHEMERAL_PORT);
      if (!this.#byPort.has(portKey({ family, port }))) return port;
    }
  }
}

/** An IPv4 and an IPv6 socket may have the same port. */
function portKey({ family, port }: Pick<SocketAddress, "family" | "port">): string {
  return `IPv${family} ${port}`;
}
