/**
 * A Linux router's NAT as a pure state machine: masquerading by connection tracking, which is not
 * the NAT of RFC 4787. There are no mappings, only connections; an outside port is kept as long as
 * the pair of outside tuples is free, so that one port serves many remotes.
 *
 * The trap it is here for: a datagram from outside that nobody inside asked for and that the router
 * itself accepts (INPUT) makes a connection too, and when the host inside then sends towards the
 * same remote from the port it was to arrive at, that tuple is taken and the host gets another port.
 * Where INPUT drops, no connection is made and the port stays.
 *
 * From nf_nat_core.c and nf_conntrack_proto_udp.c: unreplied connections live 30 s, replied ones
 * 120 s once they are 2 s old, and every datagram of either direction starts the life anew.
 */
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { HairpinResult, NatRouter, PortRandom } from "./nat_box.ts";

/** What a Linux router is like. */
export interface ConntrackBoxOptions {
  /** Outside address, canonical. */
  readonly externalHost: string;
  /** What becomes of datagrams to the router itself (default dropped). */
  readonly input?: "accept" | "drop";
  /** `random` is masquerading with --random-fully (default preserving). */
  readonly ports?: "preserving" | "random";
  /** Connections it can hold; with a full table nothing new passes (default unlimited). */
  readonly maxConnections?: number;
}

interface Tracked {
  /** Undefined when the router itself is the inside end. */
  readonly inside: SocketAddress | undefined;
  readonly insideKey: string | undefined;
  readonly outsideKey: string;
  readonly external: SocketAddress;
  readonly isFromOutside: boolean;
  readonly bornMs: number;
  isReplied: boolean;
  endsMs: number;
}

const UNREPLIED_MS = 30_000;
const REPLIED_MS = 120_000;
/** A connection counts as a stream when it is older than this. */
const STREAM_AFTER_MS = 2_000;
const FIRST_PORT = 1024;
const LAST_PORT = 65_535;
/** The kernel, too, gives up after so many clashes. */
const PORT_TRIES = 128;

/** A Linux router. */
export class ConntrackBox implements NatRouter {
  externalHost: string;
  readonly #options: Required<Omit<ConntrackBoxOptions, "externalHost">>;
  readonly #random: PortRandom;
  readonly #byInside = new Map<string, Tracked>();
  readonly #byOutside = new Map<string, Tracked>();
  readonly #forwards = new Map<number, SocketAddress>();
  #sweptMs = Number.NEGATIVE_INFINITY;

  /** Tracks nothing at first. */
  constructor(options: ConntrackBoxOptions, random: PortRandom) {
    const { externalHost, ...rest } = options;
    this.externalHost = externalHost;
    this.#options = {
      input: "drop",
      ports: "preserving",
      maxConnections: Number.POSITIVE_INFINITY,
      ...rest,
    };
    this.#random = random;
  }

  get size(): number {
    return this.#byOutside.size;
  }

  outbound(nowMs: number, from: SocketAddress, to: SocketAddress): SocketAddress | undefined {
    const key = `${from.host} ${from.port}>${to.host} ${to.port}`;
    const known = this.#live(nowMs, this.#byInside.get(key));
    if (known !== undefined) {
      this.#touch(nowMs, known, known.isFromOutside);
      return known.external;
    }
    if (!this.#hasRoom(nowMs)) return undefined;
    const port = this.#freePort(nowMs, from.port, to);
    if (port === undefined) return undefined;
    const inside = { family: from.family, host: from.host, port: from.port };
    return this.#add(nowMs, inside, to, port, false).external;
  }

  inbound(nowMs: number, from: SocketAddress, to: SocketAddress): SocketAddress | undefined {
    if (to.host !== this.externalHost) return undefined;
    const known = this.#live(nowMs, this.#byOutside.get(outsideKey(from, to.port)));
    if (known !== undefined) {
      this.#touch(nowMs, known, !known.isFromOutside);
      return known.inside;
    }
    const inside = this.#forwards.get(to.port);
    // What is dropped before the end of its way leaves no connection behind.
    if (inside === undefined && this.#options.input === "drop") return undefined;
    if (this.#hasRoom(nowMs)) this.#add(nowMs, inside, from, to.port, true);
    return inside;
  }

  /** Plain masquerading does not turn datagrams round. */
  hairpin(): HairpinResult | undefined {
    return undefined;
  }

  forward(externalPort: number, inside: SocketAddress): void {
    this.#forwards.set(externalPort, inside);
  }

  flush(): void {
    this.#byInside.clear();
    this.#byOutside.clear();
    this.#forwards.clear();
  }

  renumber(externalHost: string): void {
    this.flush();
    this.externalHost = externalHost;
  }

  #add(
    nowMs: number,
    inside: SocketAddress | undefined,
    remote: SocketAddress,
    externalPort: number,
    isFromOutside: boolean,
  ): Tracked {
    const tracked: Tracked = {
      inside,
      insideKey: inside && `${inside.host} ${inside.port}>${remote.host} ${remote.port}`,
      outsideKey: outsideKey(remote, externalPort),
      external: { family: remote.family, host: this.externalHost, port: externalPort },
      isFromOutside,
      bornMs: nowMs,
      isReplied: false,
      endsMs: nowMs + UNREPLIED_MS,
    };
    if (tracked.insideKey !== undefined) this.#byInside.set(tracked.insideKey, tracked);
    this.#byOutside.set(tracked.outsideKey, tracked);
    return tracked;
  }

  #touch(nowMs: number, tracked: Tracked, isReply: boolean): void {
    if (isReply) tracked.isReplied = true;
    const isStream = tracked.isReplied && nowMs - tracked.bornMs > STREAM_AFTER_MS;
    tracked.endsMs = nowMs + (isStream ? REPLIED_MS : UNREPLIED_MS);
  }

  #freePort(nowMs: number, wanted: number, remote: SocketAddress): number | undefined {
    const { ports } = this.#options;
    if (ports === "preserving" && this.#isFree(nowMs, wanted, remote)) return wanted;
    for (let tries = 0; tries < PORT_TRIES; tries++) {
      const port = this.#random.integer(FIRST_PORT, LAST_PORT);
      if (this.#isFree(nowMs, port, remote)) return port;
    }
    return undefined;
  }

  #isFree(nowMs: number, port: number, remote: SocketAddress): boolean {
    return this.#live(nowMs, this.#byOutside.get(outsideKey(remote, port))) === undefined;
  }

  #live(nowMs: number, tracked: Tracked | undefined): Tracked | undefined {
    if (tracked === undefined || nowMs < tracked.endsMs) return tracked;
    this.#remove(tracked);
    return undefined;
  }

  #remove(tracked: Tracked): void {
    if (tracked.insideKey !== undefined) this.#byInside.delete(tracked.insideKey);
    this.#byOutside.delete(tracked.outsideKey);
  }

  #hasRoom(nowMs: number): boolean {
    const { maxConnections } = this.#options;
    if (nowMs - this.#sweptMs >= UNREPLIED_MS || this.size >= maxConnections) {
      this.#sweptMs = nowMs;
      for (const tracked of this.#byOutside.values()) {
        if (nowMs >= tracked.endsMs) this.#remove(tracked);
      }
    }
    return this.size < maxConnections;
  }
}

/** The outside pair of tuples: who is talked to, and from which of the router's ports. */
function outsideKey(remote: SocketAddress, externalPort: number): string {
  return `${remote.host} ${remote.port}>${externalPort}`;
}
