/**
 * Endpoints at addresses, between which a test carries the datagrams itself: each is seen, can be
 * kept, dropped, changed or sent from elsewhere. Bytes in and out are counted by address.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import type { CryptoProvider } from "../../lib/crypto/provider.ts";
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { Connection } from "../../lib/protocol/connection.ts";
import { Endpoint, type EndpointEvent } from "../../lib/protocol/endpoint.ts";
import type { Path } from "../../lib/nat/path.ts";
import { instant } from "../../lib/time.ts";
import type { Share } from "./code_holder.ts";
import { Prng } from "./prng.ts";

/** Timers at one moment that are more than answers to one another: a loop. */
const MAX_TURNS = 100;

/** A datagram between two addresses. */
export interface Carried {
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly bytes: Uint8Array;
}

/** An IPv4 address by number: 10.x.y.z. */
export function address(number: number, port = 1000): SocketAddress {
  const host = `10.${number >> 16 & 0xff}.${number >> 8 & 0xff}.${number & 0xff}`;
  return { family: 4, host, port };
}

const keyOf = ({ host, port }: SocketAddress): string => `${host} ${port}`;

/** One endpoint and what went in and out. */
export class HandHost {
  readonly endpoint: Endpoint;
  readonly events: EndpointEvent[] = [];
  wakeCount = 0;
  readonly bytesIn = new Map<string, number>();
  readonly bytesOut = new Map<string, number>();
  readonly #network: HandNetwork;
  readonly #out = new Uint8Array(2048);

  constructor(network: HandNetwork, readonly address: SocketAddress, provider: CryptoProvider) {
    this.#network = network;
    this.endpoint = new Endpoint({
      provider,
      random: network.random,
      wake: () => void this.wakeCount++,
    });
  }

  /** The connection of the newest event that began one. */
  get connection(): Connection | undefined {
    return this.events.findLast(({ type }) => type !== "closed")?.connection;
  }

  /** Hands a datagram over and returns the answers. */
  take(bytes: Uint8Array, from: SocketAddress): Carried[] {
    const key = keyOf(from);
    this.bytesIn.set(key, (this.bytesIn.get(key) ?? 0) + bytes.length);
    this.endpoint.handleDatagram(this.#network.now, bytes.slice(), 0, from);
    return this.poll();
  }

  /** Runs what is due, then returns all there is to send. */
  tick(): Carried[] {
    this.endpoint.handleTimeout(this.#network.now);
    return this.poll();
  }

  /** All there is to send now; events are noted. */
  poll(): Carried[] {
    const carried: Carried[] = [];
    for (;;) {
      const length = this.endpoint.pollTransmit(this.#network.now, this.#out);
      if (length === 0) break;
      const to = this.endpoint.transmitPath.remote;
      const key = keyOf(to);
      this.bytesOut.set(key, (this.bytesOut.get(key) ?? 0) + length);
      carried.push({ from: this.address, to, bytes: this.#out.slice(0, length) });
    }
    for (;;) {
      const event = this.endpoint.pollEvent();
      if (!event) return carried;
      this.events.push(event);
    }
  }

  /** Bytes sent to and received from an address. */
  traffic(at: SocketAddress): { readonly out: number; readonly in: number } {
    return { out: this.bytesOut.get(keyOf(at)) ?? 0, in: this.bytesIn.get(keyOf(at)) ?? 0 };
  }
}

/** Hosts and the time. */
export class HandNetwork {
  nowMs = 0;
  readonly random: Prng;
  readonly hosts: HandHost[] = [];
  /** Decides which datagrams arrive; all by default. */
  passes: (datagram: Carried) => boolean = () => true;
  /** Everything that was sent while {@linkcode HandNetwork.run} carried it. */
  readonly log: (Carried & { readonly atMs: number })[] = [];

  constructor(seed = 1) {
    this.random = new Prng(seed);
  }

  get now() {
    return instant(this.nowMs);
  }

  /** Puts an endpoint at an address. */
  host(at: SocketAddress, provider: CryptoProvider = nodeProvider): HandHost {
    const host = new HandHost(this, at, provider);
    this.hosts.push(host);
    return host;
  }

  /** Has `client` begin a handshake towards addresses. */
  connect(
    client: HandHost,
    share: Pick<Share, "t">,
    to: readonly SocketAddress[],
    request: Uint8Array = new Uint8Array([1, 2, 3]),
    more: { readonly isShortCode?: boolean; readonly isExported?: boolean } = {},
  ): void {
    client.endpoint.connect(this.now, {
      t: share.t,
      staticKeys: nodeProvider.generateKeyPair(this.random),
      paths: to.map((remote): Path => ({ socket: 0, remote })),
      request,
      ...more,
    });
  }

  /** Carries datagrams without delay and runs timers, for `durationMs`. */
  run(durationMs: number): void {
    const untilMs = this.nowMs + durationMs;
    this.carry(this.hosts.flatMap((host) => host.poll()));
    for (let turns = 0;;) {
      const next = Math.min(...this.hosts.map(({ endpoint }) => endpoint.pollTimeout()));
      if (next > untilMs) break;
      turns = next > this.nowMs ? 0 : turns + 1;
      assert.ok(turns < MAX_TURNS, "a timer that goes on and on");
      this.nowMs = Math.max(next, this.nowMs);
      this.carry(this.hosts.flatMap((host) => host.tick()));
    }
    this.nowMs = untilMs;
  }

  /** Carries datagrams, and the answers to them, until nothing is on its way. */
  carry(datagrams: readonly Carried[]): void {
    const queue = [...datagrams];
    for (let datagram = queue.shift(); datagram; datagram = queue.shift()) {
      this.log.push({ ...datagram, atMs: this.nowMs });
      if (!this.passes(datagram)) continue;
      const { to, from, bytes } = datagram;
      const host = this.hosts.find((host) => keyOf(host.address) === keyOf(to));
      if (host) queue.push(...host.take(bytes, from));
    }
  }
}
