/**
 * A network between two machines that have several sockets each: every socket is seen from outside
 * at an address, which may change under its feet as routers change mappings, and lets in only
 * answers. Each pair of hosts has a link of its own, which may be cut. Traffic is counted by address.
 */
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { Path } from "../../lib/nat/path.ts";
import type { LinkOptions } from "./link.ts";
import type { SimLink, SimWorld } from "./sim_world.ts";

/** One of the two machines. */
export type Place = "sharer" | "client";

/** What a machine does for the network. */
export interface NetworkSide {
  /** Takes a datagram. */
  deliver(datagram: Uint8Array, from: SocketAddress, socket: number): void;
  /** Sets where datagrams go. */
  attach(send: (datagram: Uint8Array, path: Path) => void): void;
}

const keyOf = ({ host, port }: SocketAddress): string => `${host} ${port}`;

/** Sockets, links and counters. */
export class PathNetwork {
  /** Packets and bytes sent to each `host port`. */
  readonly sentTo = new Map<string, { packets: number; bytes: number }>();
  /** Sees every datagram before its link does. */
  tap: (datagram: Uint8Array, from: SocketAddress, to: SocketAddress) => void = () => {};
  readonly #world: SimWorld;
  readonly #linkOptions: (fromHost: string, toHost: string) => LinkOptions;
  readonly #sockets: Record<Place, (SocketAddress | undefined)[]>;
  readonly #sides = new Map<Place, NetworkSide>();
  readonly #links = new Map<string, SimLink>();
  /** Which addresses each `host port` has sent to. */
  readonly #opened = new Map<string, Set<string>>();

  constructor(
    world: SimWorld,
    sockets: Record<Place, readonly SocketAddress[]>,
    linkOptions: (fromHost: string, toHost: string) => LinkOptions,
  ) {
    this.#world = world;
    this.#sockets = { sharer: [...sockets.sharer], client: [...sockets.client] };
    this.#linkOptions = linkOptions;
  }

  /** Connects a machine. */
  join(place: Place, side: NetworkSide): void {
    this.#sides.set(place, side);
    side.attach((datagram, { socket, remote }) => {
      const from = this.#sockets[place][socket];
      if (!from) return;
      this.#open(from).add(keyOf(remote));
      this.send(datagram, from, remote);
    });
  }

  /** How a socket is seen from outside. */
  addressOf(place: Place, socket: number): SocketAddress {
    return this.#sockets[place][socket]!;
  }

  /** The socket gets another address; what is on its way to the old one is lost. */
  rebind(place: Place, socket: number, address: SocketAddress): void {
    this.#sockets[place][socket] = address;
  }

  /** Gives a machine one more socket. */
  addSocket(place: Place, address: SocketAddress): void {
    this.#sockets[place].push(address);
  }

  /** The socket is gone. */
  removeSocket(place: Place, socket: number): void {
    this.#sockets[place][socket] = undefined;
  }

  /** The link from one host to another. */
  link(fromHost: string, toHost: string): SimLink {
    const key = `${fromHost} ${toHost}`;
    let link = this.#links.get(key);
    if (!link) {
      link = this.#world.link(this.#linkOptions(fromHost, toHost));
      this.#links.set(key, link);
    }
    return link;
  }

  /** Cuts or mends both directions between two hosts. */
  setUp(a: string, b: string, isUp: boolean): void {
    this.link(a, b).model.up = isUp;
    this.link(b, a).model.up = isUp;
  }

  /** Sends a datagram from an address, which may be anybody's. */
  send(datagram: Uint8Array, from: SocketAddress, to: SocketAddress): void {
    const count = this.sentTo.get(keyOf(to)) ?? { packets: 0, bytes: 0 };
    count.packets++;
    count.bytes += datagram.length;
    this.sentTo.set(keyOf(to), count);
    this.tap(datagram, from, to);
    this.link(from.host, to.host).send(datagram, (arrived) => this.inject(arrived, from, to));
  }

  /** Has a datagram arrive now; only the filter of the socket it goes to is asked. */
  inject(datagram: Uint8Array, from: SocketAddress, to: SocketAddress, isFiltered = true): void {
    for (const place of ["sharer", "client"] as const) {
      const socket = this.#sockets[place].findIndex((one) => one && keyOf(one) === keyOf(to));
      if (socket < 0) continue;
      // The sharer is reachable from anywhere, or nobody would begin.
      if (isFiltered && place === "client" && !this.#open(to).has(keyOf(from))) return;
      this.#sides.get(place)!.deliver(datagram, from, socket);
    }
  }

  #open(address: SocketAddress): Set<string> {
    const opened = this.#opened.get(keyOf(address)) ?? new Set();
    this.#opened.set(keyOf(address), opened);
    return opened;
  }
}
