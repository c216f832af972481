/**
 * One local network in memory for `lib/lan`: what a host sends to a group reaches every socket of that
 * family on it, its own too. Datagrams can be lost, and anybody can put his own in.
 */
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { DnsMessage } from "../../lib/lan/dns_message.ts";
import { decodeDnsMessage } from "../../lib/lan/dns_message.ts";
import { MDNS_PORT } from "../../lib/lan/limits.ts";
import { type LanInterface, type LanLink, linksOf } from "../../lib/lan/link.ts";
import type { LanNetwork } from "../../lib/lan/network.ts";
import type { DatagramHandler, DatagramSocket } from "../../lib/transport/socket.ts";
import type { SimWorld } from "./sim_world.ts";

const DELAY_MS = 1;

/** A datagram that was sent. */
export interface LanSent {
  readonly atMs: number;
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly datagram: Uint8Array;
}

/** The network. */
export class LanSegment {
  readonly world: SimWorld;
  /** Everything that was sent, in order. */
  readonly sent: LanSent[] = [];
  /** Share of datagrams that a receiver does not get. */
  lossRate = 0;
  readonly #sockets = new Set<SegmentSocket>();

  constructor(world: SimWorld) {
    this.world = world;
  }

  /** Connects a machine by one interface with an IPv4 address and perhaps one of IPv6. */
  host(ipv4: string, ipv6?: string): LanHost {
    return new LanHost(this, ipv4, ipv6);
  }

  /** Puts a datagram in, as if from an address. */
  inject(datagram: Uint8Array, host: string, port = MDNS_PORT): void {
    const family = host.includes(":") ? 6 : 4;
    for (const socket of this.#sockets) {
      if (socket.family !== family || this.world.prng.chance(this.lossRate)) continue;
      const copy = datagram.slice();
      const from: SocketAddress = { family, host, port };
      this.world.schedule(this.world.nowMs + DELAY_MS, () => socket.deliver(copy, from));
    }
  }

  /** What a host said since a time, read. */
  said(host: string, sinceMs = 0): DnsMessage[] {
    return this.sent.filter(({ from, atMs }) => from.host === host && atMs >= sinceMs)
      .map(({ datagram }) => decodeDnsMessage(datagram)!);
  }

  /** For {@linkcode LanHost}. */
  bind(link: LanLink): DatagramSocket {
    const { address } = link.networks[0]!;
    const socket: SegmentSocket = new SegmentSocket({ ...address, port: MDNS_PORT }, {
      send: (datagram, to) => {
        const from = socket.localAddress;
        this.sent.push({ atMs: this.world.nowMs, from, to, datagram: datagram.slice() });
        this.inject(datagram, from.host);
      },
      close: () => this.#sockets.delete(socket),
    });
    this.#sockets.add(socket);
    return socket;
  }
}

/** A machine on a segment. */
export class LanHost implements LanNetwork {
  /** Change it to move the machine; it is looked at again in some seconds. */
  interfaces: LanInterface[];
  readonly #segment: LanSegment;

  /** See {@linkcode LanSegment.host}. */
  constructor(segment: LanSegment, ipv4: string, ipv6: string | undefined) {
    this.#segment = segment;
    this.interfaces = [
      { name: "lo", address: "127.0.0.1", netmask: "255.0.0.0", scopeid: null },
      { name: "eth0", address: ipv4, netmask: "255.255.255.0", scopeid: null },
    ];
    if (ipv6 === undefined) return;
    const netmask = "ffff:ffff:ffff:ffff::";
    this.interfaces.push({ name: "eth0", address: ipv6, netmask, scopeid: 2 });
  }

  requirePermissions(): void {}

  links(): LanLink[] {
    return linksOf(this.interfaces);
  }

  open(link: LanLink): Promise<DatagramSocket> {
    return Promise.resolve(this.#segment.bind(link));
  }
}

class SegmentSocket implements DatagramSocket {
  readonly family: 4 | 6;
  readonly localAddress: SocketAddress;
  readonly #segment: {
    send(datagram: Uint8Array, to: SocketAddress): void;
    close(): void;
  };
  #handler: DatagramHandler | undefined;
  readonly #closed = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(
    address: SocketAddress,
    segment: { send(datagram: Uint8Array, to: SocketAddress): void; close(): void },
  ) {
    this.family = address.family;
    this.localAddress = address;
    this.#segment = segment;
  }

  receive(handler: DatagramHandler): Promise<void> {
    this.#handler = handler;
    return this.#closed.promise;
  }

  send(datagram: Uint8Array, to: SocketAddress): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false);
    this.#segment.send(datagram, to);
    return Promise.resolve(true);
  }

  deliver(datagram: Uint8Array, from: SocketAddress): void {
    if (!this.#isClosed) this.#handler?.(datagram, from);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#segment.close();
    this.#closed.resolve();
  }
}
